#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes a recording of the fixtures' guest, with events as it might have had them. It is the same each time.

recording.py FIXTURES OUT [--hostile] [--events N]

There are two bursts of direct reclaim over NBD, with kswapd in between. With --hostile, names would do harm in a page
that does not escape them.
"""
import argparse
import json
import os

HARM = '</script><img src=x onerror=alert(1)>'
HARM_TOO = "</title></style>'\"><script>document.title='owned'</script><a href=\"https://example.org/\">&amp;"


def random(seed=7):
    """Returns numbers from 0 to 1, without a library, whose sequence might change."""
    while True:
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        yield (seed >> 33) / 2**31


def share(usecs, weights):
    """Splits a time by weights. The parts sum to it."""
    whole, parts, before = sum(weights.values()), {}, 0
    for name, weight in weights.items():
        until = before + weight
        parts[name] = int(usecs * until / whole) - int(usecs * before / whole)
        before = until
    return {name: part for name, part in parts.items() if part}


def events(count, start, seconds, comm):
    rnd = random()
    for i in range(count):
        at = i / count
        ns = start + int((at * 0.98 + 0.01) * seconds * 1e9)
        burst = 0.15 < at < 0.4 or 0.6 < at < 0.9
        kswapd = i % 4 == 0
        origin = "kswapd" if kswapd else "memcg_max" if i % 9 == 1 else "direct"
        pid = 46 if kswapd else 148 + i % 4
        name = "kswapd0" if kswapd else comm
        base = {"cpu": i % 2, "pid": pid, "comm": name}
        usecs = int((40_000 if burst else 3_000) * (0.2 + next(rnd)) ** 3)
        pages = int((48 if burst else 6) * next(rnd))
        yield {"ns": ns, **base, "name": "reclaim_window",
               "fields": {"origin": origin, "nr_reclaimed": 32, "pages_written": pages, "depth": 1, "usecs": usecs}}
        if kswapd:
            continue
        lock = 8 * next(rnd) if burst else 0.2
        weights = {"scan": 2, "nbd_lock": lock, "nbd_send": lock / 2, "runqueue": next(rnd), "tlb": 0.4 * next(rnd),
                   "shrinker": 0.3, "pfmemalloc": 2 if 0.7 < at < 0.75 else 0, "throttle_writeback": 0.2 * next(rnd),
                   "compaction": 0.1, "unexplained": 0.1, "swap_submit": 0.1, "off_cpu": 0.1}
        yield {"ns": ns + 1000, **base, "name": "stall",
               "fields": {"origin": origin, "usecs": usecs, **share(usecs, weights), "order": 0, "gfp": "0x140cca",
                          "nid": 0, "cgroup": 1, "scanned": 100, "freed": 5, "inactive_file": 7, "inactive_anon": 8,
                          "dirty": 9}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fixtures")
    parser.add_argument("out")
    parser.add_argument("--hostile", action="store_true")
    parser.add_argument("--events", type=int, default=3000, help="about how many")
    args = parser.parse_args()

    def snapshot(name):
        with open(os.path.join(args.fixtures, name), encoding="utf-8") as file:
            text = file.read()
        if args.hostile:
            quoted = json.dumps(HARM)[1:-1]
            # A name in the ledgers ends at a blank, or at the end of its row.
            text = text.replace("comm=memhog", "comm=" + quoted).replace("/rwb-limited", "/" + quoted.replace(" ", "\\\\x20"))
        loaded = json.loads(text)
        if args.hostile:
            loaded["system"]["kernel_release"] = HARM
            loaded["system"]["cmdline"] = HARM_TOO
            for swap in loaded["system"]["swaps"]:
                swap["name"] = "/dev/" + HARM
        return loaded

    before, after = snapshot("stalls-before.json"), snapshot("stalls.json")
    start = int(before["system"]["uptime"] * 1e9)
    seconds = after["system"]["uptime"] - before["system"]["uptime"]
    all_events = sorted(events(args.events * 4 // 7, start, seconds, HARM if args.hostile else "memhog"), key=lambda e: e["ns"])
    lines = [
        {"reclaimwb": "recording", "format": 1, "tool": "0.1.0", "started": "2026-11-22T11:02:16Z",
         "command": [HARM_TOO] if args.hostile else ["make", "-j4"], "clock": {"name": "mono", "ns": start},
         "events": ["stall", "reclaim_window", "headroom_low", "write_around"], "system": before["system"]},
        {"before": before}, *({"event": event} for event in all_events), {"lost": {"cpu": 1, "events": 7}},
        {"after": after},
        {"end": {"events": len(all_events), "lost": 7, "seconds": round(seconds, 2), "interrupted": False, "exit": 0}},
    ]
    with open(args.out, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


if __name__ == "__main__":
    main()
