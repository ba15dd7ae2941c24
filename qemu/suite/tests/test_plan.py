# SPDX-License-Identifier: GPL-2.0
"""Tiers, shards, guests."""

import random
import unittest

from suite import header, plan, profile
from suite.place import Wrong


def unit(name: str, seconds: float = 10, kernel: str = "base", head: str = "") -> plan.Unit:
    return plan.Unit(kernel, name, seconds, header.parse(name, head))


class Tiers(unittest.TestCase):
    """Which kernels a scenario runs on."""

    debian = header.DISTRIBUTION

    def on(self, head: str, tier: str) -> list[str]:
        return plan.kernels(header.parse("t.sh", head), tier)

    def test_change_is_where_faults_show(self) -> None:
        self.assertEqual(self.on("# faults: lifetime\n", "change"), ["debug"])
        self.assertEqual(self.on("# faults: books report\n", "change"), ["base"])
        self.assertEqual(self.on("# faults: books locking\n", "change"), ["base", "debug"])
        self.assertEqual(self.on("# faults: data\n", "change"), ["base"])
        self.assertEqual(self.on("# faults: data locking\n", "change"), ["debug"])
        self.assertEqual(self.on("# faults: report built-in\n", "change"), ["base", "base-nbd"])
        self.assertEqual(self.on("# faults: report unpatched\n", "change"), ["base", "debian"])

    def test_all_is_wherever_it_can_run(self) -> None:
        self.assertEqual(self.on("# faults: lifetime\n", "all"), ["base-btrfs", *self.debian, "debug-xfs"])
        self.assertEqual(self.on("# faults: books\n# variants: base\n", "all"), ["base-btrfs", *self.debian])
        self.assertEqual(self.on("# faults: books built-in\n", "all"), ["base-btrfs", "base-nbd", *self.debian, "debug-xfs"])

    def test_the_helper_is_not_for_debian(self) -> None:
        for need in ("need_helper", "need_handoff"):
            self.assertEqual(self.on(f"# faults: books\n. lib/test.sh\n{need}\n", "all"), ["base-btrfs", "debug-xfs"])

    def test_one_for_the_large_tier(self) -> None:
        self.assertEqual(self.on("# faults: books\n# tier: all (why)\n", "change"), [])
        self.assertEqual(self.on("# faults: books\n# tier: all (why)\n", "all"), ["base-btrfs", *self.debian, "debug-xfs"])
        self.assertEqual(self.on("# faults: books\n# variant-skip: debug (why)\n", "all"), ["base-btrfs", *self.debian])

    def test_nowhere(self) -> None:
        with self.assertRaisesRegex(Wrong, "show on debug, where it cannot run"):
            self.on("# faults: locking\n# variants: base\n", "change")

    def test_unknown(self) -> None:
        with self.assertRaisesRegex(Wrong, "no tier 'most'"):
            self.on("# faults: books\n", "most")


class Shards(unittest.TestCase):
    """Parts of a whole."""

    def test_they_are_the_whole_and_do_not_overlap(self) -> None:
        chance = random.Random(16)
        for of in (1, 2, 3, 7):
            units = [unit(f"{n}.sh", chance.uniform(1, 300), chance.choice(["base", "debug"])) for n in range(60)]
            parts = [plan.shard(units, number, of) for number in range(1, of + 1)]
            names = [(one.kernel, one.name) for part in parts for one in part]
            self.assertEqual(sorted(names), sorted((one.kernel, one.name) for one in units))
            loads = [sum(one.seconds for one in part) for part in parts]
            self.assertLess(max(loads) - min(loads), 300)

    def test_the_order_they_come_in_does_not_matter(self) -> None:
        units = [unit(f"{n}.sh", n % 5) for n in range(20)]
        self.assertEqual(plan.shard(units, 2, 3), plan.shard(list(reversed(units)), 2, 3))

    def test_out_of_range(self) -> None:
        for number, of in ((0, 2), (3, 2), (1, 0)):
            with self.assertRaises(Wrong):
                plan.shard([], number, of)


