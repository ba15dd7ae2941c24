#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""rooms-check.py [DIR]: no file of the module in DIR (rust/) names a room above its own.

A room is a module of the crate: NAME.rs and NAME/. A file names what stands after `crate`, `$crate`
and `super`, in a `use` with everything in its braces as well as in a path. Comments and strings do not
count. This prints a line for each name of a room above, and exits with 1 if there is one. KUnit's
tests, tests.rs and tests/, may name everything, and nothing may name them."""

import pathlib
import re
import sys
from collections.abc import Iterator

# The rooms from the top.
ROOMS = [
    "tests",
    "reclaimwb_main",
    "entry",
    "rows",
    "control",
    "helper",
    "probes",
    "ledgers",
    "tables",
    "settings",
    "kernel_ext",
    "shim",
    "policy",
    "words",
]
# These are no part of the module: the crates of two rooms have them on the host.
NOT_OURS = [("policy", "host"), ("policy", "tests"), ("policy", "target"), ("words", "host"), ("words", "target")]

TOKEN = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|b?c?r(?P<hash>\#*)".*?"(?P=hash)|[bc]?"(?:\\.|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])'|\s+)"""
    r"""|(?P<token>\$?[A-Za-z_]\w*|::|[^\w\s])|\w+""",
    re.DOTALL | re.VERBOSE,
)

Token = tuple[str, int]
Path = tuple[str, ...]


def tokens(text: str) -> list[Token]:
    """Returns each token with its line, without comments and strings."""
    found, line = [], 1
    for match in TOKEN.finditer(text):
        if match["token"]:
            found.append((match["token"], line))
        line += match[0].count("\n")
    return found


class Reader:
    """Finds what a file names, as absolute paths."""

    def __init__(self, module: Path, found: list[Token]):
        self.tokens = found
        self.at = 0
        # The modules that we are in, and at which depth of braces each ends.
        self.modules = [(module, 0)]
        self.depth = 0

    def peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at][0] if at < len(self.tokens) else ""

    def tree(self, prefix: Path) -> Iterator[tuple[Path, int]]:
        """Returns each leaf of the rest of a path, which may end in braces in a `use`."""
        path = prefix
        while True:
            token, line = self.tokens[self.at] if self.at < len(self.tokens) else ("", 0)
            if token == "{":
                self.at += 1
                while self.peek() not in ("}", ""):
                    if self.peek() == ",":
                        self.at += 1
                    else:
                        yield from self.tree(path)
                        if self.peek() == "as":
                            self.at += 2
                self.at += 1
                return
            self.at += 1
            if token == "super":
                path = path[:-1]
            elif token != "self":
                path = (*path, token)
            if self.peek() != "::":
                yield path, line
                return
            self.at += 1

    def names(self) -> Iterator[tuple[Path, int]]:
        while self.at < len(self.tokens):
            token = self.peek()
            module, _ = self.modules[-1]
            if token == "mod" and self.peek(2) == "{":
                self.depth += 1
                self.modules.append(((*module, self.peek(1)), self.depth))
                self.at += 3
            elif token in "{}":
                if token == "}" and self.modules[-1][1] == self.depth and len(self.modules) > 1:
                    self.modules.pop()
                self.depth += 1 if token == "{" else -1
                self.at += 1
            elif token == "use" and self.peek(1) in ("crate", "super") and self.peek(2) == "as":
                # Under another name it could not be followed.
                yield () if self.peek(1) == "crate" else module[:-1], self.tokens[self.at][1]
                self.at += 4
            elif token == "use" and self.peek(1) == "{":
                # Each path in the braces begins at the root.
                self.at += 2
            elif token in ("crate", "$crate") and self.peek(1) == "::":
                self.at += 2
                yield from self.tree(())
            elif token == "super" and self.peek(1) == "::":
                yield from self.tree(module)
            else:
                self.at += 1


def module_of(path: pathlib.Path) -> Path:
    """Returns the path of the module that a file is, from the root of the crate."""
    parts = path.with_suffix("").parts
    if parts[-1] == "mod":
        parts = parts[:-1]
    return () if parts == ("reclaimwb_main",) else parts


def room_of(path: Path) -> str:
    """Returns the room of a path. Items in the root belong to the root's own room."""
    return path[0] if path and path[0] in ROOMS else "reclaimwb_main"


def main() -> int:
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "rust")
    rc, read = 0, 0
    for file in sorted(top.rglob("*.rs")):
        path = file.relative_to(top)
        if path.parts[:2] in NOT_OURS:
            continue
        read += 1
        module = module_of(path)
        own = room_of(module)
        if module and module[0] not in ROOMS:
            print(f"{file}:1: in no room")
            rc = 1
            continue
        for name, line in Reader(module, tokens(file.read_text())).names():
            room = room_of(name)
            if ROOMS.index(room) < ROOMS.index(own):
                print(f"{file}:{line}: room {own} names room {room}, which is above it")
                rc = 1
    if not read:
        print(f"{top}: no file was found")
        rc = 1
    return rc


if __name__ == "__main__":
    sys.exit(main())
