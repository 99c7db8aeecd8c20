#!/bin/sh
# Gives a program COUNT lines of 48 bytes on its standard input, through a pipe or from a file.
#
# usage: stdin.sh pipe|file COUNT PROGRAM      PROGRAM is one shell command
set -eu
scratch=$(mktemp) || exit 1
trap 'rm -f "$scratch"' EXIT
yes '{"price": 10250.5, "size": 0.25, "side": "buy"}' 2>/dev/null | head -n "$2" >"$scratch"
case $1 in
  pipe) cat "$scratch" | sh -c "exec $3 pipe $2" ;;
  file) sh -c "exec $3 file $2" <"$scratch" ;;
esac
