# SPDX-License-Identifier: GPL-2.0
"""The run: jobs side by side, second tries, one line for each script, the totals.

If a script failed only checks that chance decides (by_chance, in tests/lib/test.sh), it runs again
in a new guest, until it has had TRIES. Only its last try counts. More than MOST_AGAIN such scripts
fail the run, as that is not chance any more. There is no second try after a panic, a hang, or any
other failure.
"""

import functools
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from . import children, guest, host, ktap, profile
from .header import Header
from .place import OUT, Wrong, cores, jobs
from .plan import HOST, Guest, is_hungry, start_next
from .record import Journal, Result
from .slots import slot

TRIES = 3
MOST_AGAIN = 3


def line(mark: str, kernel: str, name: str, what: ktap.Outcome, seconds: float, why: str) -> str:
    """Returns a script's line."""
    text = f"{mark:<4} {kernel:<8} {name:<28} {what.passed:3d} passed"
    if what.failed:
        text += f", {what.failed} failed"
    if what.skipped:
        text += f", {what.skipped} skipped"
    text += f" ({seconds:.0f} s)"
    return text + (f": {why}" if why else "")


class Run:
    """One run of some guests and host tests, whose output is below `out`."""

    def __init__(self, out: Path, way: str = "vm", journal: Journal | None = None) -> None:
        self.out = out
        self.way = way
        self.journal = journal or Journal(out / "none", None)
        self.lock = threading.Lock()
        self.results: list[Result] = []
        self.again: list[tuple[str, str]] = []
        self.failures: list[str] = []
        self.left_out: list[str] = []
        self.boots: dict[str, list[profile.Cost]] = {}
        self.broken = False
        self.numbers: dict[str, int] = {}

    # --- telling

    def tell(self, text: str, failed: bool = False) -> None:
        """Prints the text in one write, as reports of other guests come in between. Needs the lock."""
        print(text, flush=True)
        if failed:
            self.failures.append(text)

    def leave_out(self, kernel: str, why: str) -> None:
        """Counts a kernel that is not available as one skip, which the end repeats."""
        self.left_out.append(f"skip {kernel}: {why or 'it is not available'}")
        self.tell(self.left_out[-1])

    def count(self, result: Result) -> None:
        """Adds a result to the totals. Needs the lock."""
        self.results.append(result)
        self.journal.add(result)

    def report(self, kernel: str, folder: Path, ran: guest.Ran, attempt: int, console: Sequence[str] = ()) -> bool:
        """Counts a script's try and says how it went. Returns whether it has to run again."""
        what = ktap.outcome(ran.part, ran.script)
        why = f"took the guest down: {ran.taken_down}" if ran.taken_down else what.problem
        name = ran.script
        # Each guest has `init` checks.
        key = f"{folder.name} init" if name == "init" else name
        file = self.out / kernel / (key.replace("/", "-").replace(" ", "-") + ".ktap")
        with self.lock:
            file.write_text("\n".join(ran.part) + "\n", encoding="utf-8")
            lucky = bool(what.failed) and not why and attempt < TRIES and ktap.only_by_chance(ran.part)
            if lucky:
                file.rename(file.with_name(f"{file.name}.{attempt}"))
                if (kernel, name) not in self.again:
                    self.again.append((kernel, name))
                mark = "again"
            else:
                failed = max(what.failed, 1 if why else 0)
                mark = "FAIL" if failed else "ok" if what.passed else "skip"
                self.count(Result(kernel, name, what.passed, failed, what.skipped, ran.seconds, ran.cpu, folder.name, attempt))
            told = [line(mark, kernel, name, what, ran.seconds, why)]
            if what.failed:
                told += [f"       {text}" for text in ktap.failures(ran.part)]
            if ran.taken_down:
                told += [f"       {text}" for text in console]
            self.tell("\n".join(told), mark == "FAIL")
        return lucky

    # --- guests

    def boot(self, kernel: str, folder: Path, scripts: Sequence[Header], attempt: int) -> tuple[list[Header], list[Header]]:
        """Runs one guest. Returns the scripts that it left over, and those that have to run again."""
        booted = guest.Boot(self.way, scripts, kernel, folder, attempt)
        headers = {script.name: script for script in scripts}
        lucky: list[Header] = []

        def tell(ran: guest.Ran) -> None:
            if self.report(kernel, folder, ran, attempt, booted.console() if ran.taken_down else ()):
                lucky.append(headers[ran.script])

        went = booted.watch(tell)
        with self.lock:
            for said in booted.said():
                print(said, file=sys.stderr, flush=True)
            if booted.boot:
                self.boots.setdefault(kernel, []).append(profile.Cost(*booted.boot))
        if not went.reason or went.blamed:
            return went.left, lucky
        # There is no script to blame, so that another guest would end in the same way.
        with self.lock:
            self.count(Result(kernel, "init", 0, 1, 0, 0, 0, folder.name))
            self.tell("\n".join([f"FAIL {kernel} {folder.name}: {went.reason}", *(f"       {text}" for text in booted.console())]), True)
        for script in went.left:
            self.report(kernel, folder, guest.Ran(script.name, [], 0, 0), attempt)
        return [], lucky

    def guests(self, job: Guest) -> None:
        """Runs all scripts of the job. If one takes its guest down, the others run in a new
        guest."""
        kernel = job.kernel
        with self.lock:
            number = self.numbers[kernel] = self.numbers.get(kernel, 0) + 1
        again = [unit.header for unit in job.units if unit.header]
        booted = 0
        attempt = 0
        while again:
            attempt += 1
            rest, again = again, []
            while rest:
                booted += 1
                name = f"vm{number}" if booted == 1 else f"vm{number}-{booted}"
                rest, lucky = self.boot(kernel, self.out / kernel / name, rest, attempt)
                again += lucky

    def number_from(self, kernel: str) -> None:
        """Lets the guests of a resumed run have numbers that the first run has not used."""
        used = [int(path.name[2:].partition("-")[0]) for path in (self.out / kernel).glob("vm[0-9]*") if path.is_dir()]
        self.numbers[kernel] = max(used, default=0)

    # --- the host

    def test(self, test: host.Test) -> None:
        """Runs one test of the host."""
        ran = host.run(test, self.out / HOST)
        what = ran.outcome
        mark = "FAIL" if what.failed else "ok" if what.passed else "skip"
        with self.lock:
            self.count(Result(HOST, test.name, what.passed, what.failed, what.skipped, ran.seconds, ran.cpu))
            told = [line(mark, HOST, test.name, what, ran.seconds, what.problem)]
            self.tell("\n".join([*told, *(f"       {text}" for text in ran.shown)]), mark == "FAIL")

    # --- side by side

    def go(self, planned: Sequence[Guest], tests: Sequence[tuple[float, host.Test]]) -> None:
        """Runs all, as many at once as there are slots, the longest first (see start_next())."""
        queue: list[tuple[float, bool, Callable[[], None]]] = []
        queue += [(job.seconds, is_hungry(job.kernel), functools.partial(self.guests, job)) for job in planned]
        queue += [(weight, is_hungry(HOST), functools.partial(self.test, test)) for weight, test in tests]
        queue.sort(key=lambda entry: -entry[0])
        running: list[bool] = []

        def guarded(what: Callable[[], None]) -> None:
            try:
                what()
            except children.Over:
                return
            except Exception as wrong:  # pylint: disable=broad-except
                with self.lock:
                    self.broken = True
                    if isinstance(wrong, Wrong):
                        self.tell(f"error: {wrong}", True)
                    else:
                        self.tell(f"error: the runner failed: {traceback.format_exc()}", True)

        def work() -> None:
            while not self.broken:
                with slot():
                    with self.lock:
                        if not queue:
                            return
                        at = start_next([hungry for _, hungry, _ in queue], running.count(True), cores())
                        _, hungry, what = queue.pop(at)
                        running.append(hungry)
                    guarded(what)
                    with self.lock:
                        running.remove(hungry)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(jobs(), len(queue)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            # This does not join only once, as a signal is handled between two joins.
            while thread.is_alive():
                thread.join(0.5)

    # --- the end

    def prepare(self, kernel: str, afresh: bool = True) -> None:
        """Makes an empty folder for a kernel's guests, or lets a resumed run add to it."""
        if afresh:
            shutil.rmtree(self.out / kernel, ignore_errors=True)
        (self.out / kernel).mkdir(parents=True, exist_ok=True)
        self.number_from(kernel)

    def totals(self, kernel: str | None = None) -> tuple[int, int, int]:
        """Returns passed, failed and skipped, of one kernel or of all."""
        chosen = [one for one in self.results if kernel in (None, one.kernel)]
        return sum(one.passed for one in chosen), sum(one.failed for one in chosen), sum(one.skipped for one in chosen)

    def documents(self) -> None:
        """Writes the scripts of each kernel as one KTAP document, OUT/KERNEL.ktap. What ran before a
        resumption is read from its files."""
        for kernel in sorted({one.kernel for one in self.results} - {HOST}):
            folder = self.out / kernel
            scripts: list[ktap.Script] = []
            for file in sorted(folder.glob("*.ktap")):
                part = file.read_text(encoding="utf-8").splitlines()
                name = part[0].split()[2] if part and part[0].startswith("# begin ") else file.stem
                earlier = [path.read_text(encoding="utf-8").splitlines() for path in sorted(folder.glob(f"{file.name}.[0-9]"))]
                shown = file.stem.replace("-init", " init") if name == "init" else name
                scripts.append(ktap.Script(shown, name, part, earlier))
            (self.out / f"{kernel}.ktap").write_text(ktap.document(scripts), encoding="utf-8")

    def costs(self) -> str:
        """Returns the profile of this run."""
        spent: dict[tuple[str, str], profile.Cost] = {}

        def add(kernel: str, name: str, seconds: float, cpu: float) -> None:
            before = spent.get((kernel, name), profile.Cost(0, 0))
            spent[kernel, name] = profile.Cost(before.seconds + seconds, before.cpu + cpu)

        for one in self.results:
            add(one.kernel, "boots" if one.script == "init" else one.script, one.seconds, one.cpu)
        for kernel, boots in self.boots.items():
            for boot in boots:
                add(kernel, "boots", boot.seconds, boot.cpu)
        return profile.table((kernel, name, cost) for (kernel, name), cost in spent.items())

    def end(self, began: float, stages: bool) -> int:
        """Prints the closing lines, the last of which is `N passed, N failed, N skipped`. Returns the
        exit code."""
        self.documents()
        (self.out / "profile.txt").write_text(self.costs(), encoding="utf-8")
        if stages:
            for kernel in sorted({one.kernel for one in self.results}):
                passed, failed, skipped = self.totals(kernel)
                seconds = sum(one.seconds for one in self.results if one.kernel == kernel)
                print(f"{kernel}: {passed} passed, {failed} failed, {skipped} skipped ({seconds:.0f} s)")
            # These come once more, for readers who only read the end.
            for text in self.left_out + self.failures:
                print(text)
        passed, failed, skipped = self.totals()
        skipped += len(self.left_out)
        if not passed + failed + skipped:
            print("FAIL nothing was run")
            failed += 1
        if self.broken:
            failed += 1
        if len(self.again) > MOST_AGAIN:
            print(f"FAIL more than {MOST_AGAIN} scripts ran again, which is not chance")
            failed += 1
        if stages:
            took = int(time.monotonic() - began)
            print(f"took {took // 60} min {took % 60} s; KTAP, logs and profile.txt are in {self.out}")
        if stages or self.again:
            names = ": " + ", ".join(f"{name} ({kernel})" for kernel, name in self.again) if self.again else ""
            print(f"{len(self.again)} ran again{names}")
        print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
        return 0 if passed and not failed else 1


def out_folder(way: str) -> Path:
    """Returns the folder for results if the user names none."""
    return OUT / ("test" if way == "vm" else way)
