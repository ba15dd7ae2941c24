# SPDX-License-Identifier: GPL-2.0
"""Results as they come, a JSON line for each, so that a run that was cut short can be resumed.

The first line says what was run (`Identity`). A run is resumed only if it is the same. A script that
passed counts if its guest came to a verdict, and the guest's own checks passed.
"""

import hashlib
import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from .place import TOP, Wrong


@dataclass(frozen=True)
class Identity:
    """What was run: the tree, and which part of the suite."""

    tree: str
    tier: str
    shard: str


@dataclass(frozen=True)
class Result:
    """The last try of a script on one kernel. `guest` is empty on the host."""

    kernel: str
    script: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    cpu: float
    guest: str = ""
    tries: int = 1


def tree() -> str:
    """Returns a name for the commit and the changes since. Files that git does not know count by name."""

    def git(*words: str) -> bytes:
        return subprocess.run(["git", "-C", TOP, *words], check=True, capture_output=True).stdout

    try:
        parts = [git("rev-parse", "HEAD"), git("diff", "HEAD"), git("status", "--porcelain")]
    except (subprocess.CalledProcessError, FileNotFoundError):
        raise Wrong("a run can be resumed only in a git checkout: what was tested has no name elsewhere") from None
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


class Journal:
    """The file with the results."""

    def __init__(self, path: Path, identity: Identity | None) -> None:
        self.path = path
        if identity is not None and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(asdict(identity)) + "\n", encoding="utf-8")
        self.kept = identity is not None

    def add(self, result: Result) -> None:
        """Adds a result."""
        if self.kept:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(result)) + "\n")


def passed(path: Path, identity: Identity) -> dict[tuple[str, str], Result]:
    """Returns what need not run again, which is nothing if the file is of another run. A line that was
    cut off does not count."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines or json.loads(lines[0]) != asdict(identity):
            return {}
    except (OSError, ValueError):
        return {}
    results: list[Result] = []
    for line in lines[1:]:
        try:
            results.append(Result(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    well = {(one.kernel, one.guest) for one in results if one.script == "init" and not one.failed}
    return {
        (one.kernel, one.script): one
        for one in results
        if one.script != "init" and not one.failed and (not one.guest or (one.kernel, one.guest) in well)
    }
