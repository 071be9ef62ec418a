#!/bin/bash
# mit.sh - MIT krb5 in a directory: three realms, kadmind, kpasswd, PKINIT, OTP;
# delegation and aliases by the lines of DIR/kdc/rules, which kdb_lab.c explains.
#
#   mit.sh up DIR [--small-udp]
#   mit.sh down DIR
#
#   --small-udp  UDP replies over 500 bytes become KRB_ERR_RESPONSE_TOO_BIG
#
# Realms  LAB.TEST <-> MID.TEST <-> FAR.TEST   (no direct LAB <-> FAR trust; capaths)
# One krb5kdc serves the three, each on its own port, UDP+TCP, 127.0.0.1 and ::1.
# Passwords: the user's name followed by "-pw". See principals() for who is who.
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/pkinit-pki.sh"
PATH=$PATH:/usr/sbin

ENCTYPES="aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96 aes128-cts-hmac-sha256-128 aes256-cts-hmac-sha384-192 camellia256-cts-cmac camellia128-cts-cmac arcfour-hmac des3-cbc-sha1"
ALL=$(for e in $ENCTYPES; do printf '%s:normal,' "$e"; done)
# PBKDF2 for every enctype of every user is what takes time: two by default
SALTED="aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal"
STRONG="aes256-cts-hmac-sha384-192:normal,aes256-cts-hmac-sha1-96:normal,aes128-cts-hmac-sha256-128:normal,aes128-cts-hmac-sha1-96:normal"

