#!/bin/sh
# Runs a client against a server: starts SERVER, waits for its line `PORT n`,
# runs CLIENT with PORT and PID (the server's) in its environment, ends the
# server, and exits with the client's status.
#
# usage: drive.sh SERVER CLIENT      each is one shell command
set -u
limit=600 # seconds a client may take

ulimit -n "$(ulimit -Hn)" # for servers of many connections
scratch=$(mktemp -d) || exit 1
sh -c "exec $1" >"$scratch/out" &
PID=$!
trap 'kill "$PID" 2>/dev/null; wait "$PID" 2>/dev/null; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

PORT=
tries=0
while [ -z "$PORT" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 200 ] || ! kill -0 "$PID" 2>/dev/null; then
    echo "the server printed no PORT line: $1" >&2
    exit 1
  fi
  sleep 0.05
  PORT=$(sed -n 's/^PORT //p' "$scratch/out")
done

export PORT PID
timeout --foreground "$limit" sh -c "exec $2"
