#!/bin/bash
# redis.sh - a Redis in memory alone, on loopback.
#
#   redis.sh up DIR          redis.sh down DIR
#
. "$(dirname "$0")/common.sh"

up() {
  lab_init "$1"
  local port; port=$(free_ports 1)
  spawn redis redis-server --port "$port" --bind 127.0.0.1 --dir "$DIR" --save '' --appendonly no
  await_tcp redis 127.0.0.1 "$port"
  echo "export LAB_REDIS_PORT=$port" > "$DIR/env"
  lab_ready
}

case "${1:-}" in
  up) shift; up "$@";;
  down) shift; lab_down "$@";;
  *) die "usage: $0 up DIR | down DIR";;
esac
