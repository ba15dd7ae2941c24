# SPDX-License-Identifier: GPL-2.0
"""Where things are, and how much runs at once. scripts/lib/lib.sh tells shell scripts the same."""

import os
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
TESTS = TOP / "tests"
OUT = Path(os.environ.get("OUT", TOP / "out"))
CACHE = Path(
    os.environ.get("RWB_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reclaimwb"
)


class Wrong(Exception):
    """Something that the user has to put right, in one line."""


def positive(name: str, default: int) -> int:
    """Returns the number in an environment variable."""
    text = os.environ.get(name) or str(default)
    if not text.isdigit() or int(text) < 1:
        raise Wrong(f"{name}={text}: it must be a number from 1")
    return int(text)


def cores() -> int:
    """Returns how many cores may be used (J=)."""
    return positive("J", len(os.sched_getaffinity(0)))


def jobs() -> int:
    """Returns how many guests and compilers may run at once (JOBS=). Each does one thing at a time,
    and waits for a slow disk or server for half of its time."""
    return positive("JOBS", min(cores() * 2, 8))
