#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does Documentation/ describe everything that the code has, and nothing else?

    docs-check.py WHAT [TOP]    WHAT: parameters words rows fixtures events report nbd series links
    docs-check.py html [TOP]    reads all pages with docutils, if there is no Sphinx

Complaints go to stdout, one on a line, and make the exit code 1. The notation of the pages tells what
they document. Rows, parameters and fields are the terms of definition lists: ``literals``, with
` : unit` after them. A word list has the heading `NAME: what it is`, and NAME in a row stands for each
of its words.
"""

import itertools
import json
import pathlib
import re
import subprocess
import sys

TERM = re.compile(r"^(``[^`]+``(?:, ``[^`]+``)*)(?: : (\S.*))?$")
UNDERLINE = re.compile(r"^([=~^\"-])\1{2,}$")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
# What other upper-case words of a row stand for, which have no word list.
FREE = {"N": r"[0-9]+", "NID": r"[0-9]+", "ID": r"[0-9]+", "LOW": r"[0-9]+", "MAJOR:MINOR": r"[0-9]+:[0-9]+",
        "NAME": r"[A-Za-z0-9:_-]+", "ERRNO": r"[0-9]+"}

complaints = []


def complain(text):
    complaints.append(text)


class Stop(Exception):
    """A check cannot find what it has to look at."""


def must(found, what):
    """If a pattern finds nothing any more, a check must not pass because of that."""
    if not found:
        raise Stop(f"{what}: not found; teach scripts/check/docs-check.py where it is now")
    return found


# ---- the pages

class Page:
    """The sections of a page: heading, lines, and the terms of definition lists."""

    def __init__(self, path):
        self.path = path
        self.text = path.read_text()
        self.sections = []
        lines = self.text.splitlines()
        section = None
        for i, line in enumerate(lines):
            below = lines[i + 1] if i + 1 < len(lines) else ""
            if line and not line[0].isspace() and UNDERLINE.match(below) and len(below) >= len(line):
                section = {"heading": line, "level": below[0], "lines": [], "terms": []}
                self.sections.append(section)
            elif section is not None and not UNDERLINE.match(line):
                section["lines"].append(line)
                term = TERM.match(line)
                if term and below.startswith("    "):
                    keys = re.findall(r"``([^`]+)``", term[1])
                    section["terms"].append((keys, term[2]))

    def section(self, heading):
        return must([s for s in self.sections if s["heading"] == heading], f"{self.path.name}: section {heading}")[0]

    def below(self, heading):
        """Returns a section and those below it, up to the next one of its level."""
        at = self.sections.index(self.section(heading))
        level = self.sections[at]["level"]
        rest = itertools.takewhile(lambda s: s["level"] != level, self.sections[at + 1:])
        return [self.sections[at], *rest]

    def words(self):
        """Returns the word lists by name."""
        found = {}
        for section in self.sections:
            name = re.match(r"([A-Z]+): ", section["heading"])
            if name:
                found[name[1]] = [w for keys, _ in section["terms"] for w in keys]
        return must(found, f"{self.path.name}: word lists")

    def is_words(self, section):
        return re.match(r"[A-Z]+: ", section["heading"]) is not None


class Docs:
    def __init__(self, top):
        self.top = top
        self.printed = None
        self.folder = top / "Documentation"
        self.guide = Page(self.folder / "admin-guide.rst")
        self.ledgers = Page(self.folder / "ledgers.rst")

    def rust(self, name):
        """Returns a source file of the module without comments."""
        return re.sub(r"(?m)^\s*//.*$", "", (self.top / "rust" / name).read_text())

    def table(self):
        """Returns what rust/words/ prints: the module's words, [name, label] by set, and its parameters."""
        if self.printed is None:
            done = subprocess.run([self.top / "scripts/check/words.sh", "--json"], capture_output=True, text=True)
            if done.returncode:
                raise Stop("rust/words/: " + next(iter(done.stderr.strip().splitlines()), "it prints nothing"))
            self.printed = json.loads(done.stdout)
        return self.printed

    def names(self, name):
        """Returns the words of a set."""
        return [word for word, _ in self.table()["words"][name]]

    def files(self):
        """Returns the names of the debugfs files."""
        return must(re.findall(r'read_callback_file\(\s*c"(\w+)"', self.rust("rows.rs")), "rows.rs: the files")

    def rows(self, ledger):
        """Returns the documented rows of a file, as key and unit."""
        rows = []
        for section in self.ledgers.below(ledger):
            if not self.ledgers.is_words(section):
                rows += [(key, unit) for keys, unit in section["terms"] for key in keys]
        return must(rows, f"ledgers.rst: rows of {ledger}")

    def pattern(self, key, words):
        """Returns a regular expression of the keys that a documented row stands for."""
        def word(m):
            name = m[0]
            if name in words:
                return "(?:" + "|".join(re.escape(w).replace("ERRNO", "[0-9]+") for w in words[name]) + ")"
            if name in FREE:
                return FREE[name]
            complain(f"ledgers.rst: {key}: what is {name}?")
            return ".*"
        escaped = re.escape(key).replace(r"MAJOR\:MINOR", "MAJOR:MINOR")
        return re.sub(r"MAJOR:MINOR|[A-Z]+(?![a-z])", word, escaped)


