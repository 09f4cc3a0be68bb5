#!/usr/bin/env python3
"""Draws the two pictures of docs/architecture.md: tools/draw_architecture.py [--check].

docs/layers.svg shows the folders of the sources and which include which. It follows from the includes, as tools/check_layers.py reads
them. An arrow that follows from other arrows is left out. docs/block-way.svg shows what one block passes through in a node, and on which
thread. It follows from docs/block-way.trace, which tools/trace_block.py records from a running node.

Without an option the pictures are written. --check compares them with what would be written and ends with 1 when one is stale.
"""

import collections
import functools
import html
import itertools
import math
import re
import sys

import check_layers
import trace_block

DOCS = check_layers.ROOT / "docs"
TRACE = trace_block.TRACE
WIDTH = 880  # px: a document shows the picture unscaled
STYLE = """
  .page { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #1f2328 } .small { font-size: 12px; fill: #59636e }
  .title { font-weight: 600 } .box { fill: #f6f8fa; stroke: #818b98 } .pure { fill: #dafbe1; stroke: #4a9c5d }
  .band { fill: none; stroke: #d1d9e0 } .line { fill: none; stroke: #818b98; stroke-width: 1.2 } .head { fill: #818b98 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #f0f6fc } .small { fill: #9198a1 } .box { fill: #212830; stroke: #656c76 }
    .pure { fill: #12361f; stroke: #3f8f55 } .band { stroke: #3d444d } .line { stroke: #7d8590 } .head { fill: #7d8590 }
  }
"""
HEAD = ('<marker id="head" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/>'
        "</marker>")


def text(x, y, words, kind="", anchor="middle"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" class="{kind}">{html.escape(words)}</text>'


def box(x, y, width, height, kind="box"):
    return f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="5" class="{kind}"/>'


def picture(height, title, parts):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" '
                      f'role="img"><title>{html.escape(title)}</title>', f"<style>{STYLE}</style><defs>{HEAD}</defs>",
                      f'<rect width="{WIDTH}" height="{height:.0f}" class="page"/>', *parts, "</svg>", ""])


# --- docs/layers.svg ---

# Folders of one kind share a box.
KINDS = ("libp2p/protocols", "libp2p/security", "libp2p/muxers", "libp2p/transports", "libp2p/services", "libp2p/runtime")
BANDS = ("libp2p", "opstack", "opp2p", "programs")
ROW, BOX = 76, 42  # heights
PASSAGE, GAP, MARGIN = 9, 10, 24  # the room that an arrow takes where it passes a row, between places, and at the edges


def box_of(name):
    """The box that shows a folder. The runtime's interface has one of its own beside its implementations."""
    kind = name.rpartition("/")[0]
    return f"{kind}/*" if kind in KINDS else "libp2p/services/*" if name == "libp2p/services" else name


def band_of(name):
    product = name.split("/")[0]
    return BANDS.index(product) if product in BANDS else len(BANDS) - 1


def included_boxes():
    """{box: the boxes that it includes}, {box: folders in it}, and the boxes in which every folder is pure."""
    folders = {folder.name: folder for folder in check_layers.read_folders()}
    for folder in folders.values():
        folder.resolve(folders)
    programs = [check_layers.Folder(check_layers.ROOT / name, []) for name in sorted(check_layers.PROGRAMS)]
    uses, members, pure = collections.defaultdict(set), collections.defaultdict(list), {}
    for folder in [*folders.values(), *programs]:
        name = box_of(folder.name)
        members[name].append(folder.name)
        pure[name] = pure.get(name, True) and folder.pure
        includes = set().union(folder.may_use, *(check_layers.check_file(folder, path, folders)[1] for path in folder.sources()))
        uses[name] |= {box_of(used) for used in includes} - {name}
    return uses, members, {name for name in pure if pure[name]}


def reachable(uses, start):
    found, open_ = set(), list(uses[start])
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_ += uses[name]
    return found


def without_shortcuts(uses):
    """Only the arrows that do not follow from others."""
    return {name: {used for used in used_here if not any(used in reachable(uses, other) for other in used_here - {used})}
            for name, used_here in uses.items()}


def rows_of(uses):
    """{box: its row, from the bottom}: above all that it includes, and above the rows of the products below."""
    rows, floor = {}, 0
    for band in range(len(BANDS)):
        inside = [name for name in uses if band_of(name) == band]

        def height(name):
            return 1 + max((height(used) for used in uses[name] if band_of(used) == band), default=-1)
        for name in inside:
            rows[name] = floor + height(name)
        floor = max(rows.values()) + 1
    return rows


