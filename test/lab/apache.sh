#!/bin/bash
# apache.sh - Apache with mod_auth_gssapi in a directory.
#
#   apache.sh up DIR KDCDIR [KEYTAB|proxy:SOCKET]      apache.sh down DIR
#
#   KEYTAB    instead of the KDC's own for HTTP
#   SOCKET    of a GSS-Proxy daemon, which has the keys: there is no keytab then
#
#   /krb5     Negotiate, Kerberos only        /any      whatever mechanisms there are
#   /basic    Negotiate, or Basic checked against the KDC
#   /deleg    stores delegated credentials; a CGI lists them
#   /session  Negotiate once, then a cookie   /conn     Negotiate once per connection
#   /pac      name attributes (PAC) as JSON   /open     no authentication
#   /local    REMOTE_USER is the local name  /s4u  goes on for users who hand nothing over (S4U2Proxy)
#   /name     is HTTP@localhost, whatever other keys there are     /page  a file in place of the CGI
# Each answers with the CGI's text: user, mechanism, ccache; with ?SERVICE, whether that can be reached as the user.
# All that over TLS, too, and in DIR/tls/ca.pem whose certificate it is.
. "$(dirname "$0")/common.sh"
MODS=/usr/lib/apache2/modules

up() {
  lab_init "$1"; kdc_env "$2"
  read -r P_HTTP P_HTTPS <<<"$(free_ports 2)"
  tls_cert "$DIR/tls" localhost
  mkdir "$DIR/www" "$DIR/cgi" "$DIR/deleg" "$DIR/s4u"; echo open > "$DIR/www/index.html"; echo page > "$DIR/www/page"
  local keys="  GssapiCredStore keytab:$DIR/HTTP.keytab" daemon=() theirs=("$DIR/deleg" "$DIR/s4u")
  case ${3:-} in
    # credentials that a daemon gives are also written into the default ccache
    proxy:*) keys= daemon=(GSS_USE_PROXY=yes "GSSPROXY_SOCKET=${3#proxy:}" KRB5_KTNAME=/nonexistent KRB5CCNAME=MEMORY:);;
    *) cp "${3:-$KDC/keytabs/HTTP.keytab}" "$DIR/HTTP.keytab"; theirs+=("$DIR/HTTP.keytab");;
  esac
  if [ "$(id -u)" = 0 ]; then chown www-data: "${theirs[@]}"; fi
  chmod 700 "$DIR/deleg" "$DIR/s4u"
  cat > "$DIR/cgi/who" <<'C'
#!/bin/sh
# what the module told us
echo "Content-Type: text/plain"; echo
for v in AUTH_TYPE REMOTE_USER GSS_NAME GSS_MECH GSS_SESSION_EXPIRATION KRB5CCNAME GSS_NAME_ATTRS_JSON GSS_NAME_ATTR_ERROR; do
  eval "echo \"$v=\$$v\""
done
[ -z "$KRB5CCNAME" ] || klist 2>&1
# kvno knows nothing of S4U2Proxy
[ -z "$QUERY_STRING" ] || /usr/bin/python3 -c 'import gssapi, sys
creds = gssapi.Credentials(usage="initiate")
name = gssapi.Name(sys.argv[1], gssapi.NameType.kerberos_principal)
gssapi.SecurityContext(name=name, creds=creds, usage="initiate").step()
print("reached", sys.argv[1], "as", creds.name)' "$QUERY_STRING" 2>&1
C
  chmod 755 "$DIR/cgi/who"
  loc() { printf '<Location /%s>\n  AuthType GSSAPI\n  AuthName lab\n%s\n  GssapiPublishErrors On\n  GssapiPublishMech On\n  Require valid-user\n%s\n</Location>\n' "$1" "$keys" "$2"; }
  {
    for m in mpm_prefork authn_core authz_core authz_user auth_basic auth_gssapi unixd alias mime env cgi session session_cookie ssl socache_shmcb; do
      [ ! -e $MODS/mod_$m.so ] || echo "LoadModule ${m}_module $MODS/mod_$m.so"     # others are built in
    done
    cat <<C
ServerRoot $DIR
ServerName localhost
PidFile $DIR/run/httpd.own
DefaultRuntimeDir $DIR/run
User www-data
Group www-data
Listen 127.0.0.1:$P_HTTP
Listen [::1]:$P_HTTP
Listen 127.0.0.1:$P_HTTPS
<VirtualHost *:$P_HTTPS>
  SSLEngine on
  SSLCertificateFile $DIR/tls/server.pem
  SSLCertificateKeyFile $DIR/tls/server.key
</VirtualHost>
ErrorLog $DIR/log/error.log
LogLevel warn auth_gssapi:debug
KeepAlive On
MaxKeepAliveRequests 0
StartServers 2
DocumentRoot $DIR/www
TypesConfig /dev/null
PassEnv KRB5_CONFIG PATH
<Directory />
  Require all granted
</Directory>
ScriptAliasMatch "^/(krb5|any|basic|deleg|session|conn|pac|local|s4u|name|open)" $DIR/cgi/who
C
    loc krb5 '  GssapiAllowedMech krb5'
    loc any ''
    loc basic '  GssapiBasicAuth On
  GssapiBasicAuthMech krb5'
    loc deleg "  GssapiDelegCcacheDir $DIR/deleg
  GssapiDelegCcacheUnique On"
    loc session '  GssapiUseSessions On
  Session On
  SessionCookieName lab_session path=/session;httponly'
    loc conn '  GssapiConnectionBound On'
    loc local '  GssapiLocalName On'
    loc pac '  GssapiNameAttributes json'
    loc page '  LogLevel warn auth_gssapi:warn'
    loc name '  GssapiAcceptorName HTTP@localhost'
    loc s4u "  GssapiUseS4U2Proxy On
  GssapiCredStore client_keytab:$DIR/HTTP.keytab
  GssapiCredStore ccache:FILE:$DIR/s4u/ccache
  GssapiDelegCcacheDir $DIR/s4u"
  } > "$DIR/httpd.conf"
  spawn apache env -u KRB5CCNAME ${daemon[@]+"${daemon[@]}"} /usr/sbin/apache2 -d "$DIR" -f "$DIR/httpd.conf" -DFOREGROUND
  await_tcp apache 127.0.0.1 "$P_HTTP"
  printf 'export %s\n' LAB_HTTP=http://localhost:$P_HTTP LAB_HTTPS=https://localhost:$P_HTTPS > "$DIR/env"
  lab_ready
}

case "${1:-}" in
  up) shift; up "$@";;
  down) shift; lab_down "$@";;
  *) die "usage: $0 up DIR KDCDIR [KEYTAB|proxy:SOCKET] | down DIR";;
esac