# ---- parameters

def check_parameters(docs):
    source = docs.table()["parameters"]
    documented = {}
    for section in docs.guide.below("Parameters"):
        for keys, about in section["terms"]:
            for key in keys:
                if key in documented:
                    complain(f"admin-guide.rst: parameter {key} is there twice")
                documented[key] = about
    for name in source.keys() - documented.keys():
        complain(f"admin-guide.rst: parameter {name} is missing")
    for name in documented.keys() - source.keys():
        complain(f"admin-guide.rst: there is no parameter {name}")
    for name in source.keys() & documented.keys():
        default, limits, writable = (source[name][key] for key in ("default", "range", "writable"))
        about = documented[name] or ""
        said = re.search(r"; default ([\w-]+)", about)
        if not said or said[1] != default:
            complain(f"admin-guide.rst: {name}: default {said and said[1]}; it is {default}")
        if limits:
            said = re.search(r"(\d+) to (\d+)", about)
            if not said or [int(n) for n in said.groups()] != limits:
                complain(f"admin-guide.rst: {name}: range {said and said[0]}; it is {limits[0]} to {limits[1]}")
        if writable != about.endswith("; writable") or not writable and not about.endswith("; set when loading"):
            complain(f"admin-guide.rst: {name}: writable: {'yes' if writable else 'set when loading'}")
    readme = (docs.top / "README.md").read_text()
    for name in source:
        if f"`{name}`" not in readme:
            complain(f"README.md: parameter {name} is missing")
    lines = (docs.top / "packaging/modprobe.d/reclaimwb.conf").read_text()
    shown = dict(re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"(?m)^#options reclaimwb (.*)", lines))))
    for name in source.keys() | shown.keys():
        default = source.get(name, {}).get("default")
        if shown.get(name) != default:
            complain(f"modprobe.d/reclaimwb.conf: {name}: {shown.get(name)}; the default is {default}")


# ---- words

# The word lists of ledgers.rst, and the sets of rust/words/ that they document.
SETS = {"ORIGIN": "Origin", "KIND": "Kind", "LAYER": "Layer", "FUNCTION": "Function", "GROUP": "Group", "EVENT": "Event",
        "DIRECTION": "Direction", "FLUSH": "Flush", "TYPE": "MemoryType", "CAUSE": "Cause", "PHASE": "Phase",
        "WAIT": "WaitKind", "LIMIT": "Limit", "WHY": "EndReason", "REASON": "KswapdReason", "USER": "User",
        "WOKEN": "Woken", "RESULT": "CompactResult", "MODE": "Mode", "REFUSED": "Refusal", "SKIP": "Skip",
        "COUNT": "ShrinkerCount"}
# These sets have no list. Their words are in names of functions, and in rows.
NO_LIST = {"Form", "Outcome"}


