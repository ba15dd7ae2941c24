#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the unit tests of the suite's runner (suite/tests/), as KTAP. Words choose tests by name."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True


def flat(tests: unittest.TestSuite) -> list[unittest.TestCase]:
    """Returns the tests of a suite of suites."""
    found: list[unittest.TestCase] = []
    for test in tests:
        found += flat(test) if isinstance(test, unittest.TestSuite) else [test]
    return found


def main(words: list[str]) -> int:
    """Runs the tests one by one: unittest's own runner does not know KTAP."""
    here = Path(__file__).resolve().parent
    found = flat(unittest.defaultTestLoader.discover(str(here / "suite" / "tests"), top_level_dir=str(here)))
    tests = [test for test in found if not words or any(word in test.id() for word in words)]
    print(f"KTAP version 1\n1..{len(tests)}")
    failed = 0
    for number, test in enumerate(tests, 1):
        result = unittest.TestResult()
        test.run(result)
        for _, trace in result.failures + result.errors:
            print("\n".join(f"# {line}" for line in trace.splitlines()))
        well = result.wasSuccessful()
        failed += not well
        print(f"{'ok' if well else 'not ok'} {number} {test.id().removeprefix('suite.tests.')}")
    return 1 if failed or not tests else 0


sys.exit(main(sys.argv[1:]))
