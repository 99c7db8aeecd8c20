#!/bin/sh
# Runs avahi and a system bus of its own, on a machine which has nothing but its loopback, until its input ends.
# Prints `PID n`, whose network others may join, then `ready`. The bus is at FOLDER/bus.
#
# usage: unshare -n -m avahi.sh FOLDER
set -eu
folder=$1
mount -t tmpfs tmpfs /run
ip link set lo up multicast on

cat >"$folder/bus.conf" <<END
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=$folder/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow user="*"/>
  </policy>
</busconfig>
END

cat >"$folder/avahi.conf" <<END
[server]
host-name=avahihost
use-ipv6=no
allow-interfaces=lo
[publish]
publish-workstation=no
publish-hinfo=no
END

export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$folder/bus"
echo "PID $$"
dbus-daemon --config-file="$folder/bus.conf" --nofork --print-address=3 3>"$folder/address" 2>/dev/null &
bus=$!
mkdir -p /run/avahi-daemon
# The bus is there when its address is.
while [ ! -s "$folder/address" ]; do sleep 0.05; done
avahi-daemon --no-drop-root --no-chroot --no-rlimits --no-proc-title -f "$folder/avahi.conf" >"$folder/log" 2>&1 &
avahi=$!
trap 'kill $avahi $bus; exit' TERM
while ! grep -q 'startup complete' "$folder/log"; do
  kill -0 $avahi || { cat "$folder/log"; kill $bus; exit 1; }
  sleep 0.05
done
echo ready
cat
kill $avahi $bus
