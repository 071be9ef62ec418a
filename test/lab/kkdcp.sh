#!/bin/bash
# kkdcp.sh - a KDC proxy ([MS-KKDCP] over HTTPS, python3-kdcproxy) in front of a KDC.
#
#   kkdcp.sh up DIR KDCDIR          kkdcp.sh down DIR
. "$(dirname "$0")/common.sh"

up() {
  lab_init "$1"; kdc_env "$2"
  read -r P <<<"$(free_ports 1)"
  tls_cert "$DIR/tls" localhost
  cat > "$DIR/kdcproxy.conf" <<C
[global]
use_dns = false
silence_port_warn = true
[$LAB_REALM]
kerberos = kerberos+tcp://$LAB_KDC
kpasswd = kpasswd+tcp://$LAB_KPASSWD
C
  export KDCPROXY_CONFIG=$DIR/kdcproxy.conf
  spawn kkdcp $SYSPY "$LAB_HOME/kkdcp_server.py" "$P" "$DIR/tls/server.pem" "$DIR/tls/server.key"
  await_tcp kkdcp 127.0.0.1 "$P"
  printf 'export %s\n' "LAB_KKDCP=https://localhost:$P/KdcProxy" "LAB_KKDCP_CA=$DIR/tls/ca.pem" > "$DIR/env"
  lab_ready
}

case "${1:-}" in
  up) shift; up "$@";;
  down) shift; lab_down "$@";;
  *) die "usage: $0 up DIR KDCDIR | down DIR";;
esac