def source_words(docs):
    states = must(STATES.search(docs.rust("rows/status.rs")), "status.rs: state()")[0]
    known = docs.table()["words"].keys()
    for name in known ^ {*SETS.values(), *NO_LIST}:
        complain(f"docs-check.py: the set {name} of rust/words/: " + ("which list is that?" if name in known else "there is none"))
    return {
        **{name: docs.names(of) for name, of in SETS.items() if of in known},
        "STATE": [s.replace("{errno}", "ERRNO") for s in STRING.findall(states)],
    }


def check_words(docs):
    source, documented = source_words(docs), docs.ledgers.words()
    for name in source.keys() ^ documented.keys():
        complain(f"ledgers.rst: word list {name}: " + ("not documented" if name in source else "the module has none"))
    for name in source.keys() & documented.keys():
        for word in [w for w in source[name] if w not in documented[name]]:
            complain(f"ledgers.rst: {name}: {word} is missing")
        for word in [w for w in documented[name] if w not in source[name]]:
            complain(f"ledgers.rst: {name}: the module has no {word}")
        for word in {w for w in documented[name] if documented[name].count(w) > 1}:
            complain(f"ledgers.rst: {name}: {word} is there twice")


# ---- rows

# The functions that are passed to debugfs show which file of rust/rows/ writes which ledgers.
def row_files(docs):
    pairs = re.findall(r'read_callback_file\(\s*c"(\w+)",\s*ledgers\.clone\(\),\s*&(\w+)::(\w+)\)', docs.rust("rows.rs"))
    if len(pairs) != len(docs.files()):
        raise Stop("rows.rs: what writes each file is not clear; teach scripts/check/docs-check.py")
    return {ledger: (module, function) for ledger, module, function in pairs}


STATES = re.compile(r"\nfn state\(f: .*?\n\}\n", re.S)


def formats(text):
    """Returns the formats of rows and of pieces of rows, with their placeholders, but no states of probes."""
    text = STATES.sub("", text)
    rows = []
    for literal in re.findall(r'\bwrite(?:ln)?!\(\s*f,\s*"((?:[^"\\]|\\.)*)"', text):
        rows += [line for line in literal.split(r"\n") if line]
    return list(dict.fromkeys(rows))


def check_rows(docs):
    words, source = docs.ledgers.words(), row_files(docs)
    documented = [s["heading"] for s in docs.ledgers.sections if s["heading"] in source]
    for ledger in source.keys() - set(documented):
        complain(f"ledgers.rst: file {ledger} is missing")
    by_module = {}
    for ledger, (module, _) in source.items():
        if ledger in documented:
            by_module.setdefault(module, []).append(ledger)
    for module, ledgers in by_module.items():
        check_module(docs, module, ledgers, words)


