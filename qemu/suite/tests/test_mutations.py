# SPDX-License-Identifier: GPL-2.0
"""Tests of the list of changes that scripts/measure/mutate-module.sh makes to the module."""

import unittest

from suite import header
from suite.mutations import mutations
from suite.place import TESTS, TOP


class InTheTree(unittest.TestCase):
    """The list as it is. Each run of it takes hours, so what is wrong must show before."""

    every = mutations()

    def test_each_has_a_name_of_its_own(self) -> None:
        names = [one.name for one in self.every]
        self.assertEqual(sorted(names), sorted(set(names)))

    def test_the_lines_are_there_once(self) -> None:
        counts = {one.name: (TOP / one.file).read_text(encoding="utf-8").count(one.old) for one in self.every}
        self.assertEqual({name: count for name, count in counts.items() if count != 1}, {})

    def test_each_changes_something(self) -> None:
        self.assertEqual([one.name for one in self.every if one.old == one.new], [])

    def test_each_scenario_guards_what_is_changed(self) -> None:
        wrong = [
            (one.name, script)
            for one in self.every
            for script in one.scenarios or ["none"]
            if not (TESTS / script).is_file() or not header.read(script).guards_any([one.file])
        ]
        self.assertEqual(wrong, [])

    def test_each_scenario_runs_on_base(self) -> None:
        scripts = {script for one in self.every for script in one.scenarios}
        self.assertEqual([script for script in sorted(scripts) if not header.read(script).can_run_on("base")], [])