write_conf() {
  cat > "$DIR/krb5.conf" <<C
# client side (also read by the KDC and kadmind for capaths and domain_realm)
[libdefaults]
  default_realm = LAB.TEST
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  allow_weak_crypto = true
  allow_rc4 = true
  allow_des3 = true
  forwardable = true
  default_ccache_name = FILE:$DIR/cc
  spake_preauth_groups = edwards25519 P-256 P-384 P-521
  permitted_enctypes = $ENCTYPES
  pkinit_anchors = FILE:$DIR/pki/ca.pem
  udp_preference_limit = 1465
[realms]
  LAB.TEST = {
    kdc = 127.0.0.1:$P_LAB
    admin_server = 127.0.0.1:$P_ADM
    kpasswd_server = 127.0.0.1:$P_PW
    pkinit_kdc_hostname = localhost
  }
  MID.TEST = {
    kdc = 127.0.0.1:$P_MID
  }
  FAR.TEST = {
    kdc = 127.0.0.1:$P_FAR
  }
[domain_realm]
  localhost = LAB.TEST
  .lab.test = LAB.TEST
  .mid.test = MID.TEST
  .far.test = FAR.TEST
[capaths]
  LAB.TEST = {
    MID.TEST = .
    FAR.TEST = MID.TEST
  }
  FAR.TEST = {
    MID.TEST = .
    LAB.TEST = MID.TEST
  }
  MID.TEST = {
    LAB.TEST = .
    FAR.TEST = .
  }
C
  # A client that does NOT know where lab.test's neighbours live: for referrals.
  sed -e '/^\[domain_realm\]/,/^\[capaths\]/{/test = /d}' -e '/^\[capaths\]/,$d' "$DIR/krb5.conf" > "$DIR/krb5-referral.conf"
  realm() {  # NAME PORT DBMODULE EXTRA
    cat <<C
  $1 = {
    database_module = $3
    key_stash_file = $DIR/kdc/$1.stash
    acl_file = $DIR/kdc/kadm5.acl
    dict_file = $DIR/kdc/dict
    kdc_listen = 127.0.0.1:$2 [::1]:$2
    kdc_tcp_listen = 127.0.0.1:$2 [::1]:$2
    master_key_type = aes256-cts-hmac-sha384-192
    supported_enctypes = $SALTED
    max_life = 10h
    max_renewable_life = 7d
    host_based_services = *
    encrypted_challenge_indicator = fast-pw
    spake_preauth_indicator = spake
    pkinit_indicator = pkinit
    pkinit_identity = FILE:$DIR/pki/kdc.pem,$DIR/pki/kdc.key
    pkinit_anchors = FILE:$DIR/pki/ca.pem
    pkinit_eku_checking = kpClientAuth
    pkinit_allow_upn = true
    pkinit_dh_min_bits = 2048
$4
  }
C
  }
  {
    cat <<C
[kdcdefaults]
  kdc_max_dgram_reply_size = $MAX_UDP
[libdefaults]
  allow_weak_crypto = true
# since 1.21, and in Debian's 1.20.1-2+deb12u4 (CVE-2025-3576): without these two
# the KDC issues no RC4 or DES3 session keys (allow_weak_crypto is not enough)
  allow_rc4 = true
  allow_des3 = true
[realms]
C
    realm LAB.TEST "$P_LAB" lab "    kadmind_listen = 127.0.0.1:$P_ADM
    kpasswd_listen = 127.0.0.1:$P_PW [::1]:$P_PW"
    realm MID.TEST "$P_MID" mid ""
    realm FAR.TEST "$P_FAR" far ""
    cat <<C
[dbmodules]
  db_module_dir = $DIR/kdc
  lab = {
    db_library = lab
    database_name = $DIR/kdc/LAB.TEST
  }
  mid = {
    db_library = lab
    database_name = $DIR/kdc/MID.TEST
  }
  far = {
    db_library = lab
    database_name = $DIR/kdc/FAR.TEST
  }
[otp]
  lab = {
    server = 127.0.0.1:$P_OTP
    secret = $DIR/kdc/radius.secret
    strip_realm = true
    timeout = 3
    indicator = otp
  }
[logging]
  kdc = FILE:$DIR/log/kdc.log
  admin_server = FILE:$DIR/log/kadmind.log
  default = FILE:$DIR/log/krb5.log
C
  } > "$DIR/kdc/kdc.conf"
  printf '*/admin@LAB.TEST *\nkadmin/admin@LAB.TEST *\nreadonly@LAB.TEST il\n' > "$DIR/kdc/kadm5.acl"
  printf 'password\nsecret\nletmein\n' > "$DIR/kdc/dict"
  printf 'radius-secret' > "$DIR/kdc/radius.secret"
  printf 'otpuser 123456\notpuser 111111*\n' > "$DIR/kdc/otp.users"
  cat > "$DIR/kdc/rules" <<C
to svc1/localhost svc2/localhost
to svc1/localhost echo/localhost
to HTTP/localhost svc2/localhost
to HTTP/localhost ldap/localhost
to HTTP/localhost HTTP/svc.lab.test
from svc3/localhost svc2/localhost
from echo/svc.mid.test@MID.TEST svc1/localhost@LAB.TEST
alias svc1\/localhost\@LAB.TEST@MID.TEST krbtgt/LAB.TEST@MID.TEST
alias alicealias alice
alias HTTP/webalias.lab.test HTTP/localhost
cert $DIR/pki/pkuser.der pkuser
C
  cat > "$DIR/env" <<C
# . this file: a shell that talks to this lab
export KRB5_CONFIG=$DIR/krb5.conf
export KRB5_KDC_PROFILE=$DIR/kdc/kdc.conf
export KRB5CCNAME=FILE:$DIR/cc
export KRB5_KTNAME=FILE:$DIR/keytabs/all.keytab
export KRB5RCACHENAME=dfl:
export KRB5RCACHEDIR=$DIR/rcache
export LAB_KDB_RULES=$DIR/kdc/rules
export LAB_REALM=LAB.TEST
export LAB_KDC=127.0.0.1:$P_LAB
export LAB_KPASSWD=127.0.0.1:$P_PW
export LAB_KADMIN=127.0.0.1:$P_ADM
C
}

# kadm REALM < commands - kadmin.local in bulk; any complaint is fatal.
kadm() {
  local out; out=$(kadmin.local -r "$1" 2>&1 || true)
  echo "$out" >> "$DIR/log/setup.log"
  # "kadmin.local:  cmd" (two blanks) is the prompt with the command echoed
  out=$(grep -v '^kadmin.local:  ' <<<"$out" | grep -i -e ' while ' -e '^usage' -e 'unknown' -e 'invalid' || true)
  [ -z "$out" ] || die "kadmin.local -r $1: $out"
}

