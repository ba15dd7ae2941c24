# SPDX-License-Identifier: GPL-2.0
"""Verdicts, second tries, totals and resumption, with guests that are only played."""

import io
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path

from suite import guest, header, host, ktap, plan, record, run

GOOD = ["1..1", "ok 1 a"]
UNLUCKY = ["1..1", "# by chance: got 0", "not ok 1 a"]
BAD = ["1..1", "# got 0", "not ok 1 a"]


def section(name: str, lines: list[str]) -> list[str]:
    return [f"# begin {name}", *lines, f"# end {name} rc=0 seconds=1"]


class Played(run.Run):
    """A run whose guests say what the test has them say: for each script a list of tries."""

    def __init__(self, out: Path, says: dict[str, list[list[str]]], journal: record.Journal | None = None) -> None:
        super().__init__(out, journal=journal)
        self.says = says
        self.guests_booted: list[list[str]] = []

    def boot(self, kernel, folder, scripts, attempt):  # type: ignore[no-untyped-def]
        self.guests_booted.append([script.name for script in scripts])
        lucky: list[header.Header] = []
        for number, script in enumerate(scripts):
            tries = self.says[script.name]
            lines = tries[min(attempt, len(tries)) - 1]
            if lines == ["panic"]:
                self.report(kernel, folder, guest.Ran(script.name, [f"# begin {script.name}"], 1, 1, "Kernel panic"), attempt)
                return list(scripts[number + 1 :]), lucky
            if self.report(kernel, folder, guest.Ran(script.name, section(script.name, lines), 1, 1), attempt):
                lucky.append(script)
        self.report(kernel, folder, guest.Ran("init", section("init", GOOD), 1, 1), attempt)
        return [], lucky


