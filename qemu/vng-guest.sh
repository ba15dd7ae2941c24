#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For a guest of virtme-ng this does what init.c does in our own guest (vng.sh starts it): it runs
# the scripts between markers, looks at the kernel log, and gives the verdict.
set -u
# shellcheck source=/dev/null
. "$1"
top=$(cd "$(dirname "$0")/.." && pwd)
failures=0
exec >>"$RWB_RESULTS/ktap.log"

# The network is QEMU's user network, as in init.c. The machine may have neither ip nor a DHCP
# client.
for command in 'link set lo up' 'addr add 10.0.2.15/24 dev eth0' 'link set eth0 up' 'route add default via 10.0.2.2'; do
	# shellcheck disable=SC2086 # words
	"$RWB_BUSYBOX" ip $command || echo "# network: 'ip $command' failed"
done
# The kernel modules are in one folder, where the scripts look for them.
mount -t tmpfs tmpfs /lib/modules && mkdir -p "/lib/modules/$(uname -r)" &&
	mount --bind "$RWB_KERNEL_MODULES" "/lib/modules/$(uname -r)" || echo "# no kernel modules: cannot mount /lib/modules"
for fs in debugfs:/sys/kernel/debug tracefs:/sys/kernel/tracing; do
	mountpoint -q "${fs#*:}" || mount -t "${fs%%:*}" "${fs%%:*}" "${fs#*:}"
done
echo on >/proc/sys/kernel/printk_devkmsg

for name in $RWB_RUN; do
	limit=$(sed -n '/^[^#]/q; s/^# timeout: \([0-9]*\)$/\1/p' "$top/tests/$name")
	echo "# begin $name"
	echo "rwb-init: begin $name" >/dev/kmsg
	start=$(cut -d. -f1 /proc/uptime)
	rc=0
	(cd "$top/tests" && timeout -k 5 "${limit:-180}" "./$name") </dev/null || rc=$?
	echo "# end $name rc=$rc seconds=$(($(cut -d. -f1 /proc/uptime) - start))"
	[ $rc = 0 ] || [ $rc = 4 ] || failures=1
done

rc=0
echo "# begin init"
echo "1..1"
dmesg >"$RWB_RESULTS/dmesg.txt"
if bad=$(grep -E -f "$top/qemu/console-badness.txt" "$RWB_RESULTS/dmesg.txt"); then
	echo "$bad" | sed 's/^/# kernel log: /'
	echo "not ok 1 kernel log has no bad line"
	rc=1 failures=1
else
	echo "ok 1 kernel log has no bad line"
fi
echo "# end init rc=$rc"
echo "done $failures" >"$RWB_RESULTS/verdict"
