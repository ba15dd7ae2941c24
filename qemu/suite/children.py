# SPDX-License-Identifier: GPL-2.0
"""Child processes, which are all told to end when the run is."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

_running: set["subprocess.Popen[bytes]"] = set()
_lock = threading.Lock()
_over = False


class Over(Exception):
    """The run was told to end, and starts no more children."""


def start(
    argv: Sequence[str | Path], out: IO[str] | int, err: IO[str] | int, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Starts a child with nothing to read, in a process group of its own: a shell that is told to
    end does not tell its children."""
    with _lock:
        if _over:
            raise Over
        child = subprocess.Popen(argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err, process_group=0)
        _running.add(child)
    return child


def wait(child: "subprocess.Popen[bytes]") -> tuple[int, float]:
    """Waits for a child. Returns its exit code, and the CPU seconds that it and its children took."""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    with _lock:
        _running.discard(child)
    return child.returncode, usage.ru_utime + usage.ru_stime


def done(child: "subprocess.Popen[bytes]") -> int | None:
    """Returns the child's exit code once it has ended."""
    code = child.poll()
    if code is not None:
        with _lock:
            _running.discard(child)
    return code


def end_all() -> None:
    """Tells all children to end. vm.sh then ends its QEMU and servers."""
    global _over
    with _lock:
        _over = True
        for child in _running:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGTERM)
