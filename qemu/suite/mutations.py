# SPDX-License-Identifier: GPL-2.0
"""The list of changes that scripts/measure/mutate-module.sh makes to the module.

As a program (`mutations.py TREE NAME`) it makes one of them in a copy of the tree."""

import sys
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).resolve().parents[2] / "scripts" / "measure" / "mutations"


@dataclass
class Mutation:
    """A change: the lines `old` of a file become `new`, and the scenarios have to notice it."""

    name: str
    file: str
    scenarios: list[str]
    old: str = ""
    new: str = ""


def mutations() -> list[Mutation]:
    """Returns all changes of the list."""
    found: list[Mutation] = []
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            _, name, file, *scenarios = line.split()
            found.append(Mutation(name, file, scenarios))
        elif line.startswith("-"):
            found[-1].old += line[1:] + "\n"
        elif line.startswith("+"):
            found[-1].new += line[1:] + "\n"
    return found


def main() -> None:
    """Makes a change, whose lines must be there once."""
    tree, name = sys.argv[1:]
    [change] = [one for one in mutations() if one.name == name]
    target = Path(tree) / change.file
    text = target.read_text(encoding="utf-8")
    if text.count(change.old) != 1:
        sys.exit(f"error: {name}: its lines are {text.count(change.old)} times in {target.name}")
    target.write_text(text.replace(change.old, change.new), encoding="utf-8")


if __name__ == "__main__":
    main()
