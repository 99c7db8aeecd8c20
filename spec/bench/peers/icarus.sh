#!/bin/sh
# Simulates peers/icarus_divider.v by Icarus Verilog: changes of nets per second, without and with a trace of them.
# What vvp needs to begin is measured by an empty run, and taken off; the best of three.
#
# usage: icarus.sh PROGRAM [EDGES]      PROGRAM: what iverilog has compiled
set -eu
program=$1 edges=${2:-2000000}

nanoseconds() { # WORD…: of a run
  before=$(date +%s%N)
  vvp "$program" "$@" >/dev/null
  echo $(($(date +%s%N) - before))
}

best() { # WORD…
  least=
  for _ in 1 2 3; do
    taken=$(nanoseconds "$@")
    if [ -z "$least" ] || [ "$taken" -lt "$least" ]; then least=$taken; fi
  done
  echo "$least"
}

# An edge of the clock makes two changes: its own, and on the chain half of one, a quarter and so on.
result() { # NAME NANOSECONDS
  awk -v name="$1" -v edges="$edges" -v taken="$2" \
    'BEGIN { printf "RESULT %s %.6g changes/s\n", name, 2 * edges / taken * 1e9 }'
}

empty=$(best +edges=1)
plain=$(best "+edges=$edges")
traced=$(best "+edges=$edges" +vcd)
result divider_changes_per_s $((plain - empty))
result divider_vcd_changes_per_s $((traced - empty))
