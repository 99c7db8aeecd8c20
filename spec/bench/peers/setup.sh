#!/bin/sh
# Prepares the peers of the benchmarks under build/bench: a venv with uvloop, aiohttp,
# websockets and gpiozero, the Node package ws, what Icarus Verilog compiles, and the C
# programs. Whatever is there already and not older than its source stays.
# What cannot be had is reported as a line `SKIP peer: reason`; the benchmarks
# then run without it. Exits 0 unless the folder itself cannot be made.
#
# usage: spec/bench/peers/setup.sh      PYTHON and CC choose other programs
cd "$(dirname "$0")/../../.." || exit 1
out=build/bench
mkdir -p "$out" || exit 1

skip() {
  echo "SKIP $1: $2"
}

# The distribution's Python is built with all its optimisations; one that comes
# first in PATH may not be.
python=${PYTHON:-/usr/bin/python3}
[ -x "$python" ] || python=$(command -v python3)

compile() { # NAME SOURCE [FLAGS…]
  name=$1 source=$2
  shift 2
  if [ -x "$out/$name" ] && [ -z "$(find "$source" -newer "$out/$name")" ]; then
    return
  fi
  ${CC:-cc} -O2 -Wall -Wextra -o "$out/$name" "$source" "$@" ||
    skip "$name" "it does not compile"
}

# What the load programs have in common is compiled once; these are the programs.
loads="echo_load ws_load ticks_load poll_server http_server ws_idle ws_crowd ws_faults http_faults"

compile_loads() {
  load=$PWD/spec/bench/load
  if [ -d "$out/load" ] && [ -z "$(find "$load" spec/bench/peers/setup.sh -newer "$out/load")" ]; then
    return
  fi
  rm -rf "$out/load"
  mkdir "$out/load"
  # shellcheck disable=SC2086  # the flags are words
  (cd "$out/load" && ${CC:-cc} -O2 -Wall -Wextra -D_GNU_SOURCE -pthread -c "$load"/*.c) || {
    rm -rf "$out/load"
    skip "$loads" "they do not compile"
    return
  }
  common=
  for object in "$out"/load/*.o; do
    name=${object##*/}
    case " $loads " in *" ${name%.o} "*) ;; *) common="$common $object" ;; esac
  done
  for name in $loads; do
    # shellcheck disable=SC2086  # a list of files
    ${CC:-cc} -pthread -o "$out/$name" "$out/load/$name.o" $common || skip "$name" "it does not link"
  done
}

setup_python() {
  if [ -z "$python" ]; then
    skip "asyncio uvloop websockets aiohttp gpiozero" "there is no python3 (apt-get install python3 python3-venv)"
    return
  fi
  if [ ! -x "$out/venv/bin/python" ]; then
    "$python" -m venv "$out/venv" >"$out/venv.log" 2>&1 || {
      rm -rf "$out/venv"
      skip "asyncio uvloop websockets aiohttp gpiozero" "no venv (apt-get install python3-venv); see $out/venv.log"
      return
    }
  fi
  for package in uvloop websockets aiohttp gpiozero; do
    "$out/venv/bin/python" -c "import $package" 2>/dev/null && continue
    "$out/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
      "$package" >"$out/pip.log" 2>&1 ||
      skip "$package" "pip could not install it; see $out/pip.log"
  done
}

setup_node() {
  if ! command -v node >/dev/null; then
    skip "node node_ws" "it is not installed (apt-get install nodejs)"
  elif [ ! -d "$out/node_modules/ws" ]; then
    npm install --silent --no-audit --no-fund --prefix "$out" ws >"$out/npm.log" 2>&1 ||
      skip "node_ws" "npm could not install it; see $out/npm.log"
  fi
}

# The engine of circuits with a program around it; optimised across files, as it is in strobe.
setup_engine() {
  sources=$(find core/base modules/strobe/gpio modules/strobe/vcd -name '*.c' ! -name '*_lua.c')
  # shellcheck disable=SC2086  # a list of files
  if [ -n "$(find spec/bench/gpio/engine.c $sources -newer "$out/gpio_engine" 2>&1)" ]; then
    rm -f "$out/gpio_engine"
  fi
  # shellcheck disable=SC2086  # a list of files
  compile gpio_engine spec/bench/gpio/engine.c -std=c17 -D_GNU_SOURCE -flto=auto -I. $sources
}

setup_icarus() {
  source=spec/bench/peers/icarus_divider.v
  if ! command -v iverilog >/dev/null; then
    skip "icarus" "it is not installed (apt-get install iverilog)"
  elif [ ! -e "$out/icarus_divider" ] || [ -n "$(find $source -newer "$out/icarus_divider")" ]; then
    iverilog -g2005 -o "$out/icarus_divider" $source || skip "icarus" "iverilog fails"
  fi
}

setup_python
setup_node
setup_engine
setup_icarus
command -v wrk >/dev/null || skip "wrk" "it is not installed (apt-get install wrk)"
compile_loads
lua=$(for name in lua-5.4 lua5.4 lua54; do pkg-config --exists $name && echo $name && break; done)
if [ -n "$lua" ]; then
  # shellcheck disable=SC2046  # the flags are words
  compile lua_switch spec/bench/peers/lua_switch.c $(pkg-config --cflags --libs "$lua")
else
  skip "lua_switch" "pkg-config does not find Lua 5.4 (apt-get install liblua5.4-dev pkg-config)"
fi
if pkg-config --exists libuv 2>/dev/null; then
  # shellcheck disable=SC2046  # the flags are words
  compile libuv_echo spec/bench/peers/libuv_echo.c $(pkg-config --cflags --libs libuv)
else
  skip "libuv_echo" "pkg-config does not find libuv (apt-get install libuv1-dev pkg-config)"
fi
