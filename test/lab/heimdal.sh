#!/bin/bash
# heimdal.sh - Heimdal 7.8 KDC, kadmind, kpasswdd in a directory: two realms, PKINIT,
# constrained delegation, HTTP transport; the binaries need not be installed.
#
#   heimdal.sh up DIR [--small-udp]        heimdal.sh down DIR
#
#   --small-udp  UDP replies over 500 bytes become KRB_ERR_RESPONSE_TOO_BIG
#
# HEIMDAL says where heimdal-kdc and heimdal-clients were unpacked (packages.sh does it).
#
# Realms H5L.TEST <-> OTHER.TEST, both in one database, served by one kdc.
# Passwords: the user's name followed by "-pw".
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/pkinit-pki.sh"
HEIMDAL=${HEIMDAL:-/opt/heimdal}
HBIN=$HEIMDAL/usr/bin HLIBEXEC=$HEIMDAL/usr/lib/heimdal-servers
ENCTYPES="aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96 aes256-cts-hmac-sha384-192 aes128-cts-hmac-sha256-128 des3-cbc-sha1 arcfour-hmac-md5"

write_conf() {
  # One file that MIT's and Heimdal's clients both understand, and the daemons too.
  cat > "$DIR/krb5.conf" <<C
[libdefaults]
  default_realm = H5L.TEST
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  forwardable = true
  allow_weak_crypto = true
  allow_rc4 = true
  allow_des3 = true
  default_ccache_name = FILE:$DIR/cc
  default_cc_name = FILE:$DIR/cc
  pkinit_anchors = FILE:$DIR/pki/ca.pem
[realms]
  H5L.TEST = {
    kdc = 127.0.0.1:$P_KDC
    admin_server = 127.0.0.1:$P_ADM
    kpasswd_server = 127.0.0.1:$P_PW
    pkinit_kdc_hostname = localhost
    pkinit_require_eku = true
    pkinit_require_krbtgt_otherName = true
  }
  OTHER.TEST = {
    kdc = 127.0.0.1:$P_KDC
  }
[domain_realm]
  localhost = H5L.TEST
  .h5l.test = H5L.TEST
  .other.test = OTHER.TEST
[appdefaults]
  pkinit_anchors = FILE:$DIR/pki/ca.pem
C
  cat > "$DIR/kdc/kdc.conf" <<C
[kdc]
  database = {
    dbname = $DIR/kdc/heimdal
    mkey_file = $DIR/kdc/m-key
    acl_file = $DIR/kdc/kadmind.acl
    log_file = $DIR/kdc/log
  }
  require-preauth = false
  enable-pkinit = true
  pkinit_identity = FILE:$DIR/pki/kdc.pem,$DIR/pki/kdc.key
  pkinit_anchors = FILE:$DIR/pki/ca.pem
  pkinit_principal_in_certificate = true
  pkinit_dh_min_bits = 1024
  pkinit_mappings_file = $DIR/kdc/pki-mapping
  allow-anonymous = true
  max-kdc-datagram-reply-length = $MAX_UDP
  transited-policy = always-check
[password_quality]
  policies = minimum-length
  min_length = 6
[logging]
  kdc = 0-5/FILE:$DIR/log/kdc.log
  kpasswdd = 0-5/FILE:$DIR/log/kpasswdd.log
  kadmind = 0-5/FILE:$DIR/log/kadmind.log
  default = 0-5/FILE:$DIR/log/default.log
C
  # [kadmin] default_keys lives in files of its own: which enctypes a new key gets is
  # chosen by the configuration, and PBKDF2 for all of them would take seconds
  keys() { echo "[kadmin]"; echo "  require-preauth = false"; echo "  default_keys = $*"; }
  keys aes256-cts-hmac-sha1-96:pw-salt aes128-cts-hmac-sha1-96:pw-salt > "$DIR/kdc/keys.conf"
  keys $(printf '%s:pw-salt ' $ENCTYPES) > "$DIR/kdc/keys-all.conf"
  local e; for e in $ENCTYPES; do keys "$e:pw-salt" > "$DIR/kdc/keys-$e.conf"; done
  printf 'admin/admin@H5L.TEST all\n' > "$DIR/kdc/kadmind.acl"
  : > "$DIR/kdc/pki-mapping"
  cat > "$DIR/env" <<C
export KRB5_CONFIG=$DIR/krb5.conf
export KRB5CCNAME=FILE:$DIR/cc
export KRB5_KTNAME=FILE:$DIR/keytabs/all.keytab
export KRB5RCACHENAME=dfl:
export KRB5RCACHEDIR=$DIR/rcache
export LAB_REALM=H5L.TEST
export LAB_KDC=127.0.0.1:$P_KDC
export LAB_KPASSWD=127.0.0.1:$P_PW
export LAB_KADMIN=127.0.0.1:$P_ADM
C
}

# kadm [ENCTYPE|all] < commands - kadmin -l in bulk; it exits 0 whatever happens, so read its mind
kadm() {
  local out conf=$DIR/krb5.conf:$DIR/kdc/kdc.conf:$DIR/kdc/keys${1:+-$1}.conf
  out=$(KRB5_CONFIG=$conf $HBIN/kadmin.heimdal -l 2>&1 || true)
  echo "$out" >> "$DIR/log/setup.log"
  out=$(grep -e '^kadmin.heimdal' -e '^kadmin:' -e '^Usage' -e nrecognized -e 'krb5_' <<<"$out" || true)
  [ -z "$out" ] || die "kadmin: $out"
}

