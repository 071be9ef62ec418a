#!/bin/bash
# squid.sh - Squid with negotiate_kerberos_auth, in a directory: a proxy for those alone whom the KDC knows.
#
#   squid.sh up DIR KDCDIR      squid.sh down DIR
#
# It accepts as HTTP/localhost. DIR/log/access.log has a line for each request: METHOD URL USER STATUS.
. "$(dirname "$0")/common.sh"

up() {
  lab_init "$1"; kdc_env "$2"
  read -r P_PROXY <<<"$(free_ports 1)"
  cp "$KDC/keytabs/HTTP.keytab" "$DIR/HTTP.keytab"
  if [ "$(id -u)" = 0 ]; then chown proxy: "$DIR" "$DIR/HTTP.keytab" "$DIR/log" "$DIR/run"; fi
  cat > "$DIR/squid.conf" <<C
http_port 127.0.0.1:$P_PROXY
http_port [::1]:$P_PROXY
visible_hostname localhost
auth_param negotiate program /usr/lib/squid/negotiate_kerberos_auth -d -k $DIR/HTTP.keytab -s HTTP/localhost@$LAB_REALM
auth_param negotiate children 2 startup=1 idle=1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
memory_pools off
pinger_enable off
shutdown_lifetime 0 seconds
logformat lab %rm %ru %un %>Hs
access_log stdio:$DIR/log/access.log logformat=lab
cache_log $DIR/log/cache.log
cache_store_log none
pid_filename $DIR/run/squid.own
coredump_dir $DIR
C
  spawn squid env -u KRB5CCNAME -u KRB5_KTNAME TMPDIR="$DIR" /usr/sbin/squid --foreground -n "lab$P_PROXY" -f "$DIR/squid.conf"
  await_tcp squid 127.0.0.1 "$P_PROXY"
  printf 'export %s\n' "LAB_SQUID=http://localhost:$P_PROXY" "LAB_SQUID_LOG=$DIR/log/access.log" > "$DIR/env"
  lab_ready
}

case "${1:-}" in
  up) shift; up "$@";;
  down) shift; lab_down "$@";;
  *) die "usage: $0 up DIR KDCDIR | down DIR";;
esac
