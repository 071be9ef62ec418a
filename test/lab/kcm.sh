#!/bin/bash
# kcm.sh - a KCM credential cache daemon in a directory, Heimdal's or SSSD's.
#
#   kcm.sh up DIR heimdal|sssd          kcm.sh down DIR
#
# Both daemons have fixed paths (Heimdal's kcm ignores --socket-path; sssd_kcm its own
# /run, /var/lib/sss, /etc/sssd), so each runs in a mount namespace of its own with
# folders of DIR bound over them. A UNIX socket is a file: clients outside reach it
# under its name in DIR. Needs root (or unshare -r). Clients: KRB5CCNAME=KCM: and in
# krb5.conf [libdefaults] kcm_socket = DIR/run.ns/.heim_org.h5l.kcm-socket
#
. "$(dirname "$0")/common.sh"
HEIMDAL=${HEIMDAL:-/opt/heimdal}      # where heimdal-kcm was unpacked (packages.sh does it)

up() {
  lab_init "$1"
  local kind=${2:-heimdal} sock
  mkdir -p "$DIR/run.ns"; sock=$DIR/run.ns/.heim_org.h5l.kcm-socket
  case $kind in
  heimdal)
    printf '[libdefaults]\n  default_realm = LAB.TEST\n[logging]\n  kcm = 0-5/FILE:%s\n' "$DIR/log/kcm.log" > "$DIR/kcm.krb5.conf"
    KRB5_CONFIG=$DIR/kcm.krb5.conf spawn_private kcm "$HEIMDAL/usr/sbin/kcm";;
  sssd)
    mkdir -p "$DIR"/sss/{db,secrets,pipes/private,mc,deskprofile,gpo_cache,keytabs,pubconf} "$DIR/etc" "$DIR/log.ns"
    printf '[sssd]\nservices =\n[kcm]\ndebug_level = 6\n' > "$DIR/etc/sssd.conf"; chmod 600 "$DIR/etc/sssd.conf"
    # sssd_kcm asks to be killed when its parent dies, so a shell stays as its parent
    BINDS="$DIR/sss /var/lib/sss
$DIR/etc /etc/sssd
$DIR/log.ns /var/log/sssd" spawn_private kcm sh -c '/usr/sbin/sssd --genconf-section=kcm
      /usr/libexec/sssd/sssd_kcm --uid 0 --gid 0 --logger=stderr; exit $?';;
  *) die "heimdal or sssd?";;
  esac
  await kcm 10 test -S "$sock"
  cat > "$DIR/env" <<C
export LAB_KCM_SOCKET=$sock
C
  lab_ready
}

case "${1:-}" in
  up) shift; up "$@";;
  down) shift; lab_down "$@";;
  *) die "usage: $0 up DIR heimdal|sssd | down DIR";;
esac
