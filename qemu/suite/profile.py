# SPDX-License-Identifier: GPL-2.0
"""How long each script took on each kernel. These are the weights by which scripts are distributed to
guests and shards, and they show where the suite's time goes.

A profile is a text table, `KERNEL SCRIPT SECONDS CPU`: seconds of the guest's life, and seconds of
the host's CPU that its QEMU took meanwhile. `host` stands for a kernel if there is no guest. Plans
are made with qemu/profile.txt. Each run writes its own to OUT/profile.txt.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .header import like
from .place import TOP, Wrong

KNOWN = TOP / "qemu" / "profile.txt"

# A script that is not in the profile is taken for this share of the time that it may take. Kernels
# with checkers are slower by these factors.
UNKNOWN = 0.15
SLOWER = {"debug": 3.0}


@dataclass(frozen=True)
class Cost:
    """Seconds of wall time and of the host's CPU."""

    seconds: float
    cpu: float


Profile = Mapping[tuple[str, str], Cost]


def parse(text: str, source: str) -> dict[tuple[str, str], Cost]:
    """Parses a table."""
    profile: dict[tuple[str, str], Cost] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        try:
            kernel, script, seconds, cpu = line.split()
            profile[kernel, script] = Cost(float(seconds), float(cpu))
        except ValueError:
            raise Wrong(f"{source}:{number}: not KERNEL SCRIPT SECONDS CPU: {line}") from None
    return profile


def load(path: Path = KNOWN) -> dict[tuple[str, str], Cost]:
    """Returns the profile in a file. It is empty if there is no file."""
    return parse(path.read_text(encoding="utf-8"), path.name) if path.exists() else {}


def table(rows: Iterable[tuple[str, str, Cost]]) -> str:
    """Returns a table with the most expensive script of each kernel first, and the sums of each kernel."""
    by_kernel: dict[str, list[tuple[str, Cost]]] = {}
    for kernel, script, cost in rows:
        by_kernel.setdefault(kernel, []).append((script, cost))
    text = "# SPDX-License-Identifier: GPL-2.0\n"
    text += "# Seconds of each script, and of the host's CPU meanwhile (qemu/suite/profile.py).\n"
    for kernel, scripts in sorted(by_kernel.items()):
        seconds = sum(cost.seconds for _, cost in scripts)
        cpu = sum(cost.cpu for _, cost in scripts)
        text += f"# {kernel}: {len(scripts)} scripts, {seconds:.0f} s, CPU {cpu:.0f} s\n"
        for script, cost in sorted(scripts, key=lambda row: (-row[1].seconds, row[0])):
            text += f"{kernel:<8} {script:<28} {cost.seconds:7.1f} {cost.cpu:7.1f}\n"
    return text


def weight(profile: Profile, kernel: str, script: str, timeout: int) -> float:
    """Returns how many seconds a script is expected to take."""
    kernel = like(kernel)
    known = profile.get((kernel, script))
    if known:
        return max(known.seconds, 1.0)
    return timeout * UNKNOWN * SLOWER.get(kernel, 1.0)