def with_passages(arrows, rows):
    """The boxes of each row with a place for each arrow that passes it, and each arrow as the places that it goes through."""
    levels, paths = collections.defaultdict(list), []
    for name in sorted(rows):
        levels[rows[name]].append(name)
    for name, target in arrows:
        path = [name, *((target, row) for row in range(rows[name] - 1, rows[target], -1)), target]  # arrows to one box share a passage
        for row, place in zip(range(rows[name] - 1, rows[target], -1), path[1:-1]):
            if place not in levels[row]:
                levels[row].append(place)
        paths.append(path)
    return levels, paths


def put_in_order(levels, paths, widths):
    """{place: x of its middle}: each place near its neighbours above and below, without overlap."""
    near = collections.defaultdict(set)
    for one, other in itertools.chain.from_iterable(zip(path, path[1:]) for path in paths):
        near[one].add(other)
        near[other].add(one)
    x = {place: (i + 1) * WIDTH / (len(level) + 1) for level in levels.values() for i, place in enumerate(level)}
    for turn in range(40):
        for row in sorted(levels, reverse=turn % 2 == 0):
            wanted = {place: math.fsum(x[other] for other in near[place]) / len(near[place]) if near[place] else x[place]
                      for place in levels[row]}
            levels[row].sort(key=lambda place: (wanted[place], str(place)))
            x.update(apart(levels[row], wanted, widths))
    return x


def apart(level, wanted, widths):
    """Each place as near to where it is wanted as the others of its row and the edges of the picture allow."""
    def pushed(order, x, sign, start):
        out, at = {}, start
        for place in order:
            out[place] = max(x[place] * sign, at + widths[place] / 2) * sign
            at = out[place] * sign + widths[place] / 2 + GAP
        return out
    to_right = pushed(level, wanted, 1, -WIDTH)
    to_left = pushed(reversed(level), wanted, -1, -2 * WIDTH)
    middle = {place: (to_right[place] + to_left[place]) / 2 for place in level}
    return pushed(reversed(level), pushed(level, middle, 1, MARGIN), -1, MARGIN - WIDTH)


def label_of(name, members):
    """The lines in a box: its folder, and the names of the folders that share it."""
    if not name.endswith("/*"):
        return [name.partition("/")[2] or name if band_of(name) < len(BANDS) - 1 else name]
    inner = [member.removeprefix(name[:-1]) for member in members[name] if member.startswith(name[:-1])]
    half = (len(inner) + 1) // 2 if len(inner) > 5 else len(inner)
    return [name.partition("/")[2].replace("/*", "/"), *(", ".join(part) for part in (inner[:half], inner[half:]) if part)]


def arrow(points):
    d = f"M{points[0][0]:.0f} {points[0][1]:.0f}"
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        d += f"C{x0:.0f} {(y0 + y1) / 2:.0f} {x1:.0f} {(y0 + y1) / 2:.0f} {x1:.0f} {y1:.0f}"
    return f'<path class="line" marker-end="url(#head)" d="{d}"/>'


def layers():
    uses, members, pure = included_boxes()
    rows = rows_of(uses)
    arrows = sorted((name, used) for name, used_here in without_shortcuts(uses).items() for used in used_here)
    levels, paths = with_passages(arrows, rows)
    labels = {name: label_of(name, members) for name in uses}
    widths = collections.defaultdict(lambda: PASSAGE, {name: 20 + 7.2 * max(map(len, lines)) for name, lines in labels.items()})
    x = put_in_order(levels, paths, widths)
    top = 40
    height = top + ROW * (max(rows.values()) + 1) + 10

    def y(row):
        return top + (max(rows.values()) - row) * ROW + 14
    parts = [box(12, 8, 14, 14, "pure"), text(32, 20, "pure: no clock, socket, thread, entropy, file or log", "small", "start"),
             text(WIDTH - 12, 20, "An arrow points to what a folder includes. Arrows that follow from others are left out.", "small", "end")]
    for band, name in enumerate(BANDS):
        inside = [row for box_name, row in rows.items() if band_of(box_name) == band]
        parts += [box(6, y(max(inside)) - 18, WIDTH - 12, ROW * (max(inside) - min(inside) + 1) - 4, "band"),
                  text(14, y(max(inside)) - 2, name, "title", "start")]
    for path in paths:
        points = [(x[path[0]], y(rows[path[0]]) + BOX)]
        for place in path[1:-1]:
            points += [(x[place], y(place[1])), (x[place], y(place[1]) + BOX)]
        parts.append(arrow([*points, (x[path[-1]], y(rows[path[-1]]))]))
    for name, lines in labels.items():
        parts.append(box(x[name] - widths[name] / 2, y(rows[name]), widths[name], BOX + 16 * (len(lines) > 2),
                         "pure" if name in pure else "box"))
        for i, line in enumerate(lines):
            parts.append(text(x[name], y(rows[name]) + (27 if len(lines) == 1 else 18 + 16 * i), line, "title" if i == 0 else "small"))
    return picture(height, "The folders of the sources by layer, and which include which", parts)


