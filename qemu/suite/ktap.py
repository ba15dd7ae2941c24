# SPDX-License-Identifier: GPL-2.0
"""KTAP: what the output of a script means, and a whole run as one document.

A guest's stream has one section for each script, between `# begin NAME` and
`# end NAME rc=N seconds=N`. An empty log is a problem, so that it never passes. Only lines without
indentation count: nested tests have their own results.

    python3 -m suite.ktap nest <STREAM          the stream as one KTAP document
    python3 -m suite.ktap sum SCRIPT <STREAM    PASSED FAILED SKIPPED SECONDS PROBLEM, or -
"""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

RC_SKIP = 4  # kselftest's
RC_TIMEOUT = 124  # timeout(1)'s

BY_CHANCE = "# by chance: "

PLAN = re.compile(r"1\.\.(\d+)")
RESULT = re.compile(r"(not )?ok( |$)")
SKIP = re.compile(r"# *SKIP", re.IGNORECASE)
END = re.compile(r" rc=(\d+)(?: seconds=(\d+))?")


@dataclass(frozen=True)
class Outcome:
    """Counts of results. `problem` says why the output itself cannot be trusted, and counts as one
    of the failures."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: int = 0
    problem: str = ""


@dataclass(frozen=True)
class End:
    """The end of a script."""

    code: int
    seconds: int


def section(lines: Iterable[str], script: str) -> list[str]:
    """Returns the script's part of a stream, with both marks. If there are several, the last one counts."""
    part: list[str] = []
    inside = False
    for line in lines:
        if line == f"# begin {script}":
            part, inside = [], True
        if inside:
            part.append(line)
            inside = not line.startswith(f"# end {script} rc=")
    return part


def end_of(part: Sequence[str], script: str) -> End | None:
    """Returns the end of the script, if the section has it."""
    if not part or not part[-1].startswith(f"# end {script} rc="):
        return None
    match = END.search(part[-1])
    return End(int(match[1]), int(match[2] or 0)) if match else None


def results(part: Iterable[str]) -> list[str]:
    """Returns the lines of a section that are results."""
    return [line for line in part if RESULT.match(line)]


def outcome(part: Sequence[str], script: str) -> Outcome:
    """Returns what a section means."""
    end = end_of(part, script)
    passed = failed = skipped = count = plans = plan = 0
    skip_all = False
    problems: list[str] = []
    for line in part:
        match = PLAN.match(line)
        if match:
            plans += 1
            plan = int(match[1])
            skip_all = skip_all or (plan == 0 and bool(SKIP.search(line)))
            continue
        if line.startswith("Bail out!"):
            problems.append(line)
        if not RESULT.match(line):
            continue
        count += 1
        bad = line.startswith("not ")
        word = line.split()[2 if bad else 1 :][:1]
        if not word or not word[0].isdigit():
            problems.append(f"a result without a number: {line}")
        elif int(word[0]) != count:
            problems.append(f"result {count} has the number {word[0]}")
        if bad:
            failed += 1
        elif SKIP.search(line):
            skipped += 1
        else:
            passed += 1

    if not part:
        problems.append("did not run")
    elif end is None:
        problems.append("did not end")
    elif end.code == RC_TIMEOUT:
        problems.append("took too long and was killed")
    if part and not plans:
        problems.append("no plan")
    if plans > 1:
        problems.append(f"{plans} plans")
    if skip_all and not count:
        skipped += 1
    elif plans and count != plan:
        problems.append(f"{count} of {plan} planned results")
    elif part and not count:
        problems.append("no result")
    if end and end.code not in (0, RC_SKIP) and not failed:
        problems.append(f"exit code {end.code}")
    if end and end.code == RC_SKIP and passed:
        problems.append(f"exit code {RC_SKIP} says skipped, but {passed} passed")
    return Outcome(
        passed,
        failed + bool(problems),
        skipped,
        end.seconds if end else 0,
        problems[0] if problems else "",
    )


def only_by_chance(part: Iterable[str]) -> bool:
    """Is each failed result one that chance decides?"""
    last = ""
    for line in part:
        if RESULT.match(line) and line.startswith("not ") and not last.startswith(BY_CHANCE):
            return False
        last = line
    return True


def failures(part: Iterable[str]) -> list[str]:
    """Returns each failed result, with up to eight comment lines before it."""
    told: list[str] = []
    before: list[str] = []
    for line in part:
        if line.startswith("not ok "):
            told += [*before[-8:], line]
            before = []
        elif RESULT.match(line) or line.startswith("# begin "):
            before = []
        elif line.startswith("#"):
            before.append(line)
    return told


# --- one document


def split(lines: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Returns a stream's sections as (script, lines), without what stands outside of them."""
    parts: list[tuple[str, list[str]]] = []
    inside = False
    for line in lines:
        if line.startswith("# begin "):
            parts.append((line.split()[2], []))
            inside = True
        if inside:
            name, part = parts[-1]
            part.append(line)
            inside = not line.startswith(f"# end {name} rc=")
    return parts


@dataclass(frozen=True)
class Script:
    """A script of a document: the name that is shown, the name in the marks of its section, the
    section, and the sections of its earlier tries."""

    shown: str
    name: str
    part: Sequence[str]
    earlier: Sequence[Sequence[str]] = ()


def subtest(number: int, script: "Script") -> list[str]:
    """Returns a section as a subtest with its result. Earlier tries become comments, so that they can
    be seen. The last try decides."""
    shown, part = script.shown, script.part
    what = outcome(part, script.name)
    skip = next((line for line in part if PLAN.match(line) and line.startswith("1..0")), None)
    if skip is not None and not what.failed:
        reason = re.sub(r"^[^#]*# *(SKIP)? *", "", skip)
        return [f"ok {number} {shown} # SKIP {reason}"]
    end = end_of(part, script.name)
    nested = ["KTAP version 1", f"# Subtest: {shown}"]
    # The plan may stand at the end, where the kernel's parser does not look for it.
    plans = [line for line in part if PLAN.match(line)]
    nested += plans
    for tried, lines in enumerate(script.earlier, 1):
        nested += [f"# try {tried}: {line}" for line in lines if RESULT.match(line) or line.startswith("#")]
    for line in part[1 : -1 if end else None]:
        if re.match(r"K?TAP version ", line) or PLAN.match(line):
            continue
        # Lines that are neither plan nor result are for people.
        fits = RESULT.match(line) or line.startswith("#")
        nested.append(line if fits else f"# {line}")
    verdict = "not ok" if what.failed else "ok"
    skipped = " # SKIP" if end and end.code == RC_SKIP and not what.failed else ""
    return [f"    {line}" for line in nested] + [f"{verdict} {number} {shown}{skipped}"]


def document(scripts: Sequence[Script]) -> str:
    """Returns scripts as one KTAP document, which KernelCI and the kernel's own
    tools/testing/kunit/kunit.py read as a whole."""
    lines = ["KTAP version 1", f"1..{len(scripts)}"]
    for number, script in enumerate(scripts, 1):
        lines += subtest(number, script)
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str]) -> int:
    """The command."""
    if list(argv[:1]) not in (["nest"], ["sum"]) or len(argv) != (1 if argv[0] == "nest" else 2):
        print("usage: python3 -m suite.ktap nest | sum SCRIPT <STREAM", file=sys.stderr)
        return 2
    lines = sys.stdin.read().splitlines()
    if argv[0] == "nest":
        sys.stdout.write(document([Script(name, name, part) for name, part in split(lines)]))
    else:
        what = outcome(section(lines, argv[1]), argv[1])
        print(what.passed, what.failed, what.skipped, what.seconds, what.problem or "-")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
