#!/bin/bash
# samba.sh - a Samba Active Directory DC in a directory, on an address of its own.
#
#   samba.sh up DIR [--groups N] [--cache FILE] [--realm NAME] [--address 127.x.y.z]
#                   [--forwarder 127.x.y.z] [--root ROOT]
#   samba.sh down DIR
#
#   --cache FILE   start from FILE (2 s); if there is none, or its address is taken,
#                  provision (10 s), and write it if there is none
#   --realm, --address, --forwarder: other than AD.TEST, a random one and none; the last
#                  is asked for names that are not the DC's own
#   --root ROOT    with the Samba that backports.sh unpacked into ROOT
#   --groups N     member of N groups: user "bigpac", whose tickets do not fit in UDP
#
# Linux answers on all of 127/8, so each DC takes a random 127.x.y.z with the standard
# ports (88 464 389 636 3268 445 135 53): no namespace, no clash, as many as you like.
# LDAP's port cannot be configured in Samba anyway. Needs root for ports and xattrs.
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/pkinit-pki.sh"
PATH=$PATH:/usr/sbin
REALM=AD.TEST ADDRESS= FORWARDER=
STRONG_AUTH=allow_sasl_over_tls     # 4.17 knows nothing of channel bindings

conf() {
  cat > "$DIR/smb.extra" <<C
	interfaces = $IP/8
	bind interfaces only = yes
	dns forwarder = $FORWARDER
	disable netbios = yes
	server services = s3fs rpc ldap cldap kdc winbindd dns
	dcerpc endpoint servers = epmapper wkssvc samr netlogon lsarpc drsuapi dssetup unixinfo browser eventlog6 backupkey dnsserver
	prefork children = 1
	log file = $DIR/log/samba.log
	log level = 1 kerberos:3
	max log size = 0
	pid directory = $DIR/ad/pid
	lock directory = $DIR/ad/lock
	ncalrpc dir = $DIR/ad/ncalrpc
	ntp signd socket directory = $DIR/ad/ntp
	tls cafile = $DIR/pki/ca.pem
	tls certfile = $DIR/tls/server.pem
	tls keyfile = $DIR/tls/server.key
	ldap server require strong auth = $STRONG_AUTH
	kdc default domain supported enctypes = 0x1c
	ldb:nosync = true
	posix:eadb = $DIR/ad/private/eadb.tdb
C
  cat > "$DIR/krb5.conf" <<C
[libdefaults]
  default_realm = $REALM
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  forwardable = true
  allow_weak_crypto = true
  allow_rc4 = true
  default_ccache_name = FILE:$DIR/cc
[realms]
  $REALM = {
    kdc = $IP:88
    admin_server = $IP:464
    kpasswd_server = $IP:464
    pkinit_anchors = FILE:$DIR/pki/ca.pem
    pkinit_kdc_hostname = localhost
  }
[domain_realm]
  localhost = $REALM
  .$DNSDOM = $REALM
  $DNSDOM = $REALM
C
  # what the KDC inside samba reads: PKINIT is configured as for Heimdal
  cat > "$DIR/kdc.krb5.conf" <<C
[libdefaults]
  default_realm = $REALM
  dns_lookup_kdc = false
  allow_weak_crypto = true
[realms]
  $REALM = {
    kdc = $IP
  }
[kdc]
  require-preauth = no
  enable-pkinit = yes
  pkinit_identity = FILE:$DIR/pki/kdc.pem,$DIR/pki/kdc.key
  pkinit_anchors = FILE:$DIR/pki/ca.pem
  pkinit_principal_in_certificate = yes
  pkinit_win2k = no
  pkinit_win2k_require_binding = yes
C
  cat > "$DIR/env" <<C
export KRB5_CONFIG=$DIR/krb5.conf
export KRB5CCNAME=FILE:$DIR/cc
export KRB5_KTNAME=FILE:$DIR/keytabs/all.keytab
export KRB5RCACHENAME=dfl:
export KRB5RCACHEDIR=$DIR/rcache
export LAB_REALM=$REALM
export LAB_KDC=$IP:88
export LAB_KPASSWD=$IP:464
export LAB_DC=dc1.$DNSDOM
export LAB_DNS=$IP:53
export LAB_ADMIN_PW=Admin-pw1
C
  printf '127.0.0.1 localhost\n%s dc1.%s dc1\n' "$IP" "$DNSDOM" > "$DIR/hosts"
  printf 'nameserver %s\n' "$IP" > "$DIR/resolv.conf"
}

