#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run test scripts in guests, by vm.sh or by virtme-ng, and tests of the host.

  run-tests.py [--variant NAME]... [--with vng] [--out DIR] [TEST...]
      runs these scripts, in this order, in as few guests as possible; without TEST, all
      scenarios that can run on that kernel (base, if none is named)
  run-tests.py --tier change|all [--shard N/M] [--of PATH]... [--resume] [--out DIR]
      runs a tier of the suite (suite/plan.py), or a part of it: a shard, or the scenarios
      that guard these files; --resume resumes a run of the same tree that was cut short;
      --without KERNEL=WHY leaves out a kernel that is not available, and counts it as skipped
  run-tests.py --tier change|all [--shard N/M] --plan | --kernels
      only says what would run, and for how long; only names the kernels that it needs
  run-tests.py --host [NAME COMMAND...]
      runs the tests that need no guest, or one command whose output is KTAP

The first comment lines of a script say what it needs of its guest (suite/header.py). Each script
has one line. A script without plan, end or result is a failure, and so is a guest without a
verdict. The last line is `N passed, N failed, N skipped`. Then DIR (out/test) has
VARIANT/FOLDER-NAME.sh.ktap, VARIANT/vmN/, VARIANT.ktap, which is all of them as one document, and
profile.txt. JOBS= says how many guests run at once.
"""

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from suite import children, guest, header, host, plan, profile, record, run  # noqa: E402
from suite.place import Wrong  # noqa: E402


def arguments() -> argparse.Namespace:
    """What the user wants."""
    parser = argparse.ArgumentParser(usage=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("--variant", action="append", default=[])
    parser.add_argument("--with", dest="way", default="vm")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--tier")
    parser.add_argument("--shard", default="1/1")
    parser.add_argument("--of", action="append", default=[])
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--plan", action="store_true")
    parser.add_argument("--kernels", action="store_true")
    parser.add_argument("--host", action="store_true")
    parser.add_argument("tests", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    if (chosen.plan or chosen.kernels) and not chosen.tier:
        # Without a tier this would run all scenarios.
        raise Wrong("run-tests.py: --plan and --kernels are of a tier: --tier change or --tier all")
    if chosen.way not in ("vm", "vng"):
        raise Wrong(f"run-tests.py: --with {chosen.way}: it can be vm or vng")
    odd = [word for word in chosen.tests if word.startswith("-")]
    if odd and not chosen.host:
        raise Wrong(f"run-tests.py: {odd[0]} must stand before the tests; --help lists what there is")
    return chosen


def shard_of(text: str) -> tuple[int, int]:
    """2/4 as numbers."""
    number, slash, of = text.partition("/")
    if not slash or not number.isdigit() or not of.isdigit():
        raise Wrong(f"SHARD={text}: it must be like 2/4")
    return int(number), int(of)


def tier_units(chosen: argparse.Namespace, without: dict[str, str]) -> tuple[list[plan.Unit], dict[str, host.Test]]:
    """Returns what a part of a tier runs, and the host's tests of it by name."""
    of: list[str] = chosen.of
    known = profile.load()
    tests = {test.name: test for test in [*host.local(), *host.around()]}
    heads = [header.read(name) for name in header.scenarios()]
    if of:
        heads = [head for head in heads if head.guards_any(of)]
        tests = {name: test for name, test in tests.items() if test.is_of(of)}
        if not heads and not tests:
            raise Wrong(f"nothing guards {' '.join(of)}: see '# guards:' in tests/*/*.sh")
    units = [unit for unit in plan.units(heads, chosen.tier, known) if unit.kernel not in without]
    units += [plan.Unit(plan.HOST, name, profile.weight(known, plan.HOST, name, header.DEFAULT_TIMEOUT)) for name in tests]
    return plan.shard(units, *shard_of(chosen.shard)), tests