# --- docs/block-way.svg ---

LANES = {"network": "network thread", "worker pool": "worker pool", None: "other threads"}
LANE, STEP, NODE = 290, 54, (252, 40)  # width of a lane, height of a step, size of a box


@functools.cache
def sources():
    """[(folder, text)] of every source that a program is built from."""
    paths = sorted(path for path in (check_layers.ROOT / "src").rglob("*.cpp") if not check_layers.TEST.search(path.name))
    return [(check_layers.name_of(path.parent), path.read_text()) for path in paths]


def folder_of(function):
    """The folder of the source that defines a function, written as the debugger knows it: namespace::Class::function, or less of it."""
    *scope, name = function.split("::")
    spaces = [word for word in scope if word[0].islower()]
    defined = re.compile(r"^[A-Za-z][^;=]*\b" + "::".join([*(word for word in scope if word[0].isupper()), name]) + r"\(", re.MULTILINE)
    found = {folder for folder, source in sources() if f"{name}(" in source and defined.search(source)
             and all(re.search(rf"^namespace [\w:]*\b{space}\b", source, re.MULTILINE) for space in spaces)}
    return found.pop() if len(found) == 1 else None


def block_way():
    sections = {function: section for section, functions in trace_block.SECTIONS.items() for function in functions}
    calls = [line.split("\t") for line in TRACE.read_text().splitlines()]
    parts, y, before, section = [], 16, None, None
    for i, title in enumerate(LANES.values()):
        parts.append(text(10 + LANE * i + NODE[0] / 2, y + 6, title, "title"))
    for thread, function in calls:
        folder = folder_of(function)
        if folder is None or function not in sections:
            sys.exit(f"docs/block-way.trace has {function}, which no source defines: mend tools/trace_block.py and run it again")
        if sections[function] != section:
            section, y = sections[function], y + 44
            parts += [f'<path class="band" d="M6 {y - 26}H{WIDTH - 6}"/>', text(10, y - 8, section, "title", "start")]
            before = before if section in list(trace_block.SECTIONS)[:4] else None  # what others ask for begins anew
        lane = list(LANES).index(thread if thread in LANES else None)
        x, top = 10 + LANE * lane, y
        if before:
            (x0, y0), shift = before, 0 if before[0] == x else 40 if before[0] > x else -40
            parts.append(arrow([(x0 + NODE[0] / 2 - shift, y0 + NODE[1]), (x + NODE[0] / 2 + shift, top)]))
        parts += [box(x, top, *NODE), text(x + NODE[0] / 2, top + 17, function, "title"), text(x + NODE[0] / 2, top + 33, folder, "small")]
        about = trace_block.STAGES[function][0] + ("" if thread in LANES else f" ({thread} thread)")
        parts.append(text(x - 10, top + 24, about, "", "end") if lane == 2 else text(x + NODE[0] + 10, top + 24, about, "", "start"))
        before, y = (x, top), y + STEP
    return picture(y + 4, "The functions that one gossiped block passes through in a node, by thread", parts)


PICTURES = {"layers.svg": layers, "block-way.svg": block_way}


def main():
    stale = 0
    for name, draw in PICTURES.items():
        path, drawn = DOCS / name, draw()
        if "--check" not in sys.argv[1:]:
            path.write_text(drawn)
        elif not path.is_file() or path.read_text() != drawn:
            print(f"docs/{name} is stale: tools/draw_architecture.py draws it anew")
            stale += 1
    print(f"pictures: {len(PICTURES)}, {stale} stale")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
