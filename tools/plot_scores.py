#!/usr/bin/env python3
"""Draws the plots of docs/scoring.md from docs/scoring.json: tools/plot_scores.py [--measure] [--check]

--measure runs the stories with build/opp2p first and writes docs/scoring.json anew (./test honest measures the same).
--check draws nothing and reports a plot that is not what this script makes of the figures. The same figures give the same bytes.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
FIGURES = DOCS / "scoring.json"
OPP2P = ROOT / "build" / "opp2p"

# name: (story, nodes, minutes, settings)
RUNS = {
    "all": ("honest/all", 50, 5, ["profile=opp2p"]),
    "ban": ("ban/invalid-blocks", 50, 5, ["profile=opp2p"]),
    "ban_light": ("ban/invalid-blocks", 50, 5, ["profile=light"]),
    "shared": ("honest/shared-address", 50, 5, ["profile=opp2p"]),
    "shared_light": ("honest/shared-address", 50, 5, ["profile=light"]),
}

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 50
COLOURS = ("#1f5fa8", "#c2571a", "#3d8b40")


def kept(report):
    """What the page and its plots need of a report."""
    scores = report["scores"]
    return {"story": report["story"], "settings": report["settings"], "trace_hash": report["trace_hash"], "rejected": report["rejected"],
            "restarts": report["restarts"], "least": scores["least"], "pairs_below_zero": scores["pairs_below_zero"],
            "honest_banned": scores["honest_banned"], "own_faults": scores["own_faults"], "hostile_banned": scores["hostile_banned"],
            "most_until_ban": scores["most_until_ban"], "most_without_ban": scores["most_without_ban"],
            "after_invalid": [[one["pairs"], round(one["mean"], 4)] for one in scores["after_invalid"]],
            "points": [[point["time"], round(point["least"], 4), round(point["median"], 4)] for point in scores["points"]]}


def write_figures(figures):
    lines = [f"{json.dumps(name)}: {json.dumps(figures[name])}" for name in RUNS if name in figures]
    FIGURES.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def measure():
    figures = {}
    for name, (story, nodes, minutes, settings) in RUNS.items():
        sets = [argument for one in settings for argument in ("--set", one)]
        command = [OPP2P, "sim", "run", story, "--nodes", str(nodes), "--minutes", str(minutes), "--json", *sets]
        figures[name] = kept(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))
        print(f"{name}: {story} done", flush=True)
    write_figures(figures)


def text(x, y, content, anchor="middle", size=12, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{more}>{content}</text>'


def plot(title, x_name, y_name, lines, x_range, y_range, marks=()):
    """`lines`: (name, [(x, y), …]); `marks`: (y, name) of horizontal lines."""
    x_least, x_most = x_range
    y_least, y_most = y_range
    def px(x):
        return LEFT + (x - x_least) / (x_most - x_least) * (WIDTH - LEFT - RIGHT)
    def py(y):
        return HEIGHT - BOTTOM - (y - y_least) / (y_most - y_least) * (HEIGHT - TOP - BOTTOM)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>', text(WIDTH / 2, 20, title, size=14)]
    for step in range(6):
        x = x_least + (x_most - x_least) * step / 5
        y = y_least + (y_most - y_least) * step / 5
        out.append(f'<line x1="{px(x):.1f}" y1="{HEIGHT - BOTTOM}" x2="{px(x):.1f}" y2="{HEIGHT - BOTTOM + 4}" stroke="#444444"/>')
        out.append(text(px(x), HEIGHT - BOTTOM + 18, f"{x:g}"))
        out.append(f'<line x1="{LEFT}" y1="{py(y):.1f}" x2="{WIDTH - RIGHT}" y2="{py(y):.1f}" stroke="#dddddd"/>')
        out.append(text(LEFT - 8, py(y) + 4, f"{y:g}", anchor="end"))
    for y, name in marks:
        out.append(f'<line x1="{LEFT}" y1="{py(y):.1f}" x2="{WIDTH - RIGHT}" y2="{py(y):.1f}" stroke="#888888" stroke-dasharray="5 4"/>')
        out.append(text(WIDTH - RIGHT - 4, py(y) - 4, name, anchor="end", size=11))
    for place, (name, points) in enumerate(lines):
        colour = COLOURS[place]
        path = " ".join(f"{px(x):.1f},{py(min(max(y, y_least), y_most)):.1f}" for x, y in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.append(text(LEFT + 8 + 150 * place, TOP - 6, name, anchor="start", more=f' fill="{colour}"'))
    out.append(text(WIDTH / 2, HEIGHT - 12, x_name))
    out.append(text(16, HEIGHT / 2, y_name, more=f' transform="rotate(-90 16 {HEIGHT / 2:.0f})"'))
    return "\n".join(out) + "\n</svg>\n"


def plots(figures):
    out = {}
    honest = figures["all"]["points"]
    out["scores-honest.svg"] = plot(
        "Scores of honest peers under all conditions, profile opp2p, 50 nodes", "seconds", "score",
        [("least", [(t, least) for t, least, _ in honest]), ("median", [(t, median) for t, _, median in honest])],
        (0, max(point[0] for point in honest)), (-0.5, 2.0), [(0, "0")])
    lines = []
    for name, label in (("ban", "opp2p"), ("ban_light", "light")):
        lines.append((label, [(place + 1, mean) for place, (_, mean) in enumerate(figures[name]["after_invalid"])]))
    out["scores-attacker.svg"] = plot("Score of a peer after its n-th invalid block, one a second", "invalid blocks", "score", lines, (1, 24),
                                      (-50, 5), [(-10, "gossip"), (-40, "graylist")])
    out["scores-shared.svg"] = plot(
        "Least score of honest peers, operators with twenty nodes at one address", "seconds", "score",
        [("opp2p", [(t, least) for t, least, _ in figures["shared"]["points"]]),
         ("light (-3500 is below the plot)", [(t, least) for t, least, _ in figures["shared_light"]["points"]])],
        (0, max(point[0] for point in figures["shared"]["points"])), (-120, 10), [(-40, "graylist"), (-100, "ban")])
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true", help="run the stories first")
    parser.add_argument("--check", action="store_true", help="report plots that are not what the figures give")
    arguments = parser.parse_args()
    if arguments.measure:
        measure()
    stale = []
    for name, drawn in plots(json.loads(FIGURES.read_text())).items():
        path = DOCS / name
        if arguments.check:
            if not path.is_file() or path.read_text() != drawn:
                stale.append(name)
        else:
            path.write_text(drawn)
    for name in stale:
        print(f"docs/{name} is not what tools/plot_scores.py draws")
    print(f"scores: {len(stale)} complaints")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
