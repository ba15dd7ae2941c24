#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module's KUnit suite, which a kernel with KUNIT=y runs at load.
# guards: rust/tests.rs rust/tests/ rust/policy/ rust/probes/
# faults: memory lifetime
# variants: debug
# append: kunit.enable=1 kunit.autorun=1 kmemleak=on
# disk: 256M (for module/leaks.sh)
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
have_config KUNIT || skip_all "no CONFIG_KUNIT"
start_test 27 "KUnit suites"
# The tests of handoff expect its default mode.
load_mod handoff=always

# suite_said NAME: what the suite wrote to the console.
suite_said()
{
	console_since | sed 's/^\[[^]]*\] //' | awk -v suite="$1" '
		/^    # Subtest: / { on = $NF == suite }
		on { print }
		/^(not )?ok / { on = 0 }'
}

# Some kernels keep the results in debugfs while the module is loaded.
for suite in reclaimwb reclaimwb_helper reclaimwb_handoff reclaimwb_stalls \
		reclaimwb_reserves reclaimwb_nbd reclaimwb_batches reclaimwb_again \
		reclaimwb_cgroups; do
	results=/sys/kernel/debug/kunit/$suite/results
	if [ ! -e "$results" ]; then
		results=$TMP/kunit
		suite_said "$suite" > "$results"
	fi
	check_num "$suite: cases passed" "$(grep -cE '^ +ok [0-9]+ ' "$results")" -gt 0
	check_eq "$suite: cases failed" "$(grep -cE '^ *not ok ' "$results")" 0
	check "$suite: the suite passed" grep -qE "^ok [0-9]+ $suite\$" "$results"
done

finish
