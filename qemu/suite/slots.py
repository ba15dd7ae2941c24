# SPDX-License-Identifier: GPL-2.0
"""Slots: all processes that share OUT run no more guests and compilers at once than the machine has
work for. A slot is a locked file."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .place import OUT, jobs

POLL_SECONDS = 0.3

# This tells the children of a test that the test holds a slot for them. If they waited for one of their
# own, they would come last.
HELD = "RWB_SLOT_HELD"


@contextmanager
def slot(folder: Path = OUT / ".slots") -> Iterator[None]:
    """Waits for a free slot and holds it. If a parent holds a slot for us, there is nothing to wait for."""
    if os.environ.get(HELD):
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    width = jobs()
    while True:
        for number in range(width):
            # Python opens files with close-on-exec, so that children hold no slot.
            handle = os.open(folder / str(number), os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                continue
            try:
                yield
            finally:
                os.close(handle)
            return
        time.sleep(POLL_SECONDS)