def check_module(docs, module, ledgers, words):
    text = docs.rust(f"rows/{module}.rs")
    rows = [(ledger, key, unit) for ledger in ledgers for key, unit in docs.rows(ledger)]
    for ledger, key, unit in rows:
        if unit is None:
            complain(f"ledgers.rst: {ledger}: {key} has no unit")
    keys = [key for _, key, _ in rows]
    for ledger in ledgers:
        mine = [key for at, key, _ in rows if at == ledger]
        for key in {k for k in mine if mine.count(k) > 1}:
            complain(f"ledgers.rst: {ledger}: {key} is there twice")
    # Each documented key has examples of what its placeholders may be.
    examples = {key: {example(key, words, n) for n in range(3)} for key in keys}
    pieces = must(formats(text), f"rows/{module}.rs: formats")
    prefixes = [p for p in pieces if p.endswith(".") and " " not in p]
    patterns = set()
    for piece in pieces:
        fields = re.findall(r"([\w.{}]+)=\{", piece)
        for field in fields:
            if not any(fits(field + "=", [key]) for key in keys):
                complain(f"ledgers.rst: {' or '.join(ledgers)}: field {field}= of rows/{module}.rs is missing")
        key = piece.split(" ")[0]
        if piece in prefixes or not key or "=" in key:
            continue
        # The piece may also be the rest of a row that a prefix begins.
        whole = [key, *(p + key for p in prefixes)]
        regexes = [re.sub(r"\\\{[^}]*\\\}", r"[^ ]+", re.escape(w)) for w in whole]
        if not any(re.fullmatch(r, e) for r in regexes for all_ in examples.values() for e in all_):
            complain(f"ledgers.rst: {' or '.join(ledgers)}: row {key} of rows/{module}.rs is missing")
        patterns.update(regexes)
    # Is there a row that nothing writes?
    parts = literals(docs, module, text)
    for ledger, key, _ in rows:
        if key.endswith("="):
            if not known_field(key, pieces, words):
                complain(f"ledgers.rst: {ledger}: rows/{module}.rs writes no field {key}")
            continue
        if not any(re.fullmatch(r, e) for r in patterns for e in examples[key]):
            complain(f"ledgers.rst: {ledger}: rows/{module}.rs writes no row {key}")
        for part in re.findall(r"[a-z0-9_]{2,}", re.sub(r"[A-Z]+[a-z]*", "", key)):
            if part not in parts:
                complain(f"ledgers.rst: {ledger}: {key}: rows/{module}.rs has no word {part}")
    # Is there a word in the formats, or a value, that no row has?
    sections = "\n".join(line for ledger in ledgers for s in docs.ledgers.below(ledger) for line in s["lines"])
    said = set(re.findall(r"[a-z0-9_]+", " ".join(keys) + " " + sections))
    said.update(part for all_ in words.values() for word in all_ for part in re.findall(r"[a-z0-9_]+", word))
    for part in parts - said:
        complain(f"ledgers.rst: {' or '.join(ledgers)}: {part} of rows/{module}.rs is missing")


def example(key, words, n):
    """Returns a key that the documented one stands for."""
    def word(m):
        if m[0] in words:
            return words[m[0]][n % len(words[m[0]])]
        return {"MAJOR:MINOR": "8:0", "NAME": "x"}.get(m[0], "7")
    return re.sub(r"MAJOR:MINOR|[A-Z]+(?![a-z])", word, key)


def fits(field, keys):
    regex = re.sub(r"\\\{[^}]*\\\}", r"[A-Za-z_.]+", re.escape(field))
    return any(re.fullmatch(regex, key) for key in keys)


def known_field(key, pieces, words):
    fields = [f + "=" for p in pieces for f in re.findall(r"([\w.{}]+)=\{", p)]
    upper = re.match(r"(.*?)([A-Z]+)=", key)
    if upper:
        # A list of words has a placeholder.
        return upper[2] in words and any(re.fullmatch(re.escape(upper[1]) + r"\{\w+\}=", f) for f in fields)
    return key in fields


def literals(docs, module, text):
    """Returns the words from which a file of rust/rows/ builds rows, and values."""
    if "super::group(" in text:
        text += must(re.search(r"\nfn group\(.*?\n\}\n", docs.rust("rows.rs"), re.S), "rows.rs: group()")[0]
    if "helper::state" in text:
        helper = docs.rust("rows/helper.rs")
        text += must(re.search(r"fn state\(half: .*?\n\}\n", helper, re.S), "helper.rs: state()")[0]
    parts = set()
    for literal in STRING.findall(text):
        literal = re.sub(r"\{[^}]*\}", "", literal).replace(r"\n", " ")
        parts.update(re.findall(r"[a-z0-9_]{2,}", literal))
    if module == "compaction":
        # These rows have a name from a table.
        parts.update(docs.names("Outcome"))
    if "_v1" in parts:
        # "cgroup{v1}"
        parts.remove("_v1")
        parts.add("cgroup_v1")
    return parts


# ---- the rows of real machines

