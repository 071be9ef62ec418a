#!/bin/bash
# web.sh - other web servers that speak Negotiate, in a directory.
#
#   web.sh up DIR KDCDIR      web.sh down DIR
#
# lighttpd with mod_authn_gssapi: /neg Negotiate, /basic a password that the KDC checks, /open.
# gss_https.py, HTTPS over python-gssapi: its docstring says what it serves.
. "$(dirname "$0")/common.sh"

up() {
  lab_init "$1"; kdc_env "$2"
  read -r P_LIGHT P_TLS <<<"$(free_ports 2)"
  tls_cert "$DIR/tls" localhost
  mkdir "$DIR/www" "$DIR/tmp"
  cat > "$DIR/who" <<'C'
#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
echo "AUTH_TYPE=$AUTH_TYPE"; echo "REMOTE_USER=$REMOTE_USER"
C
  chmod 755 "$DIR/who"
  local page; for page in neg basic open; do ln -s "$DIR/who" "$DIR/www/$page"; done
  cp "$KDC/keytabs/HTTP.keytab" "$DIR/HTTP.keytab"
  : > "$DIR/log/error.log"
  if [ "$(id -u)" = 0 ]; then chown www-data: "$DIR/HTTP.keytab" "$DIR/tmp" "$DIR/log/error.log"; fi
  # without store-creds it would refuse clients that hand nothing over
  cat > "$DIR/lighttpd.conf" <<C
server.modules = ( "mod_auth", "mod_authn_gssapi", "mod_cgi" )
server.document-root = "$DIR/www"
server.bind = "127.0.0.1"
server.port = $P_LIGHT
server.username = "www-data"
server.groupname = "www-data"
server.errorlog = "$DIR/log/error.log"
server.upload-dirs = ( "$DIR/tmp" )
cgi.assign = ( "" => "/bin/sh" )
auth.backend = "gssapi"
auth.backend.gssapi.keytab = "$DIR/HTTP.keytab"
auth.backend.gssapi.principal = "HTTP/localhost@$LAB_REALM"
auth.backend.gssapi.store-creds = "disable"
auth.require = (
  "/neg"   => ( "method" => "gssapi", "realm" => "$LAB_REALM", "require" => "valid-user" ),
  "/basic" => ( "method" => "basic",  "realm" => "$LAB_REALM", "require" => "valid-user" ),
)
C
  spawn lighttpd env -u KRB5CCNAME -u KRB5_KTNAME /usr/sbin/lighttpd -D -f "$DIR/lighttpd.conf"
  spawn gss_https env -u KRB5CCNAME $SYSPY "$LAB_HOME/gss_https.py" "$P_TLS" "$DIR/tls/server.pem" "$DIR/tls/server.key" "$DIR/HTTP.keytab"
  await_tcp lighttpd 127.0.0.1 "$P_LIGHT"; await_tcp gss_https 127.0.0.1 "$P_TLS"
  cat > "$DIR/env" <<C
export LAB_LIGHTTPD=http://localhost:$P_LIGHT
export LAB_GSS_HTTPS=https://localhost:$P_TLS
export LAB_WEB_CA=$DIR/tls/ca.pem
C
  lab_ready
}

case "${1:-}" in
  up) shift; up "$@";;
  down) shift; lab_down "$@";;
  *) die "usage: $0 up DIR KDCDIR | down DIR";;
esac
