"""bench/compare --against BUILD: compares the programs of this tree with those of another build folder, on the same rows and the same load.

A row is measured in pairs: new old, old new, and so on. The ratio of new to old is computed within each pair. With --control the old build
is measured a second time in each round, as if it were the new one. The distance of these ratios from 1 is the noise of the machine. Rows
need no change for this: the side "ours" is measured with both builds, and other sides and targets are left out.
"""

import datetime
import json
import pathlib
import random
import re
import statistics

import rows
import sides

COSTS = re.compile(r"cpu|mib|kib")  # figures that are judged: less is better, and a change must not take more


def add_options(parser):
    options = parser.add_argument_group("against another build of ours")
    options.add_argument("--against", type=pathlib.Path, metavar="BUILD", help="build folder to compare with (Release, with opp2p and bench_load)")
    options.add_argument("--rounds", type=int, default=15, help="pairs per row (15)")
    options.add_argument("--control", action="store_true", help="also compare the old build with itself, to measure the noise")
    options.add_argument("--at-most", type=float, default=1.03, help="limit of the ratio new to old for CPU and memory (1.03)")


def short(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"


def spread(ratios):
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def noise(ratios):
    """How far from 1 the median of so many pairs of one build lies by chance: 19 of 20 resampled medians are within this factor of it."""
    rng = random.Random(1)
    middle = statistics.median(ratios)
    medians = [statistics.median(rng.choices(ratios, k=len(ratios))) / middle for _ in range(1000)]
    return sorted(max(median, 1 / median) for median in medians)[949]


def divided(new, old):
    """Pair by pair; none when a figure is zero, which has no ratio."""
    return [a / b for a, b in zip(new, old)] if all(new) and all(old) else None


def said(ratios):
    return f"{ratios['median']:.3f} ({ratios['min']:.3f} to {ratios['max']:.3f})"


class Against:
    """Stands in for compare's Bench: measures "ours" with each build and judges what it costs."""

    has_bars = False

    def __init__(self, options):
        self.rounds, self.quick, self.at_most = options.rounds, options.quick, options.at_most
        self.sides = ["ours"]
        self.bytes = rows.GIGABYTE // (10 if options.quick else 1)
        self.builds = {"new": sides.BUILD, "old": options.against}
        if options.control:
            self.builds["old again"] = options.against
        self.tables = []

    def scaled(self, count):
        return max(1, count // (10 if self.quick else 1))

    def pairs(self, title, names, measure, pairs=None):
        found = {name: {} for name in self.builds}
        if "ours" not in names:
            return {}
        for number in range(self.rounds):
            if number == pairs and not any(COSTS.search(key) for key in found["new"]):
                break  # a row that takes long, and nothing in it is judged
            for name in self.builds if number % 2 == 0 else reversed(self.builds):
                with sides.measuring(self.builds[name]):
                    for key, value in measure("ours").items():
                        found[name].setdefault(key, []).append(value)
        self.judge(title, found)
        return {"ours": found["new"]}

    def judge(self, title, found):
        print(f"\n{title}, {max((len(values) for values in found['old'].values()), default=0)} pairs")
        table = {"title": title, "builds": found, "figures": {}}
        for key, old in found["old"].items():
            figure = {"new": statistics.median(found["new"][key]), "old": statistics.median(old)}
            ratios = divided(found["new"][key], old)
            if ratios:
                figure["ratio"], wanted = spread(ratios), self.at_most
                again = divided(found["old again"][key], old) if "old again" in found else None
                if again:
                    figure["control"], figure["noise"] = spread(again), noise(again)
                    wanted = max(wanted, figure["noise"])
                if COSTS.search(key):
                    figure["wanted"], figure["met"] = wanted, figure["ratio"]["median"] <= wanted
            table["figures"][key] = figure
            self.say(key, figure)
        self.tables.append(table)

    def say(self, key, figure):
        line = f"{key:<18} new {short(figure['new'])}, old {short(figure['old'])}"
        if "ratio" in figure:
            line += f", new to old {said(figure['ratio'])}"
        if "control" in figure:
            line += f", old to old {said(figure['control'])}"
        if "met" in figure:
            line += f"; at most {figure['wanted']:.3f}"
        print(f"  {'      ' if 'met' not in figure else 'met   ' if figure['met'] else 'MISSED'} {line}", flush=True)

    # The bars of the rows are against other implementations and floors.
    def figures(self, title, figures):
        pass

    def ratio(self, *_, **__):
        pass

    def bar(self, *_, **__):
        pass


def main(parser, options, machine):
    if options.write:
        parser.error("--write is for the table of docs/performance.md, which compares with other implementations; use --json")
    options.against = options.against.resolve()
    if missing := sides.missing(options.against):
        parser.error(f"{options.against} lacks {' and '.join(missing)}: build them there, with -DCMAKE_BUILD_TYPE=Release -DOPP2P_BENCH=ON")
    sides.build_ours()
    bench = Against(options)
    about = {"date": datetime.date.today().isoformat(), "machine": machine, "rounds": options.rounds, "against": str(options.against)}
    for name in options.rows or ("forward", "serve", "daemon"):
        rows.ROWS[name](bench)
        if options.json:  # after each row, so that nothing is lost of a run that is interrupted
            options.json.write_text(json.dumps({**about, "rows": bench.tables}, indent=1))
    judged = [(table["title"], key, figure) for table in bench.tables for key, figure in table["figures"].items() if "met" in figure]
    exceeded = [entry for entry in judged if not entry[2]["met"]]
    print(f"\n{len(judged) - len(exceeded)} figures within their bound, {len(exceeded)} above")
    for title, key, figure in exceeded:
        print(f"  {title}: {key} {figure['ratio']['median']:.3f} times, at most {figure['wanted']:.3f}")
    return 1 if exceeded else 0