# provision GROUPS - everything but the start: the database, accounts, keytabs, certificates
provision() {
  IP=${ADDRESS:-127.$((RANDOM % 200 + 20)).$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1))}
  mkdir -p "$DIR"/{ad/pid,ad/lock,ad/ntp,ad/ncalrpc,keytabs,pki,tls}
  conf
  { pkinit_pki "$DIR/pki" $REALM pkuser alice; tls_cert "$DIR/tls" dc1.$DNSDOM "DNS:dc1.$DNSDOM,IP:$IP"
    chmod 600 "$DIR"/tls/server.key "$DIR"/pki/*.key; } &
  local pki=$!
  : > "$DIR/empty.conf"       # not the system's smb.conf as the template
  (export KRB5_CONFIG=$DIR/kdc.krb5.conf
   private $SYSPY /usr/bin/samba-tool domain provision --configfile="$DIR/empty.conf" --targetdir="$DIR/ad" \
    --realm=$REALM --domain=${REALM%%.*}DOM --adminpass=Admin-pw1 --server-role=dc \
    --dns-backend=SAMBA_INTERNAL --host-name=dc1 --host-ip="$IP" \
    --option="interfaces=$IP/8" --option="bind interfaces only=yes" --option="ldb:nosync=true" \
    --option="posix:eadb=$DIR/ad/private/eadb.tdb") >"$DIR/log/setup.log" 2>&1
  # their smb.conf, with ours in the global section
  sed -e "/^\t\(interfaces\|bind interfaces\|dns forwarder\|lock dir\|ldb:\|posix:\)/d" \
      -e "/^\[global\]/r $DIR/smb.extra" "$DIR/ad/etc/smb.conf" > "$DIR/smb.conf"
  # a share for anybody (sysvol's ACLs are keyed by inode, and lost in a cache)
  printf '\n[share]\n\tpath = %s/share\n\tread only = no\n\tvfs objects =\n' "$DIR" >> "$DIR/smb.conf"
  (export KRB5_CONFIG=$DIR/kdc.krb5.conf
   private $SYSPY "$LAB_HOME/samba_fill.py" "$DIR/smb.conf" "$DIR/keytabs" "$1") >>"$DIR/log/setup.log" 2>&1
  chmod 644 "$DIR"/keytabs/*
  wait $pki
}

# A cache holds the address and the directory it was made with. The address stays (DNS
# records and the certificate name it); the directory is replaced where it is written.
save() { echo "$IP $DIR" > "$DIR/.origin"; tar -C "$DIR" --sparse -czf "$1.$$" \
           .origin ad keytabs pki tls smb.conf krb5.conf kdc.krb5.conf env hosts resolv.conf; mv "$1.$$" "$1"; }
usable() { local ip; [ -e "$1" ] && ip=$(tar -xzOf "$1" .origin | cut -d' ' -f1) && ! tcp_open "$ip" 88; }
restore() {
  tar -C "$DIR" --sparse -xzf "$1"
  local old; read -r IP old < "$DIR/.origin"
  sed -i "s,$old,$DIR,g" "$DIR"/{smb.conf,krb5.conf,kdc.krb5.conf,env}
}

up() {
  lab_init "$1"; shift
  local groups=0 cache=
  while [ $# -gt 0 ]; do case $1 in
    --groups) groups=$2;; --cache) cache=$2;; --realm) REALM=$2;; --address) ADDRESS=$2;;
    --forwarder) FORWARDER=$2;; --root) export OVERLAY_USR=$2/usr; STRONG_AUTH=yes;; *) die "unknown option $1";;
  esac; shift 2; done
  DNSDOM=$(tr '[:upper:]' '[:lower:]' <<<"$REALM")
  if [ -n "$cache" ] && usable "$cache"; then restore "$cache"
  else provision "$groups"; [ -z "$cache" ] || [ -e "$cache" ] || save "$cache"; fi
  # In a mount namespace with a /run of its own: smbd looks for winbindd in /run/samba,
  # whatever "winbindd socket directory" says, and refuses all sessions without it.
  mkdir -p "$DIR/run.ns/samba/winbindd" "$DIR/share"; chmod 1777 "$DIR/share"
  export KRB5_CONFIG=$DIR/kdc.krb5.conf
  BINDS="$DIR/hosts /etc/hosts
$DIR/resolv.conf /etc/resolv.conf" spawn_private samba samba -F --no-process-group --configfile="$DIR/smb.conf"
  local p; for p in 88 464 389 445; do await_tcp samba "$IP" $p 30; done
  lab_ready
}

case "${1:-}" in
  up) shift; up "$@";;
  down) shift; lab_down "$@";;
  *) die "usage: $0 up DIR [OPTION VALUE]... | down DIR";;
esac
