#!/bin/bash
# echo.sh - gss_echo.py, a GSS acceptor, in a directory; it serves echo@localhost and,
# as it has every key of the KDC's services, e-ENCTYPE/localhost too.
#
#   echo.sh up DIR KDCDIR          echo.sh down DIR
. "$(dirname "$0")/common.sh"

up() {
  lab_init "$1"; kdc_env "$2"
  read -r P_ECHO <<<"$(free_ports 1)"
  spawn echo env -u KRB5CCNAME $SYSPY "$LAB_HOME/gss_echo.py" "$P_ECHO" "$KRB5_KTNAME"
  await_tcp echo 127.0.0.1 "$P_ECHO"
  echo "export LAB_ECHO=localhost:$P_ECHO" > "$DIR/env"
  lab_ready
}

case "${1:-}" in
  up) shift; up "$@";;
  down) shift; lab_down "$@";;
  *) die "usage: $0 up DIR KDCDIR | down DIR";;
esac
