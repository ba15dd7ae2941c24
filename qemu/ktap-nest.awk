# SPDX-License-Identifier: GPL-2.0
# cat *.ktap | awk -f ktap-nest.awk: the guests' KTAP, script by script between `# begin` and
# `# end` lines, as one KTAP document with a subtest for each script: what KernelCI and the
# kernel's own tools/testing/kunit/kunit.py read as a whole. As with ktap-sum.awk a script
# that has no plan, no end, or fewer results than planned has not passed.

function close_script(verdict) {
	if (name == "")
		return
	scripts++
	if (!skip_all)
		body = body "    KTAP version 1\n    # Subtest: " name "\n" lines
	if (skip_all && rc == 4)
		verdict = "ok " scripts " " name " # SKIP " reason
	else if (ended && rc == 4 && !failed && results == plan)
		verdict = "ok " scripts " " name " # SKIP"
	else if (ended && rc == 0 && planned && results == plan && !failed)
		verdict = "ok " scripts " " name
	else
		verdict = "not ok " scripts " " name
	body = body verdict "\n"
	name = ""
}

/^# begin / {
	close_script()
	name = $3
	lines = reason = ""
	planned = plan = results = failed = ended = rc = skip_all = 0
	next
}
name == "" { next }
index($0, "# end " name " rc=") == 1 {
	ended = 1
	match($0, / rc=[0-9]+/)
	rc = substr($0, RSTART + 4, RLENGTH - 4) + 0
	close_script()
	next
}
/^(K?TAP version )/ { next }
/^1\.\.[0-9]+/ {
	planned = 1
	plan = substr($0, 4) + 0
	if (plan == 0) {
		skip_all = 1
		reason = $0
		sub(/^[^#]*# *(SKIP)? */, "", reason)
	}
}
/^(not )?ok( |$)/ {
	results++
	if ($1 == "not")
		failed++
}
# What is neither plan nor result is for people.
!/^(1\.\.[0-9]|(not )?ok( |$)|#)/ { $0 = "# " $0 }
{ lines = lines "    " $0 "\n" }

END {
	close_script()
	printf "KTAP version 1\n1..%d\n%s", scripts, body
}