class Guests(unittest.TestCase):
    """Who shares one."""

    def names(self, units: list[plan.Unit], split: bool = True) -> list[list[str]]:
        return [[one.name for one in guest.units] for guest in plan.guests(units, split)]

    def test_equal_needs_share(self) -> None:
        units = [unit("a.sh", head="# mem: 1G\n"), unit("b.sh"), unit("c.sh", head="# mem: 1G\n")]
        self.assertEqual(sorted(self.names(units)), [["a.sh", "c.sh"], ["b.sh"]])

    def test_a_kernel_each(self) -> None:
        self.assertEqual(sorted(self.names([unit("a.sh"), unit("a.sh", kernel="debug")])), [["a.sh"], ["a.sh"]])

    def test_a_server_in_two_ways_does_not(self) -> None:
        units = [unit("a.sh", head="# nbd: slow\n"), unit("b.sh", head="# nbd: slow:rate=1M\n"), unit("c.sh", head="# nbd: fast slow\n")]
        self.assertEqual(sorted(self.names(units)), [["a.sh", "c.sh"], ["b.sh"]])

    def test_the_long_are_dealt_out(self) -> None:
        for kernel in ("base", "debug"):
            units = [unit(f"{n}.sh", 50, kernel=kernel) for n in range(24)]
            dealt = self.names(units)
            self.assertEqual(len(dealt), 24 * 50 / plan.guest_seconds(kernel))
            self.assertEqual(sorted(name for hand in dealt for name in hand), sorted(f"{n}.sh" for n in range(24)))

    def test_named_ones_keep_their_order(self) -> None:
        units = [unit("b.sh", 900), unit("a.sh", 1), unit("c.sh", 900)]
        self.assertEqual(self.names(units, split=False), [["b.sh", "a.sh", "c.sh"]])

    def test_the_longest_first(self) -> None:
        units = [unit("a.sh", 5), unit("b.sh", 90, head="# mem: 1G\n")]
        self.assertEqual(self.names(units), [["b.sh"], ["a.sh"]])


class Starts(unittest.TestCase):
    """Which job is started where a slot is free."""

    def test_the_longest(self) -> None:
        self.assertEqual(plan.start_next([True, False, True], 0, 2), 0)
        self.assertEqual(plan.start_next([False, True], 2, 2), 0)

    def test_no_more_hungry_ones_than_cores(self) -> None:
        self.assertEqual(plan.start_next([True, True, False, False], 1, 2), 0)
        self.assertEqual(plan.start_next([True, True, False, False], 2, 2), 2)

    def test_a_slot_is_not_left_empty(self) -> None:
        self.assertEqual(plan.start_next([True, True], 2, 2), 0)

    def test_who_is_hungry(self) -> None:
        hungry = [kernel for kernel in ("base", "base-nbd", "base-btrfs", "debian", "debian-7.2", "debug", "debug-xfs", plan.HOST) if plan.is_hungry(kernel)]
        self.assertEqual(hungry, ["debug", "debug-xfs", plan.HOST])


class Weights(unittest.TestCase):
    """From the profile."""

    def test_round_trip(self) -> None:
        rows = [("base", "a.sh", profile.Cost(3, 2.5)), ("debug", "a.sh", profile.Cost(9, 8))]
        read = profile.parse(profile.table(rows), "p")
        self.assertEqual(read, {(kernel, name): cost for kernel, name, cost in rows})

    def test_known_and_unknown(self) -> None:
        known = {("base", "a.sh"): profile.Cost(42, 1)}
        self.assertEqual(profile.weight(known, "base", "a.sh", 300), 42)
        self.assertGreater(profile.weight(known, "debug", "a.sh", 300), profile.weight(known, "base", "b.sh", 300))
        self.assertEqual(profile.weight(known, "debian-7.2", "a.sh", 300), 42)
        self.assertEqual(profile.weight(known, "debug-xfs", "a.sh", 300), profile.weight(known, "debug", "a.sh", 300))

    def test_no_table(self) -> None:
        with self.assertRaisesRegex(Wrong, "p:1: not KERNEL SCRIPT SECONDS CPU"):
            profile.parse("base a.sh many 1\n", "p")
