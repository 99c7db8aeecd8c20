#!/bin/sh
# Loads an HTTP server on 127.0.0.1 by wrk: 64 connections, one request in flight on each. After
# a warm-up it measures for SECONDS, and prints requests per second, per second of processor
# time of the server (PID), and how long they took. Any error fails.
#
# usage: wrk.sh PORT PID [SECONDS]
set -eu
port=$1 pid=$2 seconds=${3:-5}
connections=64

load() { # SECONDS
  wrk --threads 1 --connections "$connections" --duration "$1s" --latency "http://127.0.0.1:$port/"
}

# Ticks of processor time; the program's name has no spaces.
ticks() {
  cut -d ' ' -f 14,15 "/proc/$pid/stat" | awk '{ print $1 + $2 }'
}

load 1 >/dev/null
before=$(ticks)
output=$(load "$seconds")
after=$(ticks)

printf '%s\n' "$output" |
  awk -v ticks="$((after - before))" -v hertz="$(getconf CLK_TCK)" '
    function milliseconds(time) {
      if (time ~ /us$/) return time / 1000
      if (time ~ /ms$/) return time + 0
      return time * 1000
    }
    / requests in / { requests = $1 }
    /Socket errors|Non-2xx/ { print "error:" $0; failed = 1 }
    /^Requests\/sec/ { print "RESULT http_per_s", $2, "req/s" }
    / (50|99)% / { latency[$1] = milliseconds($2) }
    END {
      if (failed || requests == 0 || ticks == 0) exit 1
      print "RESULT http_per_cpu_s", requests * hertz / ticks, "req/cpu-s"
      print "RESULT http_p50_ms", latency["50%"], "ms"
      print "RESULT http_p99_ms", latency["99%"], "ms"
    }'
