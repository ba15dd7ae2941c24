#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the runs of `make bench` amount to.

    bench-report.py run DIR              one run, in one line
    bench-report.py all BENCH SCENARIOS  BENCH/results.json, plots, a table on stdout

A run is a folder that scripts/measure/bench.sh made: rc, results/ (what the guest counted before
and after), nbd/ (the disk server's log, where there is a disk). A scenario says in its first
comment lines which sides and metrics it has, and what is aimed at: `METRIC TEST LIMIT`,
where TEST is <, <=, > or >= and LIMIT a number, or a number times the median of another
side (`0.1*stock`, `1.2*best`: the better of stock and tuned); or `METRIC ~ stock`. A run
that failed has no numbers, is counted, listed and makes the exit code 1. Where a task was
killed for memory its time counts as infinite, and what it did as nothing.
"""

import json
import math
import pathlib
import re
import statistics
import subprocess
import sys

# All there are, in the order of the columns; what a scenario has if it does not say.
SIDES = ("stock", "tuned", "reclaimwb")
DEFAULT_SIDES = "stock reclaimwb"
PAGE_KIB = 4
# benchload's direct reads that show in the disk's log, in pages from its end.
MARK_BEGIN, MARK_END = 1, 2

USER_HZ = 100

# name: unit, what it is (for the table). Lower is better, but where it says MORE.
MORE = "more is better"
METRICS = {
    "oom_kills": ("kills", "OOM kills"),
    "squeeze_s": ("s", "time of the allocation"),
    "beyond_calm_s": ("s", "of it beyond the time without pressure"),
    "finish_s": ("s", "time to finish"),
    "longest_ms": ("ms", "longest fault"),
    "fill_s": ("s", "time to fill the working set"),
    "touches": ("pages", "pages touched", MORE),
    "touches_least": ("pages", "of the task that touched least", MORE),
    "touch_longest_ms": ("ms", "longest fault once all was filled"),
    "neighbour_longest_ms": ("ms", "longest fault of the neighbour"),
    "slow_p50_ms": ("ms", "half of the slow faults took less than"),
    "slow_p99_ms": ("ms", "99% of the slow faults took less than"),
    "stall_p50_ms": ("ms", "half of the stalls took less than"),
    "stall_p99_ms": ("ms", "99% of the stalls took less than"),
    "stall_longest_ms": ("ms", "longest stall"),
    "high_success": ("%", "high-order allocations that got that order", MORE),
    "high_p50_ms": ("ms", "half of high-order allocations took less than"),
    "high_p99_ms": ("ms", "99% of high-order allocations took less than"),
    "high_longest_ms": ("ms", "longest high-order allocation"),
    "pages_per_bio": ("pages", "pages a bio of swap-out", MORE),
    "reclaim_cpu_s": ("s", "CPU time in the kernel"),
    "cpu_us_per_page": ("us", "the same, a page that was swapped in or out"),
    "fill_cpu_us_per_page": ("us", "the same until all was filled"),
    "stalls": ("stalls", "allocations that had to reclaim"),
    "refused": ("of one taken", "folios of tasks that were refused"),
    "scanned_per_freed": ("pages", "pages scanned per page freed"),
    "written_per_freed": ("pages", "pages written per page freed"),
    "unneeded_pages": ("pages", "pages written beyond those freed"),
    "others_pages": ("pages", "pages the helper wrote that reclaim had not met"),
    "write_requests": ("requests", "write requests at the disk"),
    "request_kib": ("KiB", "mean write request", MORE),
    "seeks": ("seeks", "writes not next to the one before"),
    "seek_mib": ("MiB", "mean distance of such"),
}
PLOTS = ("squeeze_s", "finish_s", "longest_ms", "scanned_per_freed", "write_requests", "touches", "fill_s",
         "slow_p99_ms", "stall_p99_ms", "high_success", "high_p99_ms", "pages_per_bio")
# side: of its boxes, of its dots.
COLORS = {"stock": ("#888888", "#444444"), "tuned": ("#d98c1f", "#6b4208"), "reclaimwb": ("#1f77b4", "#0b3d66")}


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


def ledger(before, after):
    """The rows that changed."""
    return {key: value - before.get(key, 0) for key, value in after.items()
            if isinstance(value, float) and value != before.get(key, 0) and ".hist." not in key}


def system_s(path):
    """What all CPUs were in the kernel, in s: `cpu user nice system ...`."""
    return int(path.read_text().split()[3]) / USER_HZ


def high_metrics(loads):
    """What became of the allocations of a higher order."""
    if loads.get("swap.killed"):
        return {"high_success": 0.0, "high_p50_ms": math.inf, "high_p99_ms": math.inf, "high_longest_ms": math.inf}
    return {"high_success": 100 * ratio(loads["swap.high_got"], loads["swap.high_tries"])} | {
        f"high_{what}_ms": loads[f"swap.high_{what}_us"] / 1e3 for what in ("p50", "p99", "longest")}


def stall_metrics(results):
    """How long the direct reclaims took, by the kernel's own events; none if some were lost."""
    stalls = sorted(int(us) / 1e3 for us in (results / "stalls").read_text().split())
    if not stalls or pairs(results / "facts").get("stalls_lost") != 0:
        return {}
    return {"stall_p50_ms": quantile(stalls, 0.5), "stall_p99_ms": quantile(stalls, 0.99),
            "stall_longest_ms": stalls[-1]}


def swap_metrics(results, loads, before, after):
    """What swapload told, and the kernel of swap meanwhile."""
    out = {
        "stalls": grown(before, after, "allocstall_.*"),
        "reclaim_cpu_s": system_s(results / "cpu.after") - system_s(results / "cpu.before"),
    }
    swapped = grown(before, after, "pswp(in|out)")
    if swapped:
        out["cpu_us_per_page"] = out["reclaim_cpu_s"] * 1e6 / swapped
    if "nrswpout" in after:
        out["pages_per_bio"] = ratio(grown(before, after, "pswpout"), grown(before, after, "nrswpout"))
    if "high_order" in pairs(results / "facts"):
        out.update(high_metrics(loads))
    if loads.get("swap.killed"):
        out.update(fill_s=math.inf, longest_ms=math.inf, touches=0.0, touches_least=0.0)
    else:
        # Until then all sides do the same work. Afterwards a side whose tasks wait less also reads
        # more pages, one by one, and a read costs more than a page of a large write.
        if loads.get("swap.fill_swapped"):
            out["fill_cpu_us_per_page"] = loads["swap.fill_system_us"] / loads["swap.fill_swapped"]
        out.update(fill_s=loads["swap.fill_ms"] / 1e3, longest_ms=loads["swap.longest_us"] / 1e3,
                   touches=loads["swap.touches"], touches_least=loads["swap.touches_least"],
                   touch_longest_ms=loads["swap.touch_longest_us"] / 1e3,
                   slow_p50_ms=loads["swap.slow_p50_us"] / 1e3, slow_p99_ms=loads["swap.slow_p99_us"] / 1e3)
    if "neighbour.longest_us" in loads:
        out["neighbour_longest_ms"] = loads["neighbour.longest_us"] / 1e3
    out.update(stall_metrics(results))
    if (results / "handoff.after").exists():
        handoff = pairs(results / "handoff.before"), pairs(results / "handoff.after")
        out["handoff"] = ledger(*handoff)
        # Without handoff (stock as the module with handoff=never) the rows are there, and say nothing.
        if handoff[1].get("state") == "on":
            out["refused"] = ratio(grown(*handoff, r"direct\.refused\.(devices|late|full|going)\.requests"),
                                   grown(*handoff, r"direct\.taken\.requests"))
    return out


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
        out["helper"] = ledger(*helper)
    if any(key.startswith("swap.") for key in loads):
        out.update(swap_metrics(results, loads, before, after))
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


def sides_of(head):
    """The sides of a scenario, in the order of the columns."""
    named = head.get("sides", DEFAULT_SIDES).split()
    return [side for side in SIDES if side in named]


def more_is_better(metric):
    return MORE in METRICS[metric][2:]


def quotient(medians, side):
    """How reclaimwb compares with that side."""
    ours, theirs = medians.get("reclaimwb"), medians.get(side)
    return None if ours is None or not theirs or not math.isfinite(theirs) else ours / theirs


def row(scenario, metric, runs, sides):
    values = {side: [run["metrics"][metric] for run in runs
                     if run["side"] == side and run["status"] == "ok" and metric in run["metrics"]]
              for side in sides}
    stats = {side: spread(values[side]) for side in sides}
    medians = {side: stats[side] and stats[side]["median"] for side in sides}
    return {
        "name": f"{scenario}/{metric}", "scenario": scenario, "metric": metric,
        "what": METRICS[metric][1], "unit": METRICS[metric][0],
        "stock": medians.get("stock"), "tuned": medians.get("tuned"), "reclaimwb": medians.get("reclaimwb"),
        "ratio": quotient(medians, "stock"), "ratio_tuned": quotient(medians, "tuned"),
        "runs": {side: len(values[side]) for side in sides},
        "failed": {side: sum(run["side"] == side and run["status"] != "ok" for run in runs) for side in sides},
        "spread": stats, "values": values,
    }


def limit_of(text, of):
    """What `5`, `0.1*stock` or `1.2*best` amounts to; None if that side has no numbers."""
    factor, _, side = text.partition("*")
    if not side:
        return float(factor)
    better = max if more_is_better(of["metric"]) else min
    known = [of[each] for each in (("stock", "tuned") if side == "best" else (side,)) if of[each] is not None]
    return float(factor) * better(known) if known else None


def judge(aim, rows):
    """An aim of a scenario, over every run with reclaimwb; failed runs did not meet it."""
    metric, test, limit = aim.split()
    of = next(row for row in rows if row["metric"] == metric)
    ours, failed = of["values"]["reclaimwb"], of["failed"]["reclaimwb"]
    result = {"aim": aim, "runs": len(ours) + failed}
    if test == "~":
        # Within noise: our median is not worse than the worst that stock did itself.
        stock = of["spread"]["stock"]
        met = bool(ours and stock and not failed and
                   (of["reclaimwb"] >= stock["min"] if more_is_better(metric) else of["reclaimwb"] <= stock["max"]))
        return result | {"met_in": result["runs"] if met else 0, "met": met}
    bound = limit_of(limit, of)
    result["limit"] = bound
    # Who never comes to an end is not as good as another who does not either.
    good = {"<": lambda v: v < bound, "<=": lambda v: v <= bound and math.isfinite(v),
            ">": lambda v: v > bound, ">=": lambda v: v >= bound}[test]
    met_in = 0 if bound is None else sum(map(good, ours))
    return result | {"met_in": met_in, "met": result["runs"] > 0 and met_in == result["runs"]}


def summarize(runs, heads):
    rows, aims = [], []
    for scenario, head in heads.items():
        of = [run for run in runs if run["scenario"] == scenario]
        mine = [row(scenario, metric, of, sides_of(head)) for metric in head["metrics"].split()]
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


def times(value):
    return "-" if value is None else f"{value:.2f}"


def aim_line(aim):
    limit = f" ({short(aim['limit'])})" if "*" in aim["aim"] else ""
    return f"  aim {aim['aim']}{limit}: {'met' if aim['met'] else 'NOT MET'} ({aim['met_in']} of {aim['runs']} runs)"


def table(rows, aims, heads, runs):
    lines = []
    for scenario, head in heads.items():
        of, sides = [each for each in rows if each["scenario"] == scenario], sides_of(head)
        ratios = {"ratio": "ratio"} | ({"ratio_tuned": "to tuned"} if "tuned" in sides else {})
        counts = ", ".join(f"{side} {of[0]['runs'][side]}" +
                           (f" and {of[0]['failed'][side]} FAILED" if of[0]["failed"][side] else "")
                           for side in sides)
        lines += ["", f"{scenario}: {head.get('title', '')} (runs: {counts})",
                  "  " + " ".join([f"{'median [min..max]':50}"] + [f"{side:>28}" for side in sides] +
                                  [f"{what:>{max(len(what), 6)}}" for what in ratios.values()])]
        for each in of:
            unit = "" if each["unit"] in each["what"] else f", {each['unit']}"
            lines.append("  " + " ".join([f"{each['what'] + unit:50}"] + [f"{cell(each, side):>28}" for side in sides] +
                                         [f"{times(each[key]):>{max(len(what), 6)}}" for key, what in ratios.items()]))
        lines += [aim_line(aim) for aim in aims if aim["scenario"] == scenario]
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
    sides = [side for side in SIDES if any(side in each["values"] for each in rows)]
    every = [v for each in rows for values in each["values"].values() for v in values]
    seen = [v for v in every if math.isfinite(v)]
    top, least = max(seen, default=1) * 3 or 1, min([v for v in seen if v > 0], default=1) / 3
    place = lambda v: top if math.isinf(v) else max(v, least)
    blocks, curves, room = [], [], 0.8 / len(sides)
    for n, side in enumerate(sides):
        boxes, dots = [], []
        for at, each in enumerate(rows):
            x = at + (n - (len(sides) - 1) / 2) * room
            stats = each["spread"].get(side)
            if stats:
                boxes.append(" ".join(str(v) for v in [x] + [place(stats[k]) for k in ("q1", "min", "max", "q3", "median")]))
            dots += [f"{x + ((i % 5) - 2) * room * 0.075} {place(v)}"
                     for i, v in enumerate(each["values"].get(side, []))]
        box, dot = COLORS[side]
        curves += [f'd index {2 * n} using 1:2:3:4:5 with candlesticks lc rgb "{box}" title "{side}" whiskerbars',
                   f'd index {2 * n} using 1:6:6:6:6 with candlesticks lc rgb "#000000" notitle',
                   f'd index {2 * n + 1} using 1:2 with points pt 7 ps 0.4 lc rgb "{dot}" notitle']
        blocks += ["\n".join(boxes or ["NaN NaN NaN NaN NaN NaN"]), "\n".join(dots or ["NaN NaN"])]
    data.write_text("\n\n\n".join(blocks) + "\n")
    tics = ", ".join(f'"{each["scenario"]}" {at}' for at, each in enumerate(rows))
    unit, what = METRICS[metric][:2]
    never = any(map(math.isinf, every))
    along = ", \\\n     ".join(curves)
    script.write_text(f"""set terminal svg size {260 + 130 * len(rows)},420 font "sans,12"
set output "{bench / (metric + '.svg')}"
set title "{what}: median, quartiles, all runs"
set ylabel "{unit}{', top: never (killed)' if never else ''}"
set logscale y
set yrange [{least}:{top * 1.3}]
set xrange [-0.7:{len(rows) - 0.3}]
set xtics ({tics}) rotate by -20
set grid ytics
set boxwidth {room * 0.75}
set key top left
d = "{data}"
plot {along}
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
        print(f"error: no plots: {error}: scripts/build/deps.sh bench", file=sys.stderr)
    return any(run["status"] != "ok" for run in runs)


def one_run(run):
    result = load_run(run)
    name = f"{result['scenario']} {result['pair']} {result['side']}"
    if result["status"] != "ok":
        return f"{name}: FAILED: {result['reason']} ({run})"
    of = result["metrics"]
    said = [f"{metric} {short(of[metric])}" for metric in
            ("oom_kills", "squeeze_s", "finish_s", "fill_s", "touches", "longest_ms", "slow_p99_ms", "high_success",
             "high_p99_ms", "pages_per_bio", "reclaim_cpu_s", "cpu_us_per_page", "stalls", "refused", "scanned_per_freed",
             "write_requests") if metric in of]
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
