#!/bin/bash
# gssproxy.sh - the gssproxy daemon in a directory.
#
#   gssproxy.sh up DIR KDCDIR CONF          gssproxy.sh down DIR
#
# CONF is a gssproxy.conf whose services have sockets of their own; all of them are there
# once it is up. Needs root, for sockets of others.
. "$(dirname "$0")/common.sh"

up() {
  lab_init "$1"; kdc_env "$2"
  cp "$3" "$DIR/gssproxy.conf"; chmod 600 "$DIR/gssproxy.conf"
  spawn gssproxy env -u KRB5CCNAME -u KRB5_KTNAME /usr/sbin/gssproxy -i -c "$DIR/gssproxy.conf" -s "$DIR/run/default.sock"
  local socket; for socket in $(sed -n 's/^ *socket *= *//p' "$3"); do await gssproxy 10 test -S "$socket"; done
  : > "$DIR/env"
  lab_ready
}

case "${1:-}" in
  up) shift; up "$@";;
  down) shift; lab_down "$@";;
  *) die "usage: $0 up DIR KDCDIR CONF | down DIR";;
esac
