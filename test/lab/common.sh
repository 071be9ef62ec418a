# common.sh - helpers shared by the lab scripts (sourced, never executed).
#
# Every script keeps everything it makes in one directory DIR:
#   DIR/run/NAME.pid   "pid starttime" of each daemon started
#   DIR/log/NAME.out   its stdout+stderr
#   DIR/env            `. DIR/env` gives a shell that talks to this instance; one
#                      "export NAME=VALUE" a line, as the tests read it too
# Daemons run in the foreground in a session (= process group) of their own, so
# that stopping one also stops the workers it forked, and nothing else.

set -euo pipefail
export LC_ALL=C.UTF-8
LAB_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SYSPY=/usr/bin/python3          # the distribution's own: the one that has gssapi

die()  { echo "$(basename "$0"): $*" >&2; exit 1; }
log()  { echo "[$(basename "$0" .sh)] $*" >&2; }

# lab_init DIR - make DIR and its skeleton. Its parent must be there: once the keeper
# has taken that away, nothing can be started any more.
lab_init() {
  [ -n "${1:-}" ] || die "usage: $0 up|down DIR"
  mkdir "$1"; DIR=$(cd "$1" && pwd)
  mkdir "$DIR/run" "$DIR/log" "$DIR/rcache"
  chmod 755 "$DIR"; chmod 1777 "$DIR/rcache"     # replay caches of daemons that drop root
  _pidfile up $$     # so that `down` can also end an `up` that is still at work
  date +%s.%N > "$DIR/.up"
  trap '_failed $? $LINENO' EXIT
}

# lab_ready - the end of an `up`
lab_ready() { rm -f "$DIR/run/up.pid"; log "up in $(took)"; }

