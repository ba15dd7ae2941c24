# SPDX-License-Identifier: GPL-2.0
"""What a test script says about itself: comment lines `# KEY: VALUE` before its first command.

What it is there for:
  # guards: rust/helper.rs rust/helper/   the code whose faults it finds (paths, or a glob)
  # faults: lifetime books                the kinds of fault (FAULTS), which say on which
                                          kernel they show
  # tier: all (why)                       it runs only in `make test-all`; the reason names
                                          what covers the same code of ours in `make test`
What it needs of a guest:
  # nbd: fast slow:rate=8M     NBD servers (qemu/nbd-servers.conf)
  # mem: 384M                  the guest's memory
  # smp: 2   # numa: 2   # append: KERNEL ARGUMENTS
  # disk: 1G 1G                disks; filesystem modules, mkfs and dmsetup with them
  # nic: 8139                  another network card (vm.sh)
  # cgroup: v1                 a guest in which v2 has never had a memory cgroup
  # timeout: 300               seconds (default 180; more on kernels with checkers)
  # variants: base debug       the script can only run on these kernels
  # variant-skip: debug (why)  the script cannot run on these
"""

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from .place import TESTS, TOP, Wrong

DEFAULT_TIMEOUT = 180

# Kinds of fault, and the kernel on which a fault shows. The checkers of `debug` find what is silent
# elsewhere. A wrong number or word is as wrong on `base`, which is several times faster and has the
# optimised code that people run. A fault that shows on any kernel is looked for on base, unless the
# script runs elsewhere because of another kind.
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
    "unpatched": ("debian", "functions in the form that gcc leaves of them; a kernel without our patches"),
    "built-in": ("base-nbd", "events of NBD that are vmlinux's own, not a module's"),
}


# These kernels are like another one, with something more to run on. What is said about that one holds.
LIKE = {"debug-xfs": "debug", "base-btrfs": "base"}
# Debian's own kernels (scripts/build/debian.sh): the newest one, and the oldest that the module
# supports. They have none of our patches.
DISTRIBUTION = ("debian", "debian-7.2")
# These kernels are in no tier, but can be asked for.
ASKED = {"arm64": "base"}


def is_distribution(kernel: str) -> bool:
    """Is it one of Debian's own? Each of their versions has a name."""
    return kernel == "debian" or kernel.startswith("debian-")


def like(kernel: str) -> str:
    """Returns the kernel that this one is like, which may be itself."""
    return "base" if is_distribution(kernel) else (LIKE | ASKED).get(kernel, kernel)


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
    helper: bool = False  # it is about the helper, and skips where the kernel has no patches
    variants: tuple[str, ...] = ()
    not_on: tuple[str, ...] = ()

    def can_run_on(self, variant: str) -> bool:
        """Can it run there at all?"""
        variant = like(variant)
        return (not self.variants or variant in self.variants) and variant not in self.not_on

    def shows_on(self) -> set[str]:
        """Returns the kernels on which the faults that it looks for would show."""
        kernels = {FAULTS[fault][0] for fault in self.faults}
        return kernels - {ANY} or ({"base"} if kernels else set())

    def guards_any(self, paths: Iterable[str]) -> bool:
        """Does it guard one of these files or folders, or something in them?"""
        return any(
            fnmatch(path.rstrip("/"), guarded.rstrip("/"))
            or path.startswith(guarded.rstrip("/") + "/")
            or guarded.startswith(path.rstrip("/") + "/")
            for path in paths
            for guarded in self.guards
        )

    def needs(self) -> tuple[str, ...]:
        """Returns what two scripts must have in common to share a guest. NBD servers do not belong
        to that: an idle one disturbs nobody, unless it is wanted in two ways."""
        return (self.mem, self.smp, self.numa, " ".join(self.disk), self.append, self.cgroup, self.nic)


def comments(text: str) -> dict[str, str]:
    """Returns the `# KEY: VALUE` lines before the first command, the first one of each key."""
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
    """Returns the head of the script `name` with that text."""
    said = comments(text)

    def words(key: str) -> tuple[str, ...]:
        # Words in parentheses are for people.
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
        helper=bool(re.search(r"^need_(helper|handoff)\b", text, re.MULTILINE)),
        variants=words("variants"),
        not_on=words("variant-skip"),
    )


def read(name: str) -> Header:
    """Returns the head of tests/NAME."""
    return parse(name, (TESTS / name).read_text(encoding="utf-8"))


def find(names: Sequence[str]) -> list[str]:
    """Returns the paths below tests/ of scripts that are named as a user would name them, by path or
    by file name. Without names it returns all scenarios."""
    command: list[str | Path] = [TOP / "scripts" / "lib" / "scenarios.sh", *names]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Wrong(done.stderr.strip().removeprefix("error: "))
    return done.stdout.splitlines()


def scenarios() -> list[str]:
    """Returns the paths below tests/ of all scenarios."""
    return find([])
