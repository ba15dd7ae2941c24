# SPDX-License-Identifier: GPL-2.0
"""What runs where: tiers, shards, and which scripts share a guest. This needs no file and no process."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .header import DISTRIBUTION, LIKE, Header, like
from .place import Wrong
from .profile import Profile, weight

HOST = "host"  # stands for a kernel if there is no guest
MORE = {less: kernel for kernel, less in LIKE.items()}


def guest_seconds(kernel: str) -> int:
    """Returns how long the scripts of a guest should take. A longer guest holds up the end of the run,
    and loses more if a script takes it down. Shorter guests boot too often. A kernel with checkers
    boots in a quarter of a minute."""
    return 400 if like(kernel) == "debug" else 200


@dataclass(frozen=True)
class Unit:
    """One script on one kernel, or a test of the host with that name."""

    kernel: str
    name: str
    seconds: float
    header: Header | None = None


@dataclass(frozen=True)
class Guest:
    """Scripts that one guest runs in this order."""

    kernel: str
    units: tuple[Unit, ...]

    @property
    def seconds(self) -> float:
        """Returns how long it is expected to take."""
        return sum(unit.seconds for unit in self.units)


def kernels(header: Header, tier: str) -> list[str]:
    """Returns the kernels on which a scenario runs in a tier. In `all` it runs on each kernel that it
    can run on, and on Debian's own kernels if it is not about the helper. In `change` it runs on those
    on which the faults that it looks for would show, and on none if it says that it is for the other
    tier. The kernels of `all` have everything that there is to run on."""
    shows = header.shows_on()
    if tier == "all":
        wanted = {"base", "debug"} | (shows & {"base-nbd"})
        if not header.helper:
            wanted |= set(DISTRIBUTION)
    elif tier == "change":
        if header.tier == "all":
            return []
        wanted = shows
    else:
        raise Wrong(f"no tier '{tier}': there is change and all")
    found = sorted(kernel for kernel in wanted if header.can_run_on(kernel))
    if not found:
        raise Wrong(f"tests/{header.name}: its faults show on {' '.join(sorted(wanted)) or 'no kernel'}, where it cannot run")
    return [MORE.get(kernel, kernel) for kernel in found] if tier == "all" else found


def units(headers: Iterable[Header], tier: str, profile: Profile) -> list[Unit]:
    """Returns a tier's scenarios, one for each kernel."""
    return [
        Unit(kernel, header.name, weight(profile, kernel, header.name, header.timeout), header)
        for header in headers
        for kernel in kernels(header, tier)
    ]


def heaviest(found: Iterable[Unit]) -> list[Unit]:
    """Returns the units in an order that does not depend on the order in which they came."""
    return sorted(found, key=lambda unit: (-unit.seconds, unit.kernel, unit.name))


def shard(found: Iterable[Unit], number: int, of: int) -> list[Unit]:
    """Returns part NUMBER (from 1) of OF parts that are about equally long. All parts together are the
    whole, and no two overlap."""
    if not 1 <= number <= of:
        raise Wrong(f"shard {number}/{of}: there is 1/{of} to {of}/{of}")
    loads = [0.0] * of
    mine: list[Unit] = []
    for unit in heaviest(found):
        least = loads.index(min(loads))
        loads[least] += unit.seconds
        if least == number - 1:
            mine.append(unit)
    return mine


def fits(servers: dict[str, str], header: Header) -> bool:
    """Can a guest with these NBD servers run it? A guest can have a server of that name in one way only."""
    return all(servers.get(server.partition(":")[0], server) == server for server in header.nbd)


def share(found: Sequence[Unit]) -> list[list[Unit]]:
    """Returns groups of units on one kernel that may share a guest, in the order given."""
    groups: list[tuple[tuple[str, ...], dict[str, str], list[Unit]]] = []
    for unit in found:
        header = unit.header
        assert header is not None
        for needs, servers, members in groups:
            if needs == header.needs() and fits(servers, header):
                break
        else:
            servers, members = {}, []
            groups.append((header.needs(), servers, members))
        servers.update((server.partition(":")[0], server) for server in header.nbd)
        members.append(unit)
    return [members for _, _, members in groups]


def deal(group: Sequence[Unit], hands: int) -> list[list[Unit]]:
    """Gives each unit, the longest first, to the guest with the least to do. There they keep their order."""
    loads = [0.0] * hands
    chosen: dict[str, int] = {}
    for unit in heaviest(group):
        least = loads.index(min(loads))
        loads[least] += unit.seconds
        chosen[unit.name] = least
    dealt = [[unit for unit in group if chosen[unit.name] == hand] for hand in range(hands)]
    return [hand for hand in dealt if hand]


def is_hungry(kernel: str) -> bool:
    """Does a script there keep a core busy all the time? Checkers do, and compilers on the host. On other
    kernels guests wait for a disk or a server most of the time."""
    return kernel == HOST or like(kernel) == "debug"


def start_next(waiting: Sequence[bool], hungry: int, cores: int) -> int:
    """Returns which of the waiting jobs (hungry or not, the longest first) is started while so many
    hungry ones run. It is the longest one, but there are no more hungry ones than cores while others
    wait: four debug guests on two cores take twice as long each, and a script's time is limited."""
    if hungry >= cores and False in waiting:
        return waiting.index(False)
    return 0


def guests(found: Sequence[Unit], split: bool = True) -> list[Guest]:
    """Returns the guests in which these run, the longest first. Without `split` there are as few as possible."""
    planned: list[Guest] = []
    for kernel in sorted({unit.kernel for unit in found}):
        for group in share([unit for unit in found if unit.kernel == kernel]):
            total = sum(unit.seconds for unit in group)
            hands = min(len(group), math.ceil(total / guest_seconds(kernel))) if split else 1
            planned += [Guest(kernel, tuple(hand)) for hand in deal(group, max(hands, 1))]
    return sorted(planned, key=lambda guest: (-guest.seconds, guest.kernel, guest.units[0].name))
