#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""crates.py: what the tool is linked with: each crate's name, version and licence, and the
licence texts that it comes with. For the Debian package, which hands them on."""

import json
import pathlib
import re
import subprocess
import sys

MANIFEST = pathlib.Path(__file__).resolve().parents[2] / "tool" / "Cargo.toml"
TARGET = "x86_64-unknown-linux-gnu"
OURS = ("reclaimwb", "reclaimwb-words")
TEXTS = ("license", "licence", "copying", "copyright", "notice", "unlicense")


def why(stderr):
    """What failed, and the last of the causes that cargo names, on one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    first = next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), "no reason given")
    causes = lines[lines.index("Caused by:") :] if "Caused by:" in lines else []
    return ": ".join([first, *causes[-1:]])


def cargo(*args):
    """What cargo prints."""
    command = ["cargo", *args, "--locked", "--manifest-path", str(MANIFEST)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(command[:2])} failed: {why(done.stderr)}")
    return done.stdout


def linked():
    """Name and version of all that is linked in."""
    tree = cargo("tree", "--offline", "--edges", "normal", "--target", TARGET, "--prefix", "none", "--format", "{p}")
    return {tuple(m.groups()) for m in re.finditer(r"^(\S+) v(\S+)", tree, re.M) if m[1] not in OURS}


def main():
    # Metadata is of the crates for tests, too, which a build does not fetch.
    cargo("fetch", "--target", TARGET)
    metadata = json.loads(cargo("metadata", "--offline", "--format-version", "1", "--filter-platform", TARGET))
    packages = {(p["name"], p["version"]): p for p in metadata["packages"]}
    wanted = sorted(linked())
    if not wanted:
        sys.exit("error: cargo tree names no crate that the tool is linked with")
    print("The command reclaimwb is linked with these Rust crates.")
    for name, version in wanted:
        package = packages[name, version]
        folder = pathlib.Path(package["manifest_path"]).parent
        texts = sorted(f for f in folder.iterdir() if f.is_file() and f.name.lower().startswith(TEXTS))
        if not texts and not package["license"]:
            sys.exit(f"error: {name} {version} names no licence, and has no text of one")
        print(f"\n{'=' * 72}\n{name} {version}: {package['license'] or 'see below'}")
        if package["authors"]:
            print("by " + ", ".join(package["authors"]))
        for text in texts:
            print(f"\n--- {text.name}\n\n{text.read_text(encoding='utf-8', errors='replace').strip()}")


main()
