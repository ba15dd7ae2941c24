# SPDX-License-Identifier: GPL-2.0
"""Tests that need no guest of the suite: the tests of crates, and commands that print KTAP."""

import os
import re
import shlex
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import children, ktap, slots
from .place import TESTS, TOP

LINES_SHOWN = 40
SUMMARY = re.compile(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored")


@dataclass(frozen=True)
class Test:
    """`cargo test` runs in the folder `crate`, if there is one. Otherwise `command` prints KTAP."""

    name: str
    crate: Path | None = None
    command: tuple[str, ...] = ()

    def is_of(self, paths: Sequence[str]) -> bool:
        """Does it test a crate that has one of these files or folders?"""
        return self.crate is not None and any((TOP / path).is_relative_to(self.crate) for path in paths)


@dataclass(frozen=True)
class Ran:
    """The result of a test. `shown` helps whoever has to repair it."""

    outcome: ktap.Outcome
    seconds: float
    cpu: float
    shown: tuple[str, ...] = ()


def local() -> list[Test]:
    """Returns the tests of crates and the scripts of the host, as `make host-test` runs them."""
    crates = {"words": "rust/words", "policy": "rust/policy", "tool": "tool"}
    tests = [Test(name, crate=TOP / folder) for name, folder in crates.items()]
    tests += [Test("suite", command=(str(TOP / "qemu" / "suite-test.py"),))]
    return tests + [Test(path.stem, command=(str(path),)) for path in sorted((TESTS / "host").glob("*.sh"))]


def around() -> list[Test]:
    """Returns what else `make test` runs: the checks, the harness's own tests, and a killed guest."""
    return [
        Test("check", command=(str(TOP / "scripts" / "check" / "check.sh"),)),
        Test("kill", command=(str(TOP / "qemu" / "kill-test.sh"),)),
        Test("selftest", command=(str(TOP / "qemu" / "selftest.sh"),)),
    ]


def cargo_target() -> str:
    """Returns the cache's folder for what cargo builds (scripts/lib/lib.sh)."""
    script = f'. {shlex.quote(str(TOP / "scripts" / "lib" / "lib.sh"))}; cargo_target'
    return subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout.strip()


def cargo_outcome(text: str, code: int) -> ktap.Outcome:
    """Returns the sums of cargo test. It is a failure if there is no `test result:` line at all."""
    passed = failed = skipped = 0
    for match in SUMMARY.finditer(text):
        passed += int(match[1])
        failed += int(match[2])
        skipped += int(match[3])
    problem = ""
    if not passed and not failed:
        problem = "no test ran"
    elif code and not failed:
        problem = f"cargo test ended with exit code {code}"
    return ktap.Outcome(passed, failed + bool(problem), skipped, 0, problem)


def run(test: Test, folder: Path) -> Ran:
    """Runs a test in the caller's slot. Its output goes to FOLDER/NAME.log or NAME.ktap."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    environment = {**os.environ, slots.HELD: "1"}
    if test.crate:
        log = folder / f"{test.name}.log"
        environment["CARGO_TARGET_DIR"] = cargo_target()
        with log.open("w", encoding="utf-8") as out:
            code, cpu = children.wait(children.start(["cargo", "test", "--locked"], out, out, test.crate, environment))
        text = log.read_text(encoding="utf-8", errors="replace")
        outcome = cargo_outcome(text, code)
        shown = text.splitlines()[-LINES_SHOWN:]
    else:
        log = folder / f"{test.name}.ktap"
        errors = folder / f"{test.name}.ktap.err"
        with log.open("w", encoding="utf-8") as out, errors.open("w", encoding="utf-8") as err:
            out.write(f"# begin {test.name}\n")
            out.flush()
            code, cpu = children.wait(children.start(test.command, out, err, environment=environment))
        with log.open("a", encoding="utf-8") as out:
            # The last line of the output may not be complete.
            out.write(f"\n# end {test.name} rc={code} seconds={time.monotonic() - began:.0f}\n")
        part = log.read_text(encoding="utf-8", errors="replace").splitlines()
        outcome = ktap.outcome(part, test.name)
        said = errors.read_text(encoding="utf-8", errors="replace").splitlines()
        shown = ktap.failures(part) + [f"# {line}" for line in said[-LINES_SHOWN:]]
    return Ran(outcome, time.monotonic() - began, cpu, tuple(shown) if outcome.failed else ())


