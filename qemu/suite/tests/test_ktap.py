# SPDX-License-Identifier: GPL-2.0
"""KTAP: which output is trusted, and which is not."""

import unittest

from suite import ktap

BEGIN = "# begin t.sh"
END = "# end t.sh rc=0 seconds=7"


def outcome(*lines: str) -> ktap.Outcome:
    return ktap.outcome(ktap.section(lines, "t.sh"), "t.sh")


class Problems(unittest.TestCase):
    """Output that cannot be trusted is one more failure."""

    def says(self, problem: str, *lines: str, passed: int = 0, failed: int = 1) -> None:
        what = outcome(*lines)
        self.assertEqual((what.problem, what.passed, what.failed), (problem, passed, failed))

    def test_empty_log(self) -> None:
        self.says("did not run", "")

    def test_log_of_another(self) -> None:
        self.says("did not run", "# begin u.sh", "1..1", "ok 1 a", "# end u.sh rc=0")

    def test_no_plan(self) -> None:
        self.says("no plan", BEGIN, END)

    def test_plan_alone(self) -> None:
        self.says("0 of 2 planned results", BEGIN, "1..2", END)

    def test_empty_plan(self) -> None:
        self.says("no result", BEGIN, "1..0", END)

    def test_dead_before_its_plan(self) -> None:
        self.says("no plan", BEGIN, "ok 1 a", "ok 2 b", "# end t.sh rc=1 seconds=0", passed=2)
        self.says("did not end", BEGIN, "ok 1 a", "ok 2 b", passed=2)

    def test_fewer_than_the_plan_at_the_end(self) -> None:
        self.says("1 of 2 planned results", BEGIN, "ok 1 a", "1..2", END, passed=1)

    def test_no_end(self) -> None:
        self.says("did not end", BEGIN, "1..1", "ok 1 a", passed=1)

    def test_two_plans(self) -> None:
        self.says("2 plans", BEGIN, "1..1", "1..1", "ok 1 a", END, passed=1)

    def test_too_many(self) -> None:
        self.says("2 of 1 planned results", BEGIN, "1..1", "ok 1 a", "ok 2 b", END, passed=2)

    def test_misnumbered(self) -> None:
        self.says("result 2 has the number 3", BEGIN, "1..2", "ok 1 a", "ok 3 b", END, passed=2)

    def test_no_number(self) -> None:
        self.says("a result without a number: ok", BEGIN, "1..1", "ok", END, passed=1)

    def test_bail_out(self) -> None:
        self.says("Bail out! no more", BEGIN, "1..1", "ok 1 a", "Bail out! no more", END, passed=1)

    def test_exit_code(self) -> None:
        self.says("exit code 3", BEGIN, "1..1", "ok 1 a", "# end t.sh rc=3 seconds=0", passed=1)

    def test_skip_code_beside_a_pass(self) -> None:
        self.says("exit code 4 says skipped, but 1 passed", BEGIN, "1..1", "ok 1 a", "# end t.sh rc=4", passed=1)

    def test_killed(self) -> None:
        self.says("took too long and was killed", BEGIN, "1..1", "ok 1 a", "# end t.sh rc=124", passed=1)

    def test_failure_and_problem_are_two(self) -> None:
        self.says("1 of 2 planned results", BEGIN, "1..2", "not ok 1 a", END, failed=2)