principals() {
  local e short svc h pre="--use-defaults --attributes=requires-pre-auth"
  kadm <<C
init --realm-max-ticket-life=10h --realm-max-renewable-life=7d H5L.TEST
init --realm-max-ticket-life=10h --realm-max-renewable-life=7d OTHER.TEST
C
  printf '%s\n' "add $pre -p alice-pw alice" "add $pre -p bob-pw bob" | kadm all
  kadm <<C
add $pre -p admin-pw admin/admin
add $pre -p changer-pw changer
add --use-defaults -p nopreauth-pw nopreauth
add $pre -p pwexpired-pw pwexpired
modify --pw-expiration-time=2020-01-01 pwexpired
add $pre -p expired-pw expired
modify --expiration-time=2020-01-01 expired
add --use-defaults --attributes=requires-pre-auth,disallow-all-tix -p locked-pw locked
add --use-defaults --attributes=requires-pre-auth,requires-pw-change -p mustchange-pw mustchange
add --use-defaults --attributes=requires-pre-auth,disallow-forwardable,disallow-proxiable -p nofwd-pw nofwd
add --use-defaults --attributes=requires-pre-auth,disallow-svr -p u2u-pw u2u
add $pre -r pkuser
add --use-defaults -r svc1/localhost
modify --attributes=trusted-for-delegation,ok-as-delegate svc1/localhost
modify --constrained-delegation=svc2/localhost@H5L.TEST --constrained-delegation=echo/localhost@H5L.TEST svc1/localhost
add --use-defaults -r svc2/localhost
add --use-defaults -r svc3/localhost
modify --alias=alicealias@H5L.TEST alice
add $pre -p carol-pw carol
modify --alias=carol@corp.example carol
add $pre -p otto-pw otto@OTHER.TEST
add --use-defaults -r echo/svc.other.test@OTHER.TEST
add --use-defaults -p x-h5l-other krbtgt/OTHER.TEST@H5L.TEST
add --use-defaults -p x-other-h5l krbtgt/H5L.TEST@OTHER.TEST
ext_keytab -k $DIR/kdc/admin.keytab kadmin/changepw kadmin/admin
ext_keytab -k $DIR/keytabs/svc1.keytab svc1/localhost
ext_keytab -k $DIR/keytabs/svc2.keytab svc2/localhost
ext_keytab -k $DIR/keytabs/other.keytab echo/svc.other.test@OTHER.TEST
ext_keytab -k $DIR/keytabs/users.keytab alice bob
C
  for e in $ENCTYPES; do       # one user and one service per enctype
    short=${e/-cts-hmac/}; short=${short%-md5}; short=${short/-hmac/}; short=${short/-cbc-sha1/}
    kadm "$e" <<C
add $pre -p u-$short-pw u-$short
add --use-defaults -r e-$short/localhost
ext_keytab -k $DIR/keytabs/enctypes.keytab e-$short/localhost
ext_keytab -k $DIR/keytabs/all.keytab e-$short/localhost
C
  done
  for svc in HTTP host ldap postgres imap smtp pop mariadb echo cifs svc1 svc2 svc3; do
    for h in localhost svc.h5l.test; do
      case $svc-$h in svc?-svc*) continue;; svc*) ;; *) echo "add --use-defaults -r $svc/$h";; esac
      echo "ext_keytab -k $DIR/keytabs/$svc.keytab $svc/$h"
      echo "ext_keytab -k $DIR/keytabs/all.keytab $svc/$h"
    done
  done | kadm
  kadm <<< "modify --attributes=ok-as-delegate HTTP/localhost"
  chmod 644 "$DIR"/keytabs/*
}

up() {
  lab_init "$1"; shift
  MAX_UDP=1400
  local o; for o; do case $o in
    --small-udp) MAX_UDP=500;; *) die "unknown option $o";;
  esac; done
  mkdir "$DIR/kdc" "$DIR/keytabs" "$DIR/pki"
  read -r P_KDC P_ADM P_PW <<<"$(free_ports 3)"
  write_conf
  pkinit_pki "$DIR/pki" H5L.TEST pkuser alice &
  local pki=$! ha
  export KRB5_CONFIG=$DIR/krb5.conf:$DIR/kdc/kdc.conf:$DIR/kdc/keys.conf
  $HEIMDAL/usr/sbin/kstash --random-key --key-file="$DIR/kdc/m-key" >>"$DIR/log/setup.log" 2>&1
  principals
  wait $pki
  # private: they write /run/kdc.pid and the like, which only instances alone could share
  # a keytab file, for HDB: (HDBGET) cannot be walked and rd_req here wants to
  spawn_private kdc $HLIBEXEC/kdc --ports="$P_KDC" --addresses=127.0.0.1 --addresses=::1 --enable-http
  spawn_private kpasswdd $HLIBEXEC/kpasswdd --port="$P_PW" --addresses=127.0.0.1 --keytab="FILE:$DIR/kdc/admin.keytab"
  spawn_private kadmind $HLIBEXEC/kadmind --ports="$P_ADM" --keytab="FILE:$DIR/kdc/admin.keytab"
  await_tcp kdc 127.0.0.1 "$P_KDC"
  await_tcp kadmind 127.0.0.1 "$P_ADM"
  lab_ready
}

case "${1:-}" in
  up) shift; up "$@";;
  down) shift; lab_down "$@";;
  *) die "usage: $0 up DIR [--small-udp] | down DIR";;
esac
