# SPDX-License-Identifier: GPL-2.0
"""What a test script says of itself: comment lines `# KEY: VALUE` before its first command.

What it is there for:
  # guards: rust/helper.rs rust/helper/   the code whose faults it finds (paths, or a glob)
  # faults: lifetime books                the kinds of fault (FAULTS), which say on which
                                          kernel they show
  # tier: all (why)                     only in `make test-all`: the reason names what covers
                                          the same code of ours in `make test`
What it needs of a guest:
  # nbd: fast slow:rate=8M     NBD servers (qemu/nbd-servers.conf)
  # mem: 384M                  the guest's memory
  # smp: 2   # numa: 2   # append: KERNEL ARGUMENTS
  # disk: 1G 1G                disks; filesystem modules, mkfs and dmsetup with them
  # nic: 8139                  another network card (vm.sh)
  # cgroup: v1                 a guest where v2 has had no memory cgroup
  # timeout: 300               seconds (default 180; more on kernels with checkers)
  # variants: base debug       it can only run on these kernels
  # variant-skip: debug (why)  it cannot run on these
"""

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from .place import TESTS, TOP, Wrong

DEFAULT_TIMEOUT = 180

# Kinds of fault, and the kernel on which one shows: the checkers of `debug` find what
# is silent elsewhere; what is wrong in a number or a word is as wrong on `base`, which
# is several times faster, and has the optimised code that people run. What shows on any
# kernel is looked for on base, unless the script runs elsewhere for the sake of another kind.
ANY = "any"
FAULTS = {
    "lifetime": ("debug", "a reference too many or too few, use after free, a leak"),
    "locking": ("debug", "lock order, sleeping in atomic context, RCU"),
    "memory": ("debug", "out of bounds, uninitialised, a bad pointer"),
    "books": ("base", "counts that disagree with the kernel's own"),
    "arithmetic": ("base", "units, shares, histograms, depths of stacks"),
    "origin": ("base", "a write or stall put down to the wrong cause"),
    "report": ("base", "rows, events, words, parameters: what users see"),
    "data": (ANY, "a page lost, stale, or another's"),
    "progress": ("base", "a lost wakeup, a hang, an OOM kill, a longer wait"),
    "built-in": ("base-nbd", "events of NBD that are vmlinux's own, not a module's"),
}


# Kernels that are another with something more to run on: what is said of that one holds.
LIKE = {"debug-xfs": "debug", "base-btrfs": "base"}
# Those that are no part of a tier, but run where they are asked for.
ASKED = {"debian": "base"}


def like(kernel: str) -> str:
    """The kernel of which it is said; most are their own."""
    return (LIKE | ASKED).get(kernel, kernel)


@dataclass(frozen=True)
class Header:
    """The head of one script; `name` is its path below tests/."""

    name: str
    guards: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    nbd: tuple[str, ...] = ()
    disk: tuple[str, ...] = ()
    mem: str = ""
    smp: str = ""
    numa: str = ""
    append: str = ""
    cgroup: str = ""
    nic: str = ""
    timeout: int = DEFAULT_TIMEOUT
    tier: str = ""
    variants: tuple[str, ...] = ()
    not_on: tuple[str, ...] = ()

    def can_run_on(self, variant: str) -> bool:
        """May it run there at all?"""
        variant = like(variant)
        return (not self.variants or variant in self.variants) and variant not in self.not_on

    def shows_on(self) -> set[str]:
        """The kernels on which the faults that it looks for would show."""
        kernels = {FAULTS[fault][0] for fault in self.faults}
        return kernels - {ANY} or ({"base"} if kernels else set())

    def guards_any(self, paths: Iterable[str]) -> bool:
        """Does it guard one of these files or folders, or what is in them?"""
        return any(
            fnmatch(path.rstrip("/"), guarded.rstrip("/"))
            or path.startswith(guarded.rstrip("/") + "/")
            or guarded.startswith(path.rstrip("/") + "/")
            for path in paths
            for guarded in self.guards
        )

    def needs(self) -> tuple[str, ...]:
        """What two scripts must have in common to share a guest. NBD servers are not part
        of it: an idle one disturbs nobody, unless one is wanted in two ways."""
        return (self.mem, self.smp, self.numa, " ".join(self.disk), self.append, self.cgroup, self.nic)


def comments(text: str) -> dict[str, str]:
    """The `# KEY: VALUE` lines before the first command; of several the first counts."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            if line.strip():
                break
            continue
        key, colon, value = line[1:].partition(":")
        key = key.strip()
        if colon and key and " " not in key:
            found.setdefault(key, value.strip())
    return found


def parse(name: str, text: str) -> Header:
    """The head of the script `name`, whose text is given."""
    said = comments(text)

    def words(key: str) -> tuple[str, ...]:
        # What is in parentheses is for people.
        return tuple(said.get(key, "").partition("(")[0].split())

    timeout = said.get("timeout", str(DEFAULT_TIMEOUT))
    if not timeout.isdigit():
        raise Wrong(f"tests/{name}: timeout: {timeout} is no number of seconds")
    unknown = [fault for fault in words("faults") if fault not in FAULTS]
    if unknown:
        raise Wrong(f"tests/{name}: faults: {unknown[0]}: there is {' '.join(FAULTS)}")
    tier = said.get("tier", "")
    if tier and not re.fullmatch(r"all \(.+\)", tier):
        raise Wrong(f"tests/{name}: tier: {tier}: it can be 'all (why)'")
    return Header(
        name=name,
        tier=tier.partition(" ")[0],
        guards=words("guards"),
        faults=words("faults"),
        nbd=tuple(said.get("nbd", "").split()),
        disk=words("disk"),
        mem=said.get("mem", ""),
        smp=said.get("smp", ""),
        numa=said.get("numa", ""),
        append=said.get("append", ""),
        cgroup=said.get("cgroup", ""),
        nic=said.get("nic", ""),
        timeout=int(timeout),
        variants=words("variants"),
        not_on=words("variant-skip"),
    )


def read(name: str) -> Header:
    """The head of tests/NAME."""
    return parse(name, (TESTS / name).read_text(encoding="utf-8"))


def find(names: Sequence[str]) -> list[str]:
    """The paths below tests/ of scripts that are named as a user would name them, by path or by
    file name; without names, of all scenarios."""
    command = [TOP / "scripts" / "lib" / "scenarios.sh", *names]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Wrong(done.stderr.strip().removeprefix("error: "))
    return done.stdout.splitlines()


def scenarios() -> list[str]:
    """The paths below tests/ of all scenarios."""
    return find([])