class Counts(unittest.TestCase):
    """What is counted."""

    def test_good(self) -> None:
        what = outcome(BEGIN, "1..3", "ok 1 a", "ok 2 b # SKIP c", "ok 3 d", END)
        self.assertEqual(what, ktap.Outcome(2, 0, 1, 7, ""))

    def test_plan_at_the_end(self) -> None:
        what = outcome(BEGIN, "ok 1 a", "# why", "not ok 2 b", "ok 3 c # SKIP d", "1..3", "# end t.sh rc=1 seconds=7")
        self.assertEqual(what, ktap.Outcome(1, 1, 1, 7, ""))

    def test_failure_with_bad_exit_is_one(self) -> None:
        what = outcome(BEGIN, "1..1", "not ok 1 a", "# end t.sh rc=1 seconds=0")
        self.assertEqual((what.failed, what.problem), (1, ""))

    def test_nested_does_not_count(self) -> None:
        what = outcome(BEGIN, "1..1", "    1..1", "    not ok 1 x", "ok 1 a", END)
        self.assertEqual((what.passed, what.failed, what.problem), (1, 0, ""))

    def test_skipped_as_a_whole(self) -> None:
        what = outcome(BEGIN, "1..0 # SKIP not here", "# end t.sh rc=4 seconds=0")
        self.assertEqual((what.passed, what.failed, what.skipped, what.problem), (0, 0, 1, ""))

    def test_the_end_of_a_longer_name_is_not_ours(self) -> None:
        what = outcome(BEGIN, "1..1", "# end t.sh.more rc=0", "ok 1 a", END)
        self.assertEqual((what.passed, what.problem), (1, ""))


class Chance(unittest.TestCase):
    """What runs again."""

    def test_marked(self) -> None:
        self.assertTrue(ktap.only_by_chance(["# by chance: got 0", "not ok 1 a", "ok 2 b"]))

    def test_one_is_not(self) -> None:
        self.assertFalse(ktap.only_by_chance(["# by chance: got 0", "not ok 1 a", "# got 0", "not ok 2 b"]))

    def test_mark_stands_just_before(self) -> None:
        self.assertFalse(ktap.only_by_chance(["# by chance: got 0", "ok 1 a", "not ok 2 b"]))

    def test_shown_with_the_lines_before(self) -> None:
        told = ktap.failures(["# of the first", "ok 1 a", "# got 0", "not ok 2 b", "ok 3 c"])
        self.assertEqual(told, ["# got 0", "not ok 2 b"])


class Document(unittest.TestCase):
    """A run as one document."""

    def nest(self, *lines: str, earlier: tuple[list[str], ...] = ()) -> list[str]:
        return ktap.document([ktap.Script("t.sh", "t.sh", list(lines), earlier)]).splitlines()

    def test_passed(self) -> None:
        lines = self.nest(BEGIN, "TAP version 13", "1..1", "words", "ok 1 a", END)
        self.assertEqual(
            lines,
            ["KTAP version 1", "1..1", "    KTAP version 1", "    # Subtest: t.sh", "    1..1", "    # words", "    ok 1 a", "ok 1 t.sh"],
        )

    def test_plan_at_the_end_comes_first(self) -> None:
        lines = self.nest(BEGIN, "TAP version 13", "ok 1 a", "1..1", "# Totals", END)
        self.assertEqual(
            lines,
            ["KTAP version 1", "1..1", "    KTAP version 1", "    # Subtest: t.sh", "    1..1", "    ok 1 a", "    # Totals", "ok 1 t.sh"],
        )

    def test_dead_before_its_plan(self) -> None:
        self.assertEqual(self.nest(BEGIN, "ok 1 a", "# end t.sh rc=0 seconds=0")[-1], "not ok 1 t.sh")

    def test_cut_off(self) -> None:
        self.assertEqual(self.nest(BEGIN, "1..1", "ok 1 a")[-1], "not ok 1 t.sh")

    def test_skipped(self) -> None:
        self.assertEqual(self.nest(BEGIN, "1..0 # SKIP not here", "# end t.sh rc=4")[-1], "ok 1 t.sh # SKIP not here")

    def test_an_earlier_try_stays(self) -> None:
        lines = self.nest(BEGIN, "1..1", "ok 1 a", END, earlier=([BEGIN, "1..1", "# by chance: got 0", "not ok 1 a", END],))
        self.assertIn("    # try 1: not ok 1 a", lines)
        self.assertEqual(lines[-1], "ok 1 t.sh")

    def test_split(self) -> None:
        parts = ktap.split(["lost", BEGIN, "1..1", END, "lost", "# begin u.sh"])
        self.assertEqual(parts, [("t.sh", [BEGIN, "1..1", END]), ("u.sh", ["# begin u.sh"])])
