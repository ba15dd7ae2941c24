# SPDX-License-Identifier: GPL-2.0
# awk -v script=NAME -f ktap-sum.awk ktap.log: what NAME's part of a guest's KTAP
# stream amounts to, as one line
#	PASSED FAILED SKIPPED SECONDS PROBLEM
# PROBLEM is "-" or says what makes the output itself unfit to be believed; it
# counts as one more failure. Nothing at all is such a problem, so that no empty
# log ever passes. Only unindented lines count: nested tests answer to theirs.

function problem(text) { if (why == "") why = text }

$0 == "# begin " script { begun = inside = 1; next }
!inside { next }
index($0, "# end " script " rc=") == 1 {
	ended = 1
	inside = 0
	match($0, / rc=[0-9]+/)
	rc = substr($0, RSTART + 4, RLENGTH - 4) + 0
	if (match($0, / seconds=[0-9]+/))
		seconds = substr($0, RSTART + 9, RLENGTH - 9) + 0
	next
}
/^1\.\.[0-9]+/ {
	plans++
	split(substr($0, 4), word, " ")
	plan = word[1] + 0
	if (plan == 0 && toupper($0) ~ /# *SKIP/)
		skip_all = 1
	next
}
/^(not )?ok( |$)/ {
	bad = /^not /
	number = bad ? $3 : $2
	results++
	if (number !~ /^[0-9]+$/)
		problem("a result without a number: " $0)
	else if (number + 0 != results)
		problem("result " results " has the number " number)
	if (bad)
		failed++
	else if (toupper($0) ~ /# *SKIP/)
		skipped++
	else
		passed++
	next
}
/^Bail out!/ { problem($0) }

END {
	if (!begun)
		problem("did not run")
	else if (!ended)
		problem("did not end")
	else if (rc == 124)
		problem("took too long and was killed")
	if (begun && !plans)
		problem("no plan")
	if (plans > 1)
		problem(plans " plans")
	if (skip_all && !results)
		skipped++
	else if (plans && results != plan)
		problem(results + 0 " of " plan " planned results")
	else if (begun && !results)
		problem("no result")
	if (ended && rc != 0 && rc != 4 && !failed)
		problem("exit code " rc)
	if (ended && rc == 4 && passed)
		problem("exit code 4 says skipped, but " passed " passed")
	if (why != "")
		failed++
	printf "%d %d %d %d %s\n", passed, failed, skipped, seconds, why == "" ? "-" : why
}
