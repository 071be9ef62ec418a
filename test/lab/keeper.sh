#!/bin/bash
# keeper.sh ROOT - the end of a test run. Waits until its standard input closes, which
# happens however the run ends, also by SIGKILL; then stops every lab below ROOT and
# removes ROOT (or leaves it as ROOT.ended, if KERB_LAB_KEEP is set).
. "$(dirname "$0")/common.sh"
trap '' INT TERM HUP

cat > /dev/null
# Renamed first, as the tests may outlive the run a little: from now on nothing of
# theirs can be started or written here.
mv "$1" "$1.ended"
for lab in "$1.ended"/*/run; do
  [ ! -d "$lab" ] || lab_down "${lab%/run}" &
done
wait
[ -n "${KERB_LAB_KEEP:-}" ] || rm -rf "$1.ended"
