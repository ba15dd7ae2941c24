#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the runs of `make bench` amount to.

    bench-report.py run DIR              one run, in one line
    bench-report.py all BENCH SCENARIOS  BENCH/results.json, plots, a table on stdout

A run is a folder that scripts/bench.sh made: rc, results/ (what the guest counted before
and after), nbd/ (the disk server's log). A scenario says in its first comment lines which
metrics it has, and what is aimed at. A run that failed has no numbers, is counted, listed
and makes the exit code 1. Where a task was killed for memory its time counts as infinite.
"""

import json
import math
import pathlib
import re
import statistics
import subprocess
import sys

SIDES = ("stock", "reclaimwb")
PAGE_KIB = 4
# benchload's direct reads that show in the disk's log, in pages from its end.
MARK_BEGIN, MARK_END = 1, 2

# name: unit, what it is (for the table). Lower is better for all but KiB a request.
METRICS = {
    "oom_kills": ("kills", "OOM kills"),
    "squeeze_s": ("s", "time of the allocation"),
    "beyond_calm_s": ("s", "of it beyond the time without pressure"),
    "finish_s": ("s", "time to finish"),
    "longest_ms": ("ms", "longest fault"),
    "scanned_per_freed": ("pages", "pages scanned per page freed"),
    "written_per_freed": ("pages", "pages written per page freed"),
    "unneeded_pages": ("pages", "pages written beyond those freed"),
    "others_pages": ("pages", "pages the helper wrote that reclaim had not met"),
    "write_requests": ("requests", "write requests at the disk"),
    "request_kib": ("KiB", "mean write request"),
    "seeks": ("seeks", "writes not next to the one before"),
    "seek_mib": ("MiB", "mean distance of such"),
}
PLOTS = ("squeeze_s", "finish_s", "longest_ms", "scanned_per_freed", "write_requests")


class Failed(Exception):
    """A run without numbers: says why."""


# ---- one run

def pairs(path):
    """`key value` lines as numbers where they are numbers."""
    result = {}
    for line in path.read_text().splitlines():
        key, _, value = line.partition(" ")
        result[key] = float(value) if re.fullmatch(r"-?[0-9]+", value) else value
    return result


def grown(before, after, pattern):
    keys = [key for key in after if re.fullmatch(pattern, key)]
    if not keys:
        raise Failed(f"no counter {pattern}")
    return sum(after[key] - before.get(key, 0) for key in keys)


def ratio(a, b):
    """A quotient that has an answer for nothing at all: infinite, or 0 of 0."""
    if b:
        return a / b
    return math.inf if a else 0.0


def disk_writes(log):
    """(offset, size) of the writes between the marks, in the order the disk took them."""
    size = begin = end = None
    reads, writes = [], []
    for number, line in enumerate(log.read_text(errors="replace").splitlines()):
        found = re.search(r" connection=\S+ (Connect|Read|Write) id=\S+ (.*)", line)
        if not found:
            found = re.search(r" connection=\S+ (Connect) (.*)", line)
        if not found:
            continue
        what = dict(re.findall(r"(\w+)=(\w+)", found[2]))
        if found[1] == "Connect":
            size = int(what.get("size", "0"), 0) or size
        elif found[1] == "Read":
            reads.append((number, int(what["offset"], 0)))
        else:
            writes.append((number, int(what["offset"], 0), int(what["count"], 0)))
    if not size:
        raise Failed("the disk's log does not say how large the disk is")
    for number, offset in reads:
        if offset == size - MARK_BEGIN * 4096:
            begin = number
        elif offset == size - MARK_END * 4096 and begin is not None and end is None:
            end = number
    if begin is None or end is None:
        raise Failed("the marks are not in the disk's log")
    return [(offset, count) for number, offset, count in writes if begin < number < end]


def disk_metrics(writes):
    jumps = [abs(offset - (last + count))
             for (last, count), (offset, _) in zip(writes, writes[1:]) if offset != last + count]
    return {
        "write_requests": len(writes),
        "request_kib": ratio(sum(count for _, count in writes) / 1024, len(writes)),
        "seeks": len(jumps),
        "seek_mib": ratio(sum(jumps) / 2**20, len(jumps)),
    }


def script_end(run):
    """How the scenario ended, and what to tell although it ended well."""
    ktap = (run / "ktap.log").read_text(errors="replace") if (run / "ktap.log").exists() else ""
    end = re.search(r"^# end bench/\S+ rc=(-?[0-9]+)", ktap, re.M)
    if not end:
        reason = run / "reason"
        raise Failed(reason.read_text().strip() if reason.exists() else "the guest did not come to an end")
    if end[1] != "0":
        why = re.search(r"^not ok [0-9]+ (.*)|^Bail out! *(.*)|^# (?:ERROR|FAIL)[^:]*: *(.*)|^1\.\.0 # SKIP (.*)",
                        ktap, re.M)
        raise Failed(next(filter(None, why.groups()), "") if why else f"exit code {end[1]}")
    return re.findall(r"^# kernel log, in \S+: (.*)", ktap, re.M)


def load_run(run):
    """Everything one run says: its metrics, or why there are none."""
    number, _, side = run.name.partition("-")
    result = {"scenario": run.parent.name, "pair": int(number), "side": side}
    for name in ("seconds", "load"):
        if (run / name).exists():
            result[name] = float((run / name).read_text())
    try:
        result["notes"] = script_end(run)
        result.update(status="ok", metrics=metrics(run), facts=pairs(run / "results/facts"))
    except (Failed, OSError, KeyError, ValueError) as error:
        result.update(status="failed", reason=str(error))
    return result


def metrics(run):
    results = run / "results"
    loads = pairs(results / "loads")
    before, after = pairs(results / "vmstat.before"), pairs(results / "vmstat.after")
    freed = grown(before, after, "pgsteal_(kswapd|direct|khugepaged|proactive)")
    written = grown(before, after, "nr_written")
    # memory.max kills are not in oom_kill of all kernels: what was seen counts too.
    killed = [key for key, value in loads.items() if key.endswith(".killed") and value]
    out = {
        "oom_kills": max(grown(before, after, "oom_kill"), len(killed)),
        "scanned": grown(before, after, "pgscan_(kswapd|direct|khugepaged|proactive)"),
        "freed": freed,
        "written": written,
        "written_per_freed": ratio(written, freed),
        "unneeded_pages": max(written - freed, 0),
    }
    out["scanned_per_freed"] = ratio(out["scanned"], freed)
    if "squeeze.us" in loads:
        out["squeeze_s"] = math.inf if loads["squeeze.killed"] else loads["squeeze.us"] / 1e6
    if "calm.us" in loads:
        out["beyond_calm_s"] = max(out["squeeze_s"] - loads["calm.us"] / 1e6, 0)
    finish = [loads[key] for key in ("load.us", "second.us") if key in loads]
    if finish:
        out["finish_s"] = max(finish) / 1e6
    for key in ("squeeze", "churn"):
        if key + ".longest.us" in loads:
            out["longest_ms"] = loads[key + ".longest.us"] / 1e3
    if (results / "helper.after").exists():
        helper = pairs(results / "helper.before"), pairs(results / "helper.after")
        out["others_pages"] = grown(*helper, r"written\.pages\.others")
        out["helper"] = {key: value - helper[0].get(key, 0) for key, value in helper[1].items()
                         if isinstance(value, float) and value != helper[0].get(key, 0)
                         and ".hist." not in key}
    logs = sorted((run / "nbd").glob("*.log"))
    if logs:
        out.update(disk_metrics(disk_writes(logs[0])))
    return out


# ---- all of them

def quantile(ordered, q):
    """Between neighbours in proportion; the infinite stay so."""
    place = q * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low if low == high else low + (high - low) * (place - math.floor(place))


def spread(values):
    if not values:
        return None
    ordered = sorted(values)
    return {"min": ordered[0], "q1": quantile(ordered, 0.25), "median": statistics.median(ordered),
            "q3": quantile(ordered, 0.75), "max": ordered[-1]}


def scenario_head(path):
    """The `# key: value` comments at the beginning of a scenario."""
    head = {}
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        found = re.match(r"# ([a-z]+): (.*)", line)
        if found:
            head.setdefault(found[1], found[2])
    return head


def row(scenario, metric, runs):
    values = {side: [run["metrics"][metric] for run in runs
                     if run["side"] == side and run["status"] == "ok" and metric in run["metrics"]]
              for side in SIDES}
    stats = {side: spread(values[side]) for side in SIDES}
    medians = {side: stats[side] and stats[side]["median"] for side in SIDES}
    quotient = None
    if None not in medians.values() and math.isfinite(medians["stock"]) and medians["stock"]:
        quotient = medians["reclaimwb"] / medians["stock"]
    return {
        "name": f"{scenario}/{metric}", "scenario": scenario, "metric": metric,
        "what": METRICS[metric][1], "unit": METRICS[metric][0],
        "stock": medians["stock"], "reclaimwb": medians["reclaimwb"], "ratio": quotient,
        "runs": {side: len(values[side]) for side in SIDES},
        "failed": {side: sum(run["side"] == side and run["status"] != "ok" for run in runs) for side in SIDES},
        "spread": stats, "values": values,
    }


def judge(aim, rows):
    """An aim of a scenario, over every run with reclaimwb; failed runs did not meet it."""
    metric, test, limit = aim.split()
    of = next(row for row in rows if row["metric"] == metric)
    ours, failed = of["values"]["reclaimwb"], of["failed"]["reclaimwb"]
    result = {"aim": aim, "runs": len(ours) + failed}
    if test == "~":
        # Within noise: our median is not worse than the worst that stock did itself.
        stock = of["spread"]["stock"]
        met = bool(ours and stock and not failed and of["reclaimwb"] <= stock["max"])
        return result | {"met_in": result["runs"] if met else 0, "met": met}
    good = {"<": lambda v: v < float(limit), "<=": lambda v: v <= float(limit)}[test]
    met_in = sum(map(good, ours))
    return result | {"met_in": met_in, "met": result["runs"] > 0 and met_in == result["runs"]}


def summarize(runs, heads):
    rows, aims = [], []
    for scenario, head in heads.items():
        of = [run for run in runs if run["scenario"] == scenario]
        mine = [row(scenario, metric, of) for metric in head["metrics"].split()]
        rows += mine
        aims += [{"scenario": scenario} | judge(aim.strip(), mine)
                 for aim in head.get("aim", "").split(";") if aim.strip()]
    return rows, aims


def finite(value):
    """JSON knows no infinity: a string says it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else "inf"
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [finite(each) for each in value]
    return value


def short(value):
    if value is None:
        return "-"
    if math.isinf(value):
        return "never"
    if value == 0 or value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def cell(of, side):
    stats = of["spread"][side]
    if not stats:
        return "-"
    return f"{short(stats['median'])} [{short(stats['min'])}..{short(stats['max'])}]"


def table(rows, aims, heads, runs):
    lines = []
    for scenario, head in heads.items():
        of = [each for each in rows if each["scenario"] == scenario]
        counts = ", ".join(f"{side} {of[0]['runs'][side]}" +
                           (f" and {of[0]['failed'][side]} FAILED" if of[0]["failed"][side] else "")
                           for side in SIDES)
        lines += ["", f"{scenario}: {head.get('title', '')} (runs: {counts})",
                  f"  {'median [min..max]':50} {'stock':>28} {'reclaimwb':>28} {'ratio':>6}"]
        for each in of:
            quotient = "-" if each["ratio"] is None else f"{each['ratio']:.2f}"
            unit = "" if each["unit"] in each["what"] else f", {each['unit']}"
            lines.append(f"  {each['what'] + unit:50} {cell(each, 'stock'):>28} "
                         f"{cell(each, 'reclaimwb'):>28} {quotient:>6}")
        lines += [f"  aim {aim['aim']}: {'met' if aim['met'] else 'NOT MET'} ({aim['met_in']} of {aim['runs']} runs)"
                  for aim in aims if aim["scenario"] == scenario]
    told = [f"  {run['scenario']} {run['pair']} {run['side']}: {what}" for run in runs
            for what in ([f"FAILED: {run['reason']}"] if run["status"] != "ok" else
                         [f"kernel log: {note}" for note in run["notes"]])]
    if told:
        lines += ["", "runs to look at:"] + told
    return "\n".join(lines[1:])


# ---- plots: gnuplot draws what is written down here

def plot(bench, metric, rows):
    rows = [each for each in rows if each["metric"] == metric and any(each["runs"].values())]
    if not rows:
        return
    data, script = bench / "plot" / f"{metric}.dat", bench / "plot" / f"{metric}.gp"
    data.parent.mkdir(exist_ok=True)
    seen = [v for each in rows for side in SIDES for v in each["values"][side] if math.isfinite(v)]
    top, least = max(seen, default=1) * 3 or 1, min([v for v in seen if v > 0], default=1) / 3
    place = lambda v: top if math.isinf(v) else max(v, least)
    blocks = []
    for n, side in enumerate(SIDES):
        boxes, dots = [], []
        for at, each in enumerate(rows):
            x = at + (n - 0.5) * 0.4
            stats = each["spread"][side]
            if stats:
                boxes.append(" ".join(str(v) for v in [x] + [place(stats[k]) for k in ("q1", "min", "max", "q3", "median")]))
            dots += [f"{x + ((i % 5) - 2) * 0.03} {place(v)}" for i, v in enumerate(each["values"][side])]
        blocks += ["\n".join(boxes or ["NaN NaN NaN NaN NaN NaN"]), "\n".join(dots or ["NaN NaN"])]
    data.write_text("\n\n\n".join(blocks) + "\n")
    tics = ", ".join(f'"{each["scenario"]}" {at}' for at, each in enumerate(rows))
    unit, what = METRICS[metric]
    never = any(math.isinf(v) for each in rows for side in SIDES for v in each["values"][side])
    script.write_text(f"""set terminal svg size {260 + 130 * len(rows)},420 font "sans,12"
set output "{bench / (metric + '.svg')}"
set title "{what}: median, quartiles, all runs"
set ylabel "{unit}{', top: never (killed)' if never else ''}"
set logscale y
set yrange [{least}:{top * 1.3}]
set xrange [-0.7:{len(rows) - 0.3}]
set xtics ({tics}) rotate by -20
set grid ytics
set boxwidth 0.3
set key top left
d = "{data}"
plot d index 0 using 1:2:3:4:5 with candlesticks lc rgb "#888888" title "{SIDES[0]}" whiskerbars, \\
     d index 0 using 1:6:6:6:6 with candlesticks lc rgb "#000000" notitle, \\
     d index 1 using 1:2 with points pt 7 ps 0.4 lc rgb "#444444" notitle, \\
     d index 2 using 1:2:3:4:5 with candlesticks lc rgb "#1f77b4" title "{SIDES[1]}" whiskerbars, \\
     d index 2 using 1:6:6:6:6 with candlesticks lc rgb "#000000" notitle, \\
     d index 3 using 1:2 with points pt 7 ps 0.4 lc rgb "#0b3d66" notitle
""")
    subprocess.run(["gnuplot", str(script)], check=True)


def all_runs(bench, scenarios):
    runs = [load_run(run) for run in sorted((bench / "runs").glob("*/*-*")) if run.is_dir()]
    if not runs:
        sys.exit(f"error: there is no run in {bench / 'runs'}: make bench")
    heads = {name: scenario_head(scenarios / f"{name}.sh") for name in sorted({run["scenario"] for run in runs})}
    rows, aims = summarize(runs, heads)
    facts = pairs(bench / "facts") if (bench / "facts").exists() else {}
    (bench / "results.json").write_text(json.dumps(
        finite({"facts": facts, "rows": rows, "aims": aims, "runs": runs}), indent=1) + "\n")
    print(table(rows, aims, heads, runs))
    try:
        for metric in PLOTS:
            plot(bench, metric, rows)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"error: no plots: {error}: scripts/deps.sh bench", file=sys.stderr)
    return any(run["status"] != "ok" for run in runs)


def one_run(run):
    result = load_run(run)
    name = f"{result['scenario']} {result['pair']} {result['side']}"
    if result["status"] != "ok":
        return f"{name}: FAILED: {result['reason']} ({run})"
    of = result["metrics"]
    said = [f"{metric} {short(of[metric])}" for metric in
            ("oom_kills", "squeeze_s", "finish_s", "longest_ms", "scanned_per_freed", "write_requests") if metric in of]
    return f"{name}: {', '.join(said)} ({short(result.get('seconds'))} s)"


def main(argv):
    if len(argv) == 3 and argv[1] == "run":
        print(one_run(pathlib.Path(argv[2])))
    elif len(argv) == 4 and argv[1] == "all":
        sys.exit(1 if all_runs(pathlib.Path(argv[2]), pathlib.Path(argv[3])) else 0)
    else:
        sys.exit("usage: bench-report.py run DIR | all BENCH SCENARIOS")


if __name__ == "__main__":
    main(sys.argv)
