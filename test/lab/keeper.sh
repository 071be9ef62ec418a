#!/bin/bash
# keeper.sh ROOT - the end of a test run. Waits until its standard input closes, which
# happens however the run ends, also by SIGKILL; then stops every lab below ROOT and
# removes ROOT (unless KERB_LAB_KEEP is set).
. "$(dirname "$0")/common.sh"
trap '' INT TERM HUP

cat > /dev/null
for lab in "$1"/*/run; do
  [ ! -d "$lab" ] || lab_down "${lab%/run}" &
done
wait
[ -n "${KERB_LAB_KEEP:-}" ] || rm -rf "$1"