def show_plan(units: list[plan.Unit]) -> None:
    """Prints guests with their scripts, and sums."""
    for job in plan.guests([unit for unit in units if unit.header]):
        print(f"{job.kernel:<8} {job.seconds:5.0f} s  {' '.join(unit.name for unit in job.units)}")
    for unit in plan.heaviest(unit for unit in units if not unit.header):
        print(f"{unit.kernel:<8} {unit.seconds:5.0f} s  {unit.name}")
    for kernel in sorted({unit.kernel for unit in units}):
        mine = [unit for unit in units if unit.kernel == kernel]
        print(f"{kernel}: {len(mine)} scripts, about {sum(unit.seconds for unit in mine):.0f} s")


def run_tier(chosen: argparse.Namespace, began: float) -> int:
    """Runs a tier, or a part of it."""
    without = dict(word.partition("=")[::2] for word in chosen.without)
    units, tests = tier_units(chosen, without)
    if chosen.plan:
        show_plan(units)
        return 0
    if chosen.kernels:
        # The host's tests check against a kernel.
        print(" ".join(sorted({unit.kernel for unit in units} - {plan.HOST} | {"base"})))
        return 0
    out = chosen.out or run.out_folder("vm")
    file = out / "results.jsonl"
    try:
        identity = record.Identity(record.tree(), chosen.tier, " ".join([chosen.shard, *chosen.of]))
    except Wrong:
        if chosen.resume:
            raise
        identity = None
    kept = record.passed(file, identity) if chosen.resume and identity else {}
    if not kept:
        shutil.rmtree(out, ignore_errors=True)
    suite = run.Run(out, journal=record.Journal(file, identity))
    for kernel, why in without.items():
        suite.leave_out(kernel, why)
    if chosen.resume:
        print(f"resumed: {len(kept)} of {len(units)} scripts have passed" if kept else "nothing to resume: all is run")
    for unit in units:
        done = kept.get((unit.kernel, unit.name))
        if done:
            suite.results.append(done)
    left = [unit for unit in units if (unit.kernel, unit.name) not in kept]
    for kernel in sorted({unit.kernel for unit in units} - {plan.HOST}):
        suite.prepare(kernel, afresh=not kept)
    suite.go(
        plan.guests([unit for unit in left if unit.header]),
        [(unit.seconds, tests[unit.name]) for unit in left if not unit.header],
    )
    return suite.end(began, stages=True)


def run_host(words: list[str], out: Path | None, began: float) -> int:
    """Runs tests of the host, one after the other."""
    suite = run.Run(out or run.out_folder("vm"))
    tests = host.local()
    if words:
        tests = [host.Test(words[0], command=tuple(words[1:]))]
        if len(words) < 2:
            raise Wrong("usage: run-tests.py --host NAME COMMAND...")
    for test in tests:
        suite.test(test)
    return suite.end(began, stages=False)


def run_scripts(chosen: argparse.Namespace, began: float) -> int:
    """Runs scripts that are named, or all, on some kernels."""
    known = profile.load()
    headers = [header.read(name) for name in header.find(chosen.tests)]
    suite = run.Run(chosen.out or run.out_folder(chosen.way), chosen.way)
    units = []
    for kernel in dict.fromkeys(chosen.variant or ["base-vng" if chosen.way == "vng" else "base"]):
        suite.prepare(kernel)
        units += [
            plan.Unit(kernel, one.name, profile.weight(known, kernel, one.name, one.timeout), one)
            for one in headers
            if one.can_run_on(kernel)
        ]
    # Scripts that are named run in that order.
    suite.go(plan.guests(units, split=not chosen.tests), [])
    return suite.end(began, stages=False)


def main() -> int:
    """Runs what the user wants, and ends all children with it."""
    began = time.monotonic() - float(os.environ.get("RWB_SET_UP_SECONDS") or 0)

    def over(number: int, _: object) -> None:
        children.end_all()
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, over)
    try:
        chosen = arguments()
        if chosen.host:
            return run_host(chosen.tests, chosen.out, began)
        if chosen.tier:
            return run_tier(chosen, began)
        return run_scripts(chosen, began)
    except Wrong as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return guest.RC_CANNOT
    finally:
        children.end_all()


sys.exit(main())
