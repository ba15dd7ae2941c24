# SPDX-License-Identifier: GPL-2.0
"""Heads of scripts: how they are read, and what the heads in the tree say."""

import re
import subprocess
import unittest

from suite import header, plan
from suite.place import TESTS, TOP, Wrong


class Reading(unittest.TestCase):
    """The lines of a head."""

    def test_all(self) -> None:
        head = header.parse(
            "t.sh",
            "#!/bin/sh\n# What it shows: this.\n# guards: rust/helper/ (references)\n# faults: lifetime books\n"
            "# nbd: fast slow:rate=8M\n# mem: 384M\n# disk: 1G 1G\n# timeout: 300\n# variants: base debug\n",
        )
        self.assertEqual(head.guards, ("rust/helper/",))
        self.assertEqual(head.faults, ("lifetime", "books"))
        self.assertEqual(head.nbd, ("fast", "slow:rate=8M"))
        self.assertEqual((head.mem, head.disk, head.timeout), ("384M", ("1G", "1G"), 300))
        self.assertEqual(head.shows_on(), {"base", "debug"})

    def test_only_the_head(self) -> None:
        head = header.parse("t.sh", "# mem: 1G\n\n# smp: 2\nset -u\n# timeout: 7\n")
        self.assertEqual((head.mem, head.smp, head.timeout), ("1G", "2", header.DEFAULT_TIMEOUT))

    def test_not_on(self) -> None:
        head = header.parse("t.sh", "# variant-skip: debug (base is meant)\n")
        self.assertFalse(head.can_run_on("debug"))
        self.assertFalse(head.can_run_on("debug-xfs"))
        self.assertTrue(head.can_run_on("base"))

    def test_what_guards_a_file(self) -> None:
        head = header.parse("t.sh", "# guards: rust/helper/ rust/writes.rs qemu/patches/0002*\n")
        for path in ("rust/helper/worker.rs", "rust/helper", "rust/helper/", "rust/writes.rs", "rust", "qemu/patches/0002-mm.patch"):
            self.assertTrue(head.guards_any([path]), path)
        for path in ("rust/helper.rs", "rust/writes", "qemu/patches/0001-mm.patch"):
            self.assertFalse(head.guards_any([path]), path)

    def test_tier(self) -> None:
        self.assertEqual(header.parse("t.sh", "# tier: all (u.sh has the same)\n").tier, "all")
        for odd in ("all", "change (why)", "night (why)"):
            with self.assertRaisesRegex(Wrong, "tier: "):
                header.parse("t.sh", f"# tier: {odd}\n")

    def test_unknown_fault(self) -> None:
        with self.assertRaisesRegex(Wrong, "faults: bugs: there is lifetime"):
            header.parse("t.sh", "# faults: bugs\n")

    def test_no_number(self) -> None:
        with self.assertRaisesRegex(Wrong, "timeout: long"):
            header.parse("t.sh", "# timeout: long\n")

    def test_find(self) -> None:
        self.assertEqual(header.find(["module/load.sh", "tests/meta/good.sh"]), ["module/load.sh", "meta/good.sh"])
        with self.assertRaisesRegex(Wrong, "^no test 'lode.sh': there is .*module/load.sh"):
            header.find(["lode.sh"])

    def test_find_by_file_name(self) -> None:
        self.assertEqual(header.find(["stuck.sh"]), ["around/stuck.sh"])
        with self.assertRaisesRegex(Wrong, "several tests are named 'slow.sh': handoff/slow.sh stall/slow.sh"):
            header.find(["slow.sh"])
        # A script that is no scenario is found by its folder alone.
        with self.assertRaisesRegex(Wrong, "no test 'good.sh'"):
            header.find(["good.sh"])

    def test_one_of_several_that_is_not_there(self) -> None:
        with self.assertRaisesRegex(Wrong, "no test 'lode.sh'"):
            header.find(["module/load.sh", "lode.sh"])

    def test_scenarios_are_those_whose_head_says_what_they_guard(self) -> None:
        heads = {path: header.comments(path.read_text(encoding="utf-8")) for path in TESTS.glob("*/*.sh")}
        self.assertEqual(header.scenarios(), sorted(str(path.relative_to(TESTS)) for path in heads if "guards" in heads[path]))


class InTheTree(unittest.TestCase):
    """The heads of the scenarios."""

    heads = [header.read(name) for name in header.scenarios()]
    # Scripts in these folders are no scenarios of the suite, except for some in nbd/.
    apart = ("bench", "cost", "demo", "host", "kill", "lib", "meta", "nbd", "oom", "peers", "soak")

    def test_none_is_left_out(self) -> None:
        scripts = {str(path.relative_to(TESTS)) for path in TESTS.glob("**/*.sh")}
        others = {name for name in scripts - set(header.scenarios()) if name.partition("/")[0] not in self.apart}
        self.assertEqual(others, set())

    def test_each_says_what_for(self) -> None:
        silent = [head.name for head in self.heads if not head.guards or not head.faults]
        self.assertEqual(silent, [])

    def test_each_runs_in_its_tiers(self) -> None:
        for head in self.heads:
            for tier in ("change", "all"):
                self.assertEqual(bool(plan.kernels(head, tier)), tier in ("all", head.tier or "change"), head.name)

    def test_few_are_for_the_large_tier_alone(self) -> None:
        self.assertLess(len([head for head in self.heads if head.tier]), len(self.heads) / 8)

    def test_the_small_tier_is_part_of_the_whole(self) -> None:
        for head in self.heads:
            whole = plan.kernels(head, "all")
            whole += [header.like(kernel) for kernel in whole]
            self.assertLessEqual(set(plan.kernels(head, "change")), set(whole), head.name)

    def test_what_covers_those_is_in_the_small_tier(self) -> None:
        for head in self.heads:
            if head.tier:
                reason = header.comments((TESTS / head.name).read_text(encoding="utf-8"))["tier"]
                named = re.findall(r"[a-z0-9/-]+\.sh", reason)
                self.assertTrue(named, head.name)
                self.assertEqual([name for name in named if header.read(name).tier], [], head.name)

    def test_what_is_guarded_is_there(self) -> None:
        missing = [(head.name, path) for head in self.heads for path in head.guards if not list(TOP.glob(path.rstrip("/")))]
        self.assertEqual(missing, [])

    def test_all_of_the_module_is_guarded(self) -> None:
        files = subprocess.run(
            ["git", "-C", TOP, "ls-files", "rust"], check=True, capture_output=True, text=True
        ).stdout.split()
        guarded = {
            str(found.relative_to(TOP))
            for head in self.heads
            for path in head.guards
            for place in TOP.glob(path.rstrip("/"))
            for found in ([place] if place.is_file() else place.rglob("*"))
        }
        # The policy has tests of its own, which run on the host.
        of_the_host = re.compile(r"rust/policy(/|\.rs$)")
        self.assertEqual([name for name in files if name not in guarded and not of_the_host.search(name)], [])

    def test_timeouts_fit_settings(self) -> None:
        limit = int(re.search(r"timeout=(\d+)", (TESTS / "settings").read_text(encoding="utf-8"))[1])  # type: ignore[index]
        self.assertEqual([head.name for head in self.heads if head.timeout > limit], [])