# An `up` that does not get to its end stops what it had started.
_failed() {
  if [ "$1" != 0 ]; then
    rm -f "$DIR/run/up.pid"
    if [ -s "$DIR/log/setup.log" ]; then tail -5 "$DIR/log/setup.log" >&2; fi
    log "up failed (status $1, near line $2); log in $DIR/log"
    local f; for f in "$DIR"/run/*.pid; do [ -e "$f" ] && halt "$(basename "$f" .pid)"; done
    rm -f "$DIR/.up"
  fi
}

# free_ports N - N ports below the ephemeral range that are free now, on TCP and
# UDP, on 127.0.0.1 and ::1.
free_ports() {
  $SYSPY - "$1" <<'PY'
import random, socket, sys
want, got = int(sys.argv[1]), []
def free(p):
    for fam, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        for typ in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(fam, typ) as s:
                try: s.bind((host, p))
                except OSError: return False
    return True
while len(got) < want:
    p = random.randrange(20000, 32000)
    if p not in got and free(p): got.append(p)
print(*got)
PY
}

# a zombie, which waits for an init in no hurry, counts as gone
_starttime() { awk '{sub(/.*\) /,""); if ($1 != "Z") print $20}' "/proc/$1/stat" 2>/dev/null; }

# spawn NAME CMD... - start CMD (must stay in the foreground) as a daemon. It is written
# down before it leaves the group of `up`: whoever ends `up` finds it in one of the two.
spawn() {
  local name=$1; shift
  (_pidfile "$name" $BASHPID && exec setsid "$@") </dev/null >"$DIR/log/$name.out" 2>&1 &
  local pid=$!
  disown $pid
  while [ ! -s "$DIR/run/$name.pid" ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
}
_pidfile() { echo "$2 $(_starttime "$2")" > "$DIR/run/$1.pid"; }

# private CMD... - run CMD in a mount namespace of its own, where each line of $BINDS,
# "SOURCE TARGET", is a bind mount; $OVERLAY_USR, if set, lies over /usr. Needs root, and
# the right to mount.
private() {
  BINDS="${BINDS:-}" OVERLAY_USR="${OVERLAY_USR:-}" exec unshare -m --propagation private bash -c '
    [ -z "$OVERLAY_USR" ] || mount -t overlay overlay -o "ro,lowerdir=$OVERLAY_USR:/usr" /usr || exit
    while read -r a b; do [ -z "$a" ] || mount --bind "$a" "$b" || exit; done <<<"$BINDS"
    unset BINDS OVERLAY_USR; exec "$@"' private "$@"
}

# spawn_private NAME CMD... - spawn, in such a namespace, where also /run is DIR/run.ns:
# for daemons with paths there that no option changes.
spawn_private() {
  local name=$1; shift; mkdir -p "$DIR/run.ns"
  local BINDS="${BINDS:-}
$DIR/run.ns /run"
  export -f private
  BINDS=$BINDS OVERLAY_USR=${OVERLAY_USR:-} spawn "$name" bash -c 'private "$@"' private "$@"
}

alive() { local p s; read -r p s < "$DIR/run/$1.pid" && _same "$p" "$s"; }

# await NAME SECONDS TEST... - until TEST succeeds; dies with the log if NAME died.
await() {
  local name=$1 end=$((SECONDS + $2)); shift 2
  until "$@" 2>/dev/null; do
    alive "$name" || { tail -20 "$DIR/log/$name.out" >&2; die "$name died at start"; }
    [ $SECONDS -lt $end ] || { tail -20 "$DIR/log/$name.out" >&2; die "$name not ready"; }
    sleep 0.05
  done
}
tcp_open() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }
await_tcp() { await "$1" "${4:-20}" tcp_open "$2" "$3"; }

# _tree PID - PID and all its descendants, as "pid starttime" lines: some may have left
# its process group (daemons have left that of `up`)
_tree() {
  local kid start; start=$(_starttime "$1") || return 0
  [ -z "$start" ] || echo "$1 $start"
  for kid in $(ps -o pid= --ppid "$1"); do _tree "$kid"; done
}
_any_left() { local p s; while read -r p s; do ! _same "$p" "$s" || return 0; done <<<"$1"; return 1; }
# a process that is gone has no start time, and must not pass for another one that is gone
_same() { [ -n "$2" ] && [ "$(_starttime "$1")" = "$2" ]; }

# halt NAME - TERM the daemon's process group and what else comes of it; after 5 s KILL what is left.
halt() {
  local pid start tree i; [ -e "$DIR/run/$1.pid" ] || return 0
  read -r pid start < "$DIR/run/$1.pid"
  if _same "$pid" "$start"; then
    tree=$(_tree "$pid")
    kill -TERM -- "-$pid" 2>/dev/null || true
    _signal TERM "$tree"
    for i in $(seq 100); do _any_left "$tree" || break; sleep 0.05; done
    _signal KILL "$tree"
  fi
  rm -f "$DIR/run/$1.pid"
}
_signal() { local p s; while read -r p s; do ! _same "$p" "$s" || kill "-$1" "$p" 2>/dev/null || true; done <<<"$2"; }

# lab_down DIR - stop everything, newest first; the files stay for post-mortem.
lab_down() {
  [ -d "${1:-}" ] || die "usage: $0 down DIR"
  DIR=$(cd "$1" && pwd); local f
  [ -d "$DIR/run" ] || die "$DIR is not a lab directory"
  for f in $(ls -t "$DIR/run" | grep '\.pid$' || true); do halt "${f%.pid}"; done
  rm -f "$DIR/.up"
}

# kdc_env KDCDIR - for services: the environment of a KDC that is up
kdc_env() {
  [ -e "${1:-}/.up" ] || die "usage: $0 up DIR KDCDIR (a KDC that is up)"
  KDC=$(cd "$1" && pwd); . "$KDC/env"
}

# tls_cert OUTDIR CN SANS - CA and server certificate for localhost, 127.0.0.1, ::1 and what SANS adds
tls_cert() {
  local o=$1; mkdir -p "$o"
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=lab CA" \
    -keyout "$o/ca.key" -out "$o/ca.pem" 2>/dev/null
  openssl req -new -newkey rsa:2048 -nodes -subj "/CN=$2" \
    -keyout "$o/server.key" -out "$o/server.csr" 2>/dev/null
  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1%s\nextendedKeyUsage=serverAuth\n' "${3:+,$3}" > "$o/server.ext"
  openssl x509 -req -sha256 -days 3650 -in "$o/server.csr" -CA "$o/ca.pem" -CAkey "$o/ca.key" \
    -CAcreateserial -extfile "$o/server.ext" -out "$o/server.pem" 2>/dev/null
}

took() { awk -v a="$(cat "$DIR/.up")" -v b="$(date +%s.%N)" 'BEGIN{printf "%.1f s\n", b-a}'; }
