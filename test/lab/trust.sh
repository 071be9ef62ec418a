#!/bin/bash
# trust.sh A B ROOT - two domain controllers of samba.sh, of different forests, come to
# trust each other; `visitors`, a local group of B's domain, gets A's alice as a member.
. "$(dirname "$0")/common.sh"
[ -e "${2:-}/env" ] || die "usage: $0 A B ROOT (two domain controllers that are up)"
A=$(cd "$1" && pwd) B=$(cd "$2" && pwd) OVERLAY_USR=${3:+$3/usr}
realm() { (. "$1/env"; echo "$LAB_REALM"); }
kdc() { (. "$1/env"; echo "$LAB_KDC"); }
dns() { tr '[:upper:]' '[:lower:]' <<<"$1"; }
RA=$(realm "$A") RB=$(realm "$B")

# in DIR COMMAND... - where the names and sockets of that DC are the machine's own
in_dc() {
  local d=$1; shift
  (export OVERLAY_USR KRB5_CONFIG=$d/krb5.conf BINDS="$d/hosts /etc/hosts
$d/resolv.conf /etc/resolv.conf
$d/run.ns /run"; private $SYSPY /usr/bin/samba-tool "$@")
}
{
  in_dc "$A" domain trust create "$(dns "$RB")" --configfile="$A/smb.conf" --type=forest --direction=both \
    --create-location=both --skip-validation -U "Administrator@$RB%Admin-pw1" \
    --local-dc-username="Administrator@$RA" --local-dc-password=Admin-pw1
  sid=$(in_dc "$A" user show alice --attributes=objectSid -H "$A/ad/private/sam.ldb" --configfile="$A/smb.conf" |
    sed -n 's/^objectSid: //p')
  in_dc "$B" group add visitors --group-scope=Domain -H "$B/ad/private/sam.ldb" --configfile="$B/smb.conf"
  in_dc "$B" group addmembers visitors "$sid" -H "$B/ad/private/sam.ldb" --configfile="$B/smb.conf"
} >>"$A/log/trust.log" 2>&1 || { tail -5 "$A/log/trust.log" >&2; die "no trust"; }

# tell DIR REALM KDC - let DIR's krb5.conf know the other realm
tell() {
  sed -i -e "/^\[realms\]/a\  $2 = {\n    kdc = $3\n  }" \
         -e "/^\[domain_realm\]/a\  .$(dns "$2") = $2\n  $(dns "$2") = $2" "$1/krb5.conf"
}
tell "$A" "$RB" "$(kdc "$B")"
tell "$B" "$RA" "$(kdc "$A")"
