#!/bin/bash
# backports.sh ROOT PACKAGE... - unpacks packages of bookworm-backports into ROOT, not installed.
#
# Samba 4.22: Debian 12's own, 4.17, has no resource-based delegation and no channel
# bindings. `samba.sh up DIR --root ROOT` runs this one instead, in mount namespaces where
# ROOT/usr lies over /usr. Needs root and overlayfs. Some 15 MB.
# curl 8.14: Debian 12's own, 7.88, has no channel bindings. 1 MB.
. "$(dirname "$0")/common.sh"
[ $# -ge 2 ] || die "usage: $0 ROOT PACKAGE..."
ROOT=$1; shift
exec 9> /run/lock/kerb-lab-backports.lock     # two runs are not to unpack at once
flock -w 300 9 || die "another run has been unpacking for 300 s"
[ ! -e "$ROOT/.complete" ] || exit 0
PART=$ROOT.part APT=$ROOT.part/.apt
rm -rf "$PART" "$ROOT"
mkdir -p "$APT"/lists/partial "$APT"/archives/partial
# the mirror that this machine already uses
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' | sort -u | head -n 1)
[ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | sort -u | head -n 1)
for suite in bookworm bookworm-backports; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
done > "$APT/sources.list"
opt=(-o Dir::Etc::sourcelist="$APT/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$APT/lists"
     -o Dir::Cache="$APT" -o Dir::Cache::archives="$APT/archives" -o Debug::NoLocking=1 -o APT::Sandbox::User=root)
apt-get "${opt[@]}" -qq update
apt-get "${opt[@]}" -qq -y --download-only --no-install-recommends -t bookworm-backports install "$@"
for deb in "$APT"/archives/*.deb; do dpkg -x "$deb" "$PART"; done
if [ -d "$PART/lib" ]; then cp -a "$PART/lib/." "$PART/usr/lib/"; rm -rf "$PART/lib"; fi
# Nothing of the old version may shine through where the new one has its own.
$SYSPY - "$PART"/usr/lib/*/{samba,ldb} "$PART/usr/lib/python3/dist-packages/samba" "$PART/usr/share/samba" <<'P'
import os, sys
for path in filter(os.path.isdir, sys.argv[1:]): os.setxattr(path, "trusted.overlay.opaque", b"y")
P
rm -rf "$APT"
touch "$PART/.complete"
mv "$PART" "$ROOT"