principals() {
  local e short svc
  # requires_preauth is put on users only. On a service it also refuses clients whose
  # ticket is not marked preauthenticated - as those from S4U2Self are not.
  sed '/^addprinc -pw/{/requires_preauth/!s/addprinc/& +requires_preauth/}' <<C | kadm LAB.TEST
addpol -minlength 8 -minclasses 2 -history 2 strict
addpol -maxfailure 3 -failurecountinterval 1h -lockoutduration 1h lockout
addprinc -pw alice-pw -e $ALL alice
addprinc -pw bob-pw -e $ALL bob
addprinc -pw changer-pw changer
addprinc -pw admin-pw admin/admin
addprinc -pw readonly-pw readonly
addprinc -pw nopreauth-pw -requires_preauth nopreauth
addprinc -pw hwauth-pw +requires_hwauth hwauth
addprinc -pw pwexpired-pw -pwexpire "2020-01-01 UTC" pwexpired
addprinc -pw mustchange-pw +needchange mustchange
addprinc -pw expired-pw -expire "2020-01-01 UTC" expired
addprinc -pw locked-pw -allow_tix locked
addprinc -pw Strict-pw1 -policy strict strict
addprinc -pw lockout-pw -policy lockout lockout
addprinc -pw nofwd-pw -allow_forwardable -allow_proxiable nofwd
addprinc -pw norenew-pw -allow_renewable norenew
addprinc -pw shortlife-pw -maxlife "10 minutes" -maxrenewlife "20 minutes" shortlife
addprinc -pw u2u-pw -allow_svr u2u
addprinc -pw "with space-pw" "with space"
addprinc -pw "jörg-pw" "jörg"
addprinc -pw carol-pw "carol\@corp.example"
addprinc -pw special-pw -e aes256-cts-hmac-sha1-96:special special
addprinc -pw norealm-pw -e aes256-cts-hmac-sha1-96:norealm norealm
addprinc -pw onlyrealm-pw -e aes256-cts-hmac-sha1-96:onlyrealm onlyrealm
addprinc -randkey +requires_preauth pkuser
addprinc -randkey WELLKNOWN/ANONYMOUS
addprinc -randkey +requires_preauth otpuser
addprinc -randkey +ok_to_auth_as_delegate svc1/localhost
addprinc -randkey svc2/localhost
addprinc -randkey svc3/localhost
addprinc -randkey otponly/localhost
setstr otponly/localhost require_auth otp
addprinc -randkey pkonly/localhost
setstr pkonly/localhost require_auth pkinit
addprinc -randkey nopac/localhost
modprinc +no_auth_data_required nopac/localhost
addprinc -randkey nopreauthsvc/localhost
modprinc +ok_as_delegate nopreauthsvc/localhost
C
  # by argv: kadmin's own command parser would eat the quotes
  kadmin.local -r LAB.TEST setstr otpuser otp '[{"type":"lab"}]' >>"$DIR/log/setup.log" 2>&1
  # One user and one service per enctype: user NAME has password NAME-pw
  for e in $ENCTYPES; do
    short=${e/-cts-hmac/}; short=${short/-cts-cmac/}; short=${short/-hmac/}; short=${short/-cbc-sha1/}
    echo "addprinc +requires_preauth -pw u-$short-pw -e $e:normal u-$short"
    echo "addprinc -randkey -e $e:normal e-$short/localhost"
    echo "setstr e-$short/localhost session_enctypes $e"
    echo "ktadd -q -norandkey -k $DIR/keytabs/enctypes.keytab e-$short/localhost"
    echo "ktadd -q -norandkey -k $DIR/keytabs/all.keytab e-$short/localhost"
    echo "ktadd -q -norandkey -k $DIR/keytabs/users.keytab u-$short"
  done | kadm LAB.TEST
  for svc in HTTP host ldap postgres imap smtp pop mariadb echo cifs; do
    for e in localhost svc.lab.test; do
      echo "addprinc -randkey -e $STRONG $svc/$e"
      echo "ktadd -q -norandkey -k $DIR/keytabs/$svc.keytab $svc/$e"
      echo "ktadd -q -norandkey -k $DIR/keytabs/all.keytab $svc/$e"
    done
  done | kadm LAB.TEST
  kadm LAB.TEST <<C
modprinc +ok_as_delegate HTTP/localhost
ktadd -q -norandkey -k $DIR/keytabs/svc1.keytab svc1/localhost
ktadd -q -norandkey -k $DIR/keytabs/svc2.keytab svc2/localhost
ktadd -q -norandkey -k $DIR/keytabs/svc3.keytab svc3/localhost
ktadd -q -norandkey -k $DIR/keytabs/all.keytab svc1/localhost svc2/localhost svc3/localhost otponly/localhost pkonly/localhost nopac/localhost nopreauthsvc/localhost
ktadd -q -norandkey -k $DIR/keytabs/users.keytab alice bob
ktadd -q -norandkey -k $DIR/keytabs/krbtgt.keytab krbtgt/LAB.TEST
addprinc -pw x-lab-mid krbtgt/MID.TEST@LAB.TEST
addprinc -pw x-mid-lab krbtgt/LAB.TEST@MID.TEST
C
  kadm MID.TEST <<C
addprinc +requires_preauth -pw mia-pw mia
addprinc -randkey echo/svc.mid.test
addprinc -randkey HTTP/svc.mid.test
ktadd -q -norandkey -k $DIR/keytabs/mid.keytab echo/svc.mid.test HTTP/svc.mid.test
addprinc -pw x-lab-mid krbtgt/MID.TEST@LAB.TEST
addprinc -pw x-mid-lab krbtgt/LAB.TEST@MID.TEST
addprinc -pw x-mid-far krbtgt/FAR.TEST@MID.TEST
addprinc -pw x-far-mid krbtgt/MID.TEST@FAR.TEST
C
  kadm FAR.TEST <<C
addprinc +requires_preauth -pw fay-pw fay
addprinc -randkey echo/svc.far.test
addprinc -randkey HTTP/svc.far.test
ktadd -q -norandkey -k $DIR/keytabs/far.keytab echo/svc.far.test HTTP/svc.far.test
addprinc -pw x-mid-far krbtgt/FAR.TEST@MID.TEST
addprinc -pw x-far-mid krbtgt/MID.TEST@FAR.TEST
C
}

