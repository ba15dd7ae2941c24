#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# nbd is a module. Its probe waits for it, attaches when it is loaded, lets it go, and attaches
# again.
# guards: rust/control/probes.rs rust/kernel_ext/tracepoint.rs rust/kernel_ext/symbol.rs
# faults: lifetime locking
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
[ ! -d /sys/module/nbd ] || [ -e /sys/module/nbd/refcnt ] || skip_all "nbd is built in"
[ -e "/lib/modules/$(uname -r)/nbd.ko" ] || modinfo nbd > /dev/null 2>&1 ||
	skip_all "no nbd module"
start_test 13 "a probe on a module that comes and goes"

[ ! -d /sys/module/nbd ] || unload_mod nbd
check_not "nbd is not loaded" test -d /sys/module/nbd
load_mod
PROBE=probe.nbd_send_request
waiting()
{
	row status "$PROBE" | grep -q '^waiting'
}
attached()
{
	[ "$(row status "$PROBE")" = attached ]
}
# The same for the function probe in the driver.
function_is()
{
	[ "$(row status fprobe.nbd_queue_rq)" = "$1" ]
}
check "the probe waits" waiting
check "so does that on its function" function_is waiting
check "nbd loads" kmod nbd
check "the probe attached" loop_until 100 attached
check "so did that on its function" function_is attached
check "nbd unloads under the probe" unload_mod nbd
check "the probe waits again" loop_until 100 waiting
check "so does that on its function" function_is waiting
check "nbd loads again" kmod nbd
check "the probe attached again" loop_until 100 attached
check "so did that on its function" function_is attached
check "our module unloads while nbd stays" unload_mod

finish