def check_fixtures(docs):
    words = docs.ledgers.words()
    files = must(sorted((docs.top / "tool/tests/fixtures").glob("*.json")), "fixtures")
    known = {}
    for name in docs.files():
        patterns = [docs.pattern(key, words) for key, _ in docs.rows(name) if not key.endswith("=")]
        known[name] = re.compile("|".join(f"(?:{p})" for p in patterns))
    fields = {key[:-1] for key, _ in docs.rows("stalls_longest") if key.endswith("=")}
    fields |= set(words["CAUSE"]) | {f"nbd.{p}" for p in words["PHASE"]}
    seen = set()
    # The fixtures have names from before a renaming.
    renamed = {"drain_all_pages": "__drain_all_pages"}
    for file in files:
        for ledger, saved in json.loads(file.read_text())["ledgers"].items():
            for row in saved.get("rows", []):
                key, _, value = row.partition(" ")
                group, dot, name = key.partition(".")
                key = group + dot + renamed.get(name, name)
                if not known[ledger].fullmatch(key):
                    seen.add(f"ledgers.rst: {ledger}: no row for {key} of {file.name}")
                if ledger == "stalls_longest":
                    for field in re.findall(r"(?:^| )([\w.]+)=", value.partition(" comm=")[0]):
                        if field not in fields:
                            seen.add(f"ledgers.rst: {ledger}: no field {field}= of {file.name}")
    for complaint in sorted(seen)[:20]:
        complain(complaint)


# ---- trace events

def check_events(docs):
    header = (docs.top / "rust/shim/events.h").read_text()
    source = {}
    for name, body in re.findall(r"TRACE_EVENT\((\w+),(.*?)\n\);", header, re.S):
        fields = re.findall(r"__(?:field|array)\(([\w ]+), (\w+)", body)
        source[name] = {field: kind for kind, field in must(fields, f"events.h: fields of {name}")}
    must(source, "events.h: events")
    sections = {s["heading"]: s for s in docs.guide.below("Trace events")[1:]}
    for name in source.keys() - sections.keys():
        complain(f"admin-guide.rst: trace event {name} is missing")
    for name in sections.keys() - source.keys():
        complain(f"admin-guide.rst: there is no trace event {name}")
    for name in source.keys() & sections.keys():
        documented = {key: kind for keys, kind in sections[name]["terms"] for key in keys}
        for field in source[name].keys() - documented.keys():
            complain(f"admin-guide.rst: {name}: field {field} is missing")
        for field in documented.keys() - source[name].keys():
            complain(f"admin-guide.rst: {name}: there is no field {field}")
        for field in documented.keys() & source[name].keys():
            if documented[field] != source[name][field]:
                complain(f"admin-guide.rst: {name}: {field} is {source[name][field]}, not {documented[field]}")
        # Some values are printed under another name than the field's.
        text = "\n".join(sections[name]["lines"])
        body = re.search(rf"TRACE_EVENT\({name},.*?\n\);", header, re.S)[0]
        printed = set(re.findall(r"(\w+)=%", body[body.index("TP_printk"):]))
        for word in printed - documented.keys():
            if not re.search(rf"``{word}(=[^`]*)?``", text):
                complain(f"admin-guide.rst: {name}: it is not said what is printed as {word}=")
    constant = re.search(r"#define RWB_LOW_CALLERS\s+(\d+)", (docs.top / "rust/shim/shim.h").read_text())
    if f"\n    {must(constant, 'RWB_LOW_CALLERS')[1]} return addresses" not in docs.guide.text:
        complain(f"admin-guide.rst: headroom_low has {constant[1]} callers")
    causes = len(docs.names("Cause"))
    if f"\n    {causes} numbers" not in docs.guide.text:
        complain(f"admin-guide.rst: stall has {causes} parts")


# ---- the report

