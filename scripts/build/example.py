#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""example.py [REPORT]: put the report that `make demo` left (out/demo/report.txt) into the documents.

Documentation/example.rst gets all of it, README.md and Documentation/overview.rst what they quote:
the summary, the causes of stalls that have a share, and the three longest stalls. What is said of
these in words has to be read over by a person: the lines to look at are printed.
"""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
LONGEST = 3


def fail(why):
    sys.exit(f"error: {why}")


def section(report, heading):
    """The lines of a section, from its heading to the blank line before the next one."""
    begin = next((i for i, line in enumerate(report) if re.match(rf"{heading}(  |$)", line)), None)
    if begin is None:
        fail(f"the report has no section {heading}")
    rules = [i for i, line in enumerate(report) if line and not line.strip("-")]
    end = min((i - 1 for i in rules if i > begin + 1), default=len(report))
    # A heading may have a line of its own for what it is about.
    while report[end - 1].strip() and end > begin + 2:
        end -= 1
    return report[begin:end]


def quotation(report):
    """What README and overview show of it."""
    summary = section(report, "SUMMARY")
    stalls = section(report, "STALLS")
    blank = stalls.index("")
    table = [line for line in stalls[:blank] if "<0.1 %" not in line]
    first = next((i for i, line in enumerate(stalls) if re.match(r"  longest +task ", line)), None)
    if first is None:
        fail("the report has no longest stalls")
    return [*strip(summary), "", *table, "", *stalls[first : first + 1 + LONGEST]]


def strip(lines):
    """Without blank lines at the end."""
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


def indented(lines):
    return "".join(f"    {line}\n" if line else "\n" for line in lines)


def replace(path, begin, lines):
    """The indented block of a document that `begin` leads to."""
    text = path.read_text(encoding="utf-8")
    found = re.search(begin + r"((?:    .*\n|\n)*    .*\n)", text)
    if not found:
        fail(f"{path.name} has no report where one is looked for")
    path.write_text(text[: found.start(1)] + indented(lines) + text[found.end(1) :], encoding="utf-8")


def in_words(path):
    """Lines around the quotation that may have figures of the report."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("    ") and re.search(r"memhog|320 MiB", line):
            print(f"{path.relative_to(TOP)}:{number}: {line}")


def main():
    report = Path(sys.argv[1] if len(sys.argv) > 1 else TOP / "out/demo/report.txt")
    if len(sys.argv) > 2 or not report.is_file():
        fail(f"there is no {report}: make demo" if len(sys.argv) < 3 else "usage: example.py [REPORT]")
    lines = strip([line.rstrip() for line in report.read_text(encoding="utf-8").splitlines()])
    readme, overview = TOP / "README.md", TOP / "Documentation/overview.rst"
    replace(TOP / "Documentation/example.rst", r"\.\. code-block:: text\n\n", lines)
    replace(overview, r"\.\. code-block:: text\n\n(?=    SUMMARY\n)", quotation(lines))
    replace(readme, r"\n\n(?=    SUMMARY\n)", quotation(lines))
    in_words(readme)
    in_words(overview)


main()
