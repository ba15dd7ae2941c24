#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Prometheus' own tool checks what `reclaimwb export` writes and what is in
# scripts/package/monitoring, and systemd's checks the units. (promtool is in Debian's package
# prometheus, which is fetched and unpacked, but not installed.)
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"
# shellcheck source=lib/tool.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/tool.sh"

monitoring=$TOP/scripts/package/monitoring
why=
promtool=$(command -v promtool) || {
	if dir=$(host_lib deb_extract prometheus 2>"$scratch/fetch.log"); then
		promtool=$dir/usr/bin/promtool
		"$promtool" --version >/dev/null 2>&1 || why="Debian's promtool does not run here"
	else
		why="no promtool: $(tail -n1 "$scratch/fetch.log")"
	fi
}

# with_promtool passes|fails NAME COMMAND...
with_promtool() {
	if [ -n "$why" ]; then
		ktap_test_skip "$2: $why"
	else
		"$@"
	fi
}

check_metrics() { "$promtool" check metrics <"$1"; }

# units [SED]: makes the units as they would be installed, but with the command where it is here.
units() {
	mkdir -p "$scratch/units"
	for unit in service timer; do
		sed "s,/usr/bin/reclaimwb,$tool,;${1:-}" "$monitoring/reclaimwb-export.$unit" \
			>"$scratch/units/reclaimwb-export.$unit"
	done
}

# systemd-analyze says what is wrong, and succeeds all the same.
verify() {
	local said
	said=$(systemd-analyze verify --man=no "$scratch/units/reclaimwb-export.timer" \
		"$scratch/units/reclaimwb-export.service" 2>&1) && [ -z "$said" ] && return
	echo "$said"
	return 1
}

snapshots=("$fixtures"/*.json)

ktap_print_header
ktap_set_plan $((${#snapshots[@]} + 9))

for snapshot in "${snapshots[@]}"; do
	name=$(basename "$snapshot" .json)
	"$tool" export --prometheus --cgroups -o "$scratch/$name.prom" "$snapshot"
	with_promtool passes "promtool takes the export of $name" check_metrics "$scratch/$name.prom"
done

# The checks can fail.
sed '0,/^# HELP /{/^# HELP /d}' "$scratch/stalls.prom" >"$scratch/no-help.prom"
with_promtool fails "a family without help is found" check_metrics "$scratch/no-help.prom"
sed 's/^reclaimwb_stack_size_bytes .*/& x/' "$scratch/stalls.prom" >"$scratch/broken.prom"
with_promtool fails "a broken line is found" check_metrics "$scratch/broken.prom"

with_promtool passes "promtool takes the alert rules" "$promtool" check rules "$monitoring/alerts.yml"
with_promtool passes "each alert fires where it should, and only there" \
	"$promtool" test rules "$monitoring/alerts_test.yml"
cp "$monitoring/alerts_test.yml" "$scratch"
sed 's/> 0\.01$/> 0.001/' "$monitoring/alerts.yml" >"$scratch/alerts.yml"
with_promtool fails "an alert that fires too early is found" "$promtool" test rules "$scratch/alerts_test.yml"
sed 's/> 0\.01$/> 0.1/' "$monitoring/alerts.yml" >"$scratch/alerts.yml"
with_promtool fails "an alert that fires too late is found" "$promtool" test rules "$scratch/alerts_test.yml"

if command -v systemd-analyze >/dev/null; then
	units
	passes "systemd takes the units" verify
	units 's/^Type=oneshot/Type=oneshoot/'
	fails "a broken unit is found" verify
else
	ktap_test_skip "systemd takes the units: no systemd-analyze"
	ktap_test_skip "a broken unit is found: no systemd-analyze"
fi

refuses_in_words() {
	! "$tool" export --prometheus --debugfs "$scratch/none" -o "$scratch/stalls.prom" 2>"$scratch/said" &&
		grep -q 'not loaded' "$scratch/said" && check_unchanged
}
check_unchanged() { "$tool" export --prometheus --cgroups "$fixtures/stalls.json" | cmp - "$scratch/stalls.prom"; }
passes "without the module the old file stays, and the message says why" refuses_in_words

ktap_finished