# What a server has that was set up again without telling the KDC: HTTP/localhost's
# name, number and enctypes, and keys the KDC does not know.
wrong_keytab() {
  local e
  for e in ${STRONG//:normal/}; do echo $e; done | tr ',' '\n' | while read -r e; do
    printf 'addent -password -p HTTP/localhost@LAB.TEST -k 1 -e %s\nnot-the-key\n' "$e"
  done | { cat; echo "wkt $DIR/keytabs/wrong.keytab"; } | ktutil
}

up() {
  lab_init "$1"; shift
  MAX_UDP=4096
  local o; for o; do case $o in
    --small-udp) MAX_UDP=500;; *) die "unknown option $o";;
  esac; done
  mkdir "$DIR/kdc" "$DIR/keytabs" "$DIR/pki"
  read -r P_LAB P_MID P_FAR P_ADM P_PW P_OTP <<<"$(free_ports 6)"
  local db2; for db2 in /usr/lib/*/krb5/plugins/kdb/db2.so; do :; done
  gcc -shared -fPIC -O1 -DDB2="\"$db2\"" -o "$DIR/kdc/lab.so" "$LAB_HOME/kdb_lab.c" -ldl -lkrb5
  write_conf
  . "$DIR/env"
  pkinit_pki "$DIR/pki" LAB.TEST pkuser alice &
  local pki=$! r
  for r in LAB MID FAR; do kdb5_util -r $r.TEST create -s -P master-pw >>"$DIR/log/setup.log" 2>&1; done
  principals
  wrong_keytab >>"$DIR/log/setup.log" 2>&1
  chmod 644 "$DIR"/keytabs/*   # lab keys: daemons that drop privileges read them
  wait $pki
  spawn radius $SYSPY "$LAB_HOME/radius_otp.py" "$P_OTP" "$DIR/kdc/radius.secret" "$DIR/kdc/otp.users"
  spawn krb5kdc krb5kdc -n -r LAB.TEST -r MID.TEST -r FAR.TEST
  spawn kadmind kadmind -nofork -r LAB.TEST
  await_tcp krb5kdc 127.0.0.1 "$P_LAB"
  await_tcp kadmind 127.0.0.1 "$P_ADM"
  await radius 5 grep -q ready "$DIR/log/radius.out"
  lab_ready
}

case "${1:-}" in
  up) shift; up "$@";;
  down) shift; lab_down "$@";;
  *) die "usage: $0 up DIR [--small-udp] | down DIR";;
esac