def check_report(docs):
    """Each section of the report is explained, the recipes have each cause of stalls, and quotations are
    in the README."""
    tool = docs.top / "tool/src"
    explained = "\n".join(line for s in docs.guide.below("How to read a report") for line in s["lines"])
    text = "".join(f.read_text() for f in sorted((tool / "text").glob("*.rs")))
    for heading in must(re.findall(r'page\.heading\("([^"]+)"', text), "headings of the report"):
        if not re.search(rf"(?m)^(.*, )?{re.escape(heading)}(,.*)?$", explained):
            complain(f"admin-guide.rst: section {heading} of the report is not explained")
    advice = "\n".join(line for s in docs.guide.below("Recipes") for line in s["lines"])
    advice = re.sub(r"\s+", " ", advice)
    for _, label in docs.table()["words"]["Cause"]:
        if label not in advice:
            complain(f"admin-guide.rst: the recipes do not say what to do about '{label}'")
    overview = (docs.folder / "overview.rst").read_text()
    quoted = must(re.search(r"\.\. code-block:: text\n\n((?:    .*\n|\n)+)", overview), "overview.rst: the report")[1]
    readme = {line.strip() for line in (docs.top / "README.md").read_text().splitlines()}
    for line in quoted.splitlines():
        if line.strip() and line.strip() not in readme:
            complain(f"overview.rst: quoted, but not in the README any more: {line.strip()}")


# ---- swap over NBD under fire

def table(page, heading):
    """Returns the first cells of the table in a section."""
    lines = [line for s in page.below(heading) for line in s["lines"]]
    rules = [i for i, line in enumerate(lines) if re.match(r"=+ =+", line)]
    cells = [line.split()[0] for line in lines[must(rules, f"{page.path.name}: table")[0] + 1:rules[-1]] if line[:1].strip()]
    return must(cells, f"{page.path.name}: rows of a table")


def check_nbd(docs):
    """The page has all scenarios, all keys of the map, and what can become of a point."""
    page = Page(docs.folder / "nbd.rst")
    suite = (docs.top / "scripts/measure/test-nbd.sh").read_text()
    source = must(re.search(r"\nALL=\((.*?)\)", suite, re.S), "test-nbd.sh: ALL")[1].split()
    differ("nbd.rst", "scenario", source, table(page, "make test-nbd: what goes wrong"))
    if f"row {len(source) + 1}: ``plain@base-nbd``" not in page.text:
        complain(f"nbd.rst: there are {len(source)} scenarios, and plain@base-nbd")
    on_map = (docs.top / "scripts/measure/nbd-map.sh").read_text()
    below = page.below("make nbd-map: how scarce it may be")
    point = must(re.search(r"point=\((\[mem\].*?)\)", on_map), "nbd-map.sh: the base point")[1]
    source = [f"{k}={v.strip(chr(39))}" for k, v in re.findall(r"\[(\w+)\]=(\S+)", point)]
    differ("nbd.rst", "key of the map", source, [k for s in below for keys, _ in s["terms"] for k in keys])
    states = must(re.search(r"\nSTATES=\((.*?)\)", on_map), "nbd-map.sh: STATES")[1]
    source = [s for s in re.findall(r"'[^']*'|\w+", states) if s != "'no result'"]
    lines = "\n".join(line for s in below for line in s["lines"])
    terms = re.findall(r"(?m)^([a-z]+(?:, [a-z]+)*)\n    ", lines)
    differ("nbd.rst", "what becomes of a point", source, [w for t in terms for w in t.split(", ")])
    points = must(re.search(r"\nALL=\((.*?)\n\)", on_map, re.S), "nbd-map.sh: ALL")[1].count("\n\t'")
    if f"# {points} points" not in lines:
        complain(f"nbd.rst: the map has {points} points")


def differ(page, what, source, documented):
    for name in [n for n in source if n not in documented]:
        complain(f"{page}: {what} {name} is missing")
    for name in [n for n in documented if n not in source]:
        complain(f"{page}: there is no {what} {name}")


def check_series(docs):
    """The page on the patches has each of them with its subject."""
    text = (docs.folder / "patches/index.rst").read_text()
    listed_ = re.findall(r"(?m)^(\d{4}) (.*)\n    ", text)
    source = []
    for patch in must(sorted((docs.top / "qemu/patches").glob("0*.patch")), "patches"):
        subject = must(re.search(r"^Subject: \[PATCH\] (.*(?:\n .*)*)", patch.read_text(), re.M), f"{patch.name}: subject")
        source.append((patch.name[:4], re.sub(r"\s*\n ", " ", subject[1])))
    differ("patches/index.rst", "patch", [" ".join(p) for p in source], [" ".join(p) for p in listed_])


