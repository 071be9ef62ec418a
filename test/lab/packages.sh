#!/bin/bash
# packages.sh PACKAGE... [--unpack DIR PACKAGE...] - installs Debian packages, and sees to
# it that none of them starts a daemon: the lab starts its own. What conflicts with
# others (Heimdal's tools and MIT's) is only unpacked into DIR, beside what is there.
set -euo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
POLICY=/usr/sbin/policy-rc.d PATIENCE=300     # seconds
output=$(mktemp)
install=()
while [ $# -gt 0 ] && [ "$1" != --unpack ]; do install+=("$1"); shift; done

exec 9> /run/lock/kerb-lab.lock               # one at a time: the policy is the machine's
flock -w "$PATIENCE" 9 || { echo "another run has been installing for $PATIENCE s" >&2; exit 1; }

restore() {
  rm -f "$output"
  [ ! -e "$POLICY.kerb-lab" ] || mv "$POLICY.kerb-lab" "$POLICY"
  [ -z "${made:-}" ] || rm -f "$POLICY"
}
trap restore EXIT
if [ ! -e "$POLICY" ]; then made=1
elif "$POLICY" apache2 start > "$output" 2>&1; [ $? != 101 ]; then mv "$POLICY" "$POLICY.kerb-lab"; fi
[ -e "$POLICY" ] || { printf '#!/bin/sh\nexit 101\n' > "$POLICY"; chmod 755 "$POLICY"; }

# Retried while somebody else holds one of apt's locks: DPkg::Lock::Timeout waits for dpkg's only.
patiently() {
  local end=$((SECONDS + PATIENCE))
  until "$@" > "$output" 2>&1; do
    if ! grep -q 'Could not get lock' "$output" || [ $SECONDS -ge $end ]; then tail -20 "$output" >&2; exit 1; fi
    sleep 2
  done
}
patiently apt-get -q update
patiently apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=$PATIENCE install "${install[@]}"
[ $# -gt 0 ] || exit 0

into=$2; shift 2
missing=()
for package; do [ -e "$into/usr/share/doc/$package" ] || missing+=("$package"); done
[ ${#missing[@]} -gt 0 ] || exit 0
rm -rf "$into.part"
debs=$(mktemp -d)
cd "$debs"
patiently apt-get -q -o APT::Sandbox::User=root download "${missing[@]}"
mkdir -p "$into.part" "$into"
for deb in ./*.deb; do dpkg -x "$deb" "$into.part"; done
cp -al "$into.part/." "$into/"                # linked, hence whole files or none
rm -rf "$debs" "$into.part"
