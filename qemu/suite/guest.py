# SPDX-License-Identifier: GPL-2.0
"""One guest: vm.sh or vng.sh boots it, and this reads what its scripts say while it runs."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import children, ktap
from .header import Header
from .place import TOP, Wrong

BOOT_SECONDS = 60
POLL_SECONDS = 0.3

# The exit code of vm.sh and vng.sh if no guest could be tried.
RC_CANNOT = 77

CLOCK = os.sysconf("SC_CLK_TCK")


@dataclass
class Ran:
    """The end of a script as the host saw it: its section, and seconds of wall time and CPU."""

    script: str
    part: list[str]
    seconds: float
    cpu: float
    taken_down: str = ""  # why the guest went down with it


@dataclass
class Went:
    """The end of a guest: the reason if there is no verdict, and the scripts that never began."""

    reason: str = ""
    left: list[Header] = field(default_factory=list)
    blamed: bool = False  # a script took it down


def arguments(scripts: Sequence[Header], variant: str, attempt: int) -> list[str]:
    """Returns vm.sh's arguments for a guest that has what all of these scripts need."""
    first = scripts[0]
    args = ["--quiet", "--variant", variant, "--append", f"rwb.try={attempt}"]
    for script in scripts:
        args += ["--run", script.name]
    for server in sorted({server for script in scripts for server in script.nbd}):
        args += ["--nbd", server]
    for disk in first.disk:
        args += ["--disk", disk]
    for key in ("mem", "smp", "numa", "append", "nic"):
        value = getattr(first, key)
        if value:
            args += [f"--{key}", value]
    seconds = BOOT_SECONDS + sum(script.timeout for script in scripts)
    return [*args, "--timeout", str(seconds)]


def cpu_seconds(pid_file: Path) -> float:
    """Returns the host's CPU time that a QEMU has taken so far, or 0 if it is not there."""
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK


def last_line(path: Path) -> str:
    """Returns the last line of a file, or nothing if there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


class Boot:
    """A guest that runs."""

    def __init__(self, way: str, scripts: Sequence[Header], variant: str, folder: Path, attempt: int) -> None:
        self.folder = folder
        self.open = list(scripts)
        self.errors = folder.with_name(folder.name + ".err")
        self.cut_off = False  # the last script that ended was killed: init goes no further
        self.cpu = self.told = 0.0
        self.at = time.monotonic()
        self.boot: tuple[float, float] | None = None  # seconds and CPU until the first script
        folder.mkdir(parents=True, exist_ok=True)
        with self.errors.open("w", encoding="utf-8") as errors:
            argv: list[str | Path] = [TOP / "qemu" / f"{way}.sh", "--out", folder, *arguments(scripts, variant, attempt)]
            self.process = children.start(argv, subprocess.DEVNULL, errors)

    def lines(self) -> list[str]:
        """Returns the whole lines of the stream so far."""
        try:
            text = (self.folder / "ktap.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        return text[: text.rfind("\n") + 1].splitlines()

    def took(self) -> tuple[float, float]:
        """Returns the wall time and CPU time since the last call."""
        self.sample()
        now = time.monotonic()
        spent = now - self.at, self.cpu - self.told
        self.at, self.told = now, self.cpu
        return spent

    def sample(self) -> None:
        """Reads the CPU time again. It can be read only while QEMU is there."""
        self.cpu = max(self.cpu, cpu_seconds(self.folder / "qemu.pid"))

    def ended(self) -> list[Ran]:
        """Returns the scripts that have ended since the last call. They run in the order given."""
        ran: list[Ran] = []
        if not self.open:
            return ran
        lines = self.lines()
        if self.boot is None and lines:
            self.boot = self.took()
        while self.open:
            name = self.open[0].name
            part = ktap.section(lines, name)
            end = ktap.end_of(part, name)
            if end is None:
                break
            self.cut_off = end.code == ktap.RC_TIMEOUT
            ran.append(Ran(name, part, *self.took()))
            self.open.pop(0)
        return ran

    def watch(self, tell: Callable[[Ran], None]) -> Went:
        """Watches the guest until it has gone. Calls `tell` for each script that ends, and for
        `init`, the guest's own checks, if there is a verdict."""
        while (code := children.done(self.process)) is None:
            for ran in self.ended():
                tell(ran)
            self.sample()
            time.sleep(POLL_SECONDS)
        for ran in self.ended():
            tell(ran)
        if code == RC_CANNOT:
            said = [line for line in self.errors.read_text(encoding="utf-8").splitlines() if line.startswith("error: ")]
            raise Wrong(f"no guest could be started: {said[-1][7:] if said else 'see ' + str(self.errors)}")
        lines = self.lines()
        if code in (0, 1):
            tell(Ran("init", ktap.section(lines, "init"), *self.took()))
            if self.cut_off:
                return Went(left=self.open)
            # A script that is still open has no end, although the guest has come to its own.
            for script in self.open:
                tell(Ran(script.name, ktap.section(lines, script.name), 0, 0))
            return Went()
        reason = last_line(self.folder / "reason") or last_line(self.errors) or f"exit code {code}"
        if self.open and (part := ktap.section(lines, self.open[0].name)):
            tell(Ran(self.open[0].name, part, *self.took(), taken_down=reason))
            return Went(reason, self.open[1:], blamed=True)
        return Went(reason, self.open)

    def console(self) -> list[str]:
        """Returns what the user should see of a guest that went down."""
        text = self.errors.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if not line.startswith("reclaimwb: ")][-43:]

    def said(self) -> list[str]:
        """Returns what vm.sh says to the user."""
        text = self.errors.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if line.startswith("reclaimwb: ")]