# ---- links

def pages(docs):
    return must(sorted(docs.folder.rglob("*.rst")), "pages")


def check_links(docs):
    """The targets of :doc: and :ref:, the pages of toctrees, and our files that are named are there."""
    labels, targets = set(), []
    for page in pages(docs):
        text = page.read_text()
        labels.update(re.findall(r"(?m)^\.\. _([\w-]+):$", text))
        for role, _, target in re.findall(r":(doc|ref):`(?:([^`<]+) <)?([\w/-]+)>?`", text):
            targets.append((page, role, target))
        for block in re.findall(r"\.\. toctree::\n((?:   .*\n|\n)+)", text):
            for line in block.splitlines():
                if re.fullmatch(r"   [\w/-]+", line):
                    targets.append((page, "doc", line.strip()))
        for path in re.findall(r"``((?:scripts|rust|tool|qemu|tests|packaging|Documentation)/[\w./-]*)``", text):
            if not (docs.top / path.rstrip("/")).exists():
                complain(f"{page.name}: there is no {path}")
        for target in re.findall(r"``make ([a-z-]+)[^`]*``", text):
            if not re.search(rf"(?m)^{target}:", (docs.top / "Makefile").read_text()):
                complain(f"{page.name}: there is no make {target}")
    for page, role, target in targets:
        if role == "doc" and not (page.parent / f"{target}.rst").is_file():
            complain(f"{page.name}: no page {target}")
        if role == "ref" and target not in labels:
            complain(f"{page.name}: no label {target}")
    linked = {(page.parent / f"{target}.rst").resolve() for page, role, target in targets if role == "doc"}
    for page in pages(docs):
        if page.resolve() not in linked and page.name != "index.rst":
            complain(f"{page.name}: no page leads there")


def html(docs):
    """docutils alone can read each page. It knows neither the roles nor the toctrees of Sphinx."""
    try:
        import docutils.core
        import docutils.nodes
        import docutils.parsers.rst
        import docutils.utils
    except ImportError as e:
        raise Stop("no docutils: apt-get install python3-docutils") from e

    def role(name, rawtext, text, lineno, inliner, options=None, content=None):
        return [docutils.nodes.literal(rawtext, text)], []

    class Toctree(docutils.parsers.rst.Directive):
        has_content = True
        option_spec = {"maxdepth": int}

        def run(self):
            return []

    class Include(docutils.parsers.rst.Directive):
        required_arguments = 1
        option_spec = {"language": str}

        def run(self):
            if not (pathlib.Path(self.state.document.current_source).parent / self.arguments[0]).is_file():
                raise self.error(f"there is no file {self.arguments[0]}")
            return []

    docutils.parsers.rst.directives.register_directive("literalinclude", Include)
    for name in ("doc", "ref"):
        docutils.parsers.rst.roles.register_local_role(name, role)
    docutils.parsers.rst.directives.register_directive("toctree", Toctree)
    for page in pages(docs):
        try:
            docutils.core.publish_string(
                page.read_text(), source_path=str(page), writer_name="html5",
                settings_overrides={"halt_level": 2, "report_level": 2, "syntax_highlight": "none"})
        except docutils.utils.SystemMessage as e:
            complain(str(e))


CHECKS = {"parameters": check_parameters, "words": check_words, "rows": check_rows, "fixtures": check_fixtures,
          "events": check_events, "report": check_report, "nbd": check_nbd, "series": check_series, "links": check_links,
          "html": html}


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in CHECKS:
        sys.exit(f"usage: docs-check.py {'|'.join(CHECKS)} [TOP]")
    top = pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else __file__).resolve()
    try:
        CHECKS[sys.argv[1]](Docs(top if len(sys.argv) == 3 else top.parents[2]))
    except Stop as e:
        complain(str(e))
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