class Runs(unittest.TestCase):
    """Whole runs."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = Path(self.folder.name)

    def play(self, says: dict[str, list[list[str]]], journal: record.Journal | None = None) -> tuple[Played, int, list[str]]:
        suite = Played(self.out, says, journal)
        suite.prepare("base", afresh=False)
        units = [plan.Unit("base", name, 1, header.parse(name, "")) for name in says]
        told = io.StringIO()
        with redirect_stdout(told):
            for job in plan.guests(units, split=False):
                suite.guests(job)
            code = suite.end(0, stages=False)
        return suite, code, told.getvalue().splitlines()

    def test_good(self) -> None:
        _, code, told = self.play({"a.sh": [GOOD], "b.sh": [GOOD]})
        self.assertEqual((code, told[-1]), (0, "3 passed, 0 failed, 0 skipped"))

    def test_bad_has_no_second_try(self) -> None:
        suite, code, told = self.play({"a.sh": [BAD, GOOD]})
        self.assertEqual((code, told[-1], len(suite.guests_booted)), (1, "1 passed, 1 failed, 0 skipped", 1))
        self.assertIn("       # got 0", told)

    def test_unlucky_runs_again_in_a_new_guest(self) -> None:
        suite, code, told = self.play({"a.sh": [UNLUCKY, GOOD], "b.sh": [GOOD]})
        self.assertEqual(suite.guests_booted, [["a.sh", "b.sh"], ["a.sh"]])
        self.assertEqual((code, told[-2:]), (0, ["1 ran again: a.sh (base)", "4 passed, 0 failed, 0 skipped"]))
        self.assertIn("# try 1: not ok 1 a", (self.out / "base.ktap").read_text())

    def test_unlucky_each_time_has_failed(self) -> None:
        suite, code, told = self.play({"a.sh": [UNLUCKY]})
        self.assertEqual((code, len(suite.guests_booted)), (1, run.TRIES))
        self.assertEqual([line.split()[0] for line in told if line.split()[1:3] == ["base", "a.sh"]], ["again", "again", "FAIL"])

    def test_too_many_unlucky_fail_the_run(self) -> None:
        names = [f"{n}.sh" for n in range(run.MOST_AGAIN + 1)]
        _, code, told = self.play({name: [UNLUCKY, GOOD] for name in names})
        self.assertEqual(code, 1)
        self.assertIn("FAIL more than 3 scripts ran again, which is not chance", told)
        self.assertTrue(told[-1].endswith(" 1 failed, 0 skipped"), told[-1])

    def test_as_many_as_are_allowed_do_not(self) -> None:
        names = [f"{n}.sh" for n in range(run.MOST_AGAIN)]
        _, code, _ = self.play({name: [UNLUCKY, GOOD] for name in names})
        self.assertEqual(code, 0)

    def test_a_panic_is_blamed_and_the_others_go_on(self) -> None:
        suite, code, told = self.play({"a.sh": [GOOD], "b.sh": [["panic"], GOOD], "c.sh": [GOOD]})
        self.assertEqual(suite.guests_booted, [["a.sh", "b.sh", "c.sh"], ["c.sh"]])
        self.assertEqual((code, told[-1]), (1, "3 passed, 1 failed, 0 skipped"))
        self.assertTrue(any(line.startswith("FAIL base     b.sh") and "took the guest down: Kernel panic" in line for line in told))

    def test_a_kernel_that_is_left_out_is_a_skip(self) -> None:
        suite = Played(self.out, {})
        told = io.StringIO()
        with redirect_stdout(told):
            suite.leave_out("debian", "not on offer")
            suite.results.append(record.Result("host", "a", 1, 0, 0, 1, 1))
            code = suite.end(0, stages=True)
        self.assertEqual(code, 0)
        self.assertIn("skip debian: not on offer", told.getvalue().splitlines())
        self.assertEqual(told.getvalue().splitlines()[-1], "1 passed, 0 failed, 1 skipped")

    def test_nothing_is_a_failure(self) -> None:
        _, code, told = self.play({})
        self.assertEqual((code, told[-1]), (1, "0 passed, 1 failed, 0 skipped"))

    def test_a_silent_script_is_a_failure(self) -> None:
        _, code, _ = self.play({"a.sh": [[]]})
        self.assertEqual(code, 1)

    def test_resumption_keeps_what_passed(self) -> None:
        identity = record.Identity("tree", "all", "1/1")
        file = self.out / "results.jsonl"
        self.play({"a.sh": [GOOD], "b.sh": [BAD]}, record.Journal(file, identity))
        self.assertEqual(list(record.passed(file, identity)), [("base", "a.sh")])
        self.assertEqual(record.passed(file, record.Identity("other tree", "all", "1/1")), {})
        with file.open("a", encoding="utf-8") as cut:
            cut.write('{"kernel": "base", "scr')
        self.assertEqual(list(record.passed(file, identity)), [("base", "a.sh")])

    def test_resumption_believes_no_guest_without_verdict(self) -> None:
        identity = record.Identity("tree", "all", "1/1")
        file = self.out / "results.jsonl"
        record.Journal(file, identity).add(record.Result("base", "a.sh", 1, 0, 0, 1, 1, "vm1"))
        self.assertEqual(record.passed(file, identity), {})

    def test_resumption_numbers_guests_anew(self) -> None:
        (self.out / "base" / "vm7-2").mkdir(parents=True)
        suite = Played(self.out, {})
        suite.prepare("base", afresh=False)
        self.assertEqual(suite.numbers["base"], 7)


class Host(unittest.TestCase):
    """Crates and commands."""

    def test_cargo(self) -> None:
        text = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured\ntest result: ok. 2 passed; 0 failed; 0 ignored;\n"
        self.assertEqual(host.cargo_outcome(text, 0), ktap.Outcome(5, 0, 1, 0, ""))

    def test_cargo_without_tests(self) -> None:
        self.assertEqual(host.cargo_outcome("error: it does not build\n", 101), ktap.Outcome(0, 1, 0, 0, "no test ran"))

    def test_cargo_that_ends_badly(self) -> None:
        what = host.cargo_outcome("test result: ok. 3 passed; 0 failed; 0 ignored;\n", 101)
        self.assertEqual((what.failed, what.problem), (1, "cargo test ended with exit code 101"))

    def test_a_command(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            ran = host.run(host.Test("t", command=("sh", "-c", "echo 1..1; printf 'ok 1 a'")), Path(folder))
            self.assertEqual((ran.outcome.passed, ran.outcome.problem), (1, ""))
            ran = host.run(host.Test("t", command=("sh", "-c", "echo 1..1; echo ok 1 a; exit 3")), Path(folder))
            self.assertEqual(ran.outcome.problem, "exit code 3")


class Guest(unittest.TestCase):
    """What vm.sh is told."""

    def test_arguments(self) -> None:
        heads = [header.parse("a.sh", "# nbd: fast\n# mem: 1G\n# disk: 1G 2G\n# timeout: 100\n"), header.parse("b.sh", "# nbd: slow fast\n")]
        args = " ".join(guest.arguments(heads, "debug", 2))
        for wanted in ("--variant debug", "rwb.try=2", "--run a.sh --run b.sh", "--nbd fast --nbd slow", "--disk 1G --disk 2G", "--mem 1G", "--timeout 340"):
            self.assertIn(wanted, args)
