#!/usr/bin/env python3
"""Simulates the attacks at full size and keeps the results: tools/attack_table.py [--only NAME,…] [--sybils N] [--check].

Each row of the table in docs/attacks.md is one run of `opp2p sim run`: an attack under one profile of scores. Its figures are kept in
docs/attacks.json, which is written after each row, so that a stop loses one row at most. A row that is there is not run again, unless it
was made with another model, seed or size. The page's table is made from the file.

--only runs the rows whose attack, or attack/profile, is among the names. --check runs nothing: it only reports a table on the page that is
not what the file gives (part of ./test lint).
"""

import argparse
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = pathlib.Path(os.environ.get("OPP2P_PROGRAM", ROOT / "build" / "opp2p"))
ROWS = ROOT / "docs" / "attacks.json"
PAGE = ROOT / "docs" / "attacks.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

NODES = 1000
SYBILS = 1000
MANY_SYBILS = 4000
SEED = 1
MINUTES = 3
WORST = ("discovery", "cold-boot", "dawn")  # those that leave most nodes without an honest mesh; run with MANY_SYBILS too
PROFILES = ("scored", "light", "none")
# What the profile opp2p has rules of its own for: faults of messages, of control, and addresses.
OWN_PROFILE = "opp2p"
OWN_ATTACKS = ("ip-colocation", "ihave-spam", "invalid-blocks", "graft-flood", "replay", "identity-rotation")
ROW_SECONDS = 600  # a run that takes longer is stopped, and its row says so


class Failed(Exception):
    """A run that left no report."""


def say(text):
    print(text, flush=True)


def catalogue():
    done = subprocess.run([PROGRAM, "sim", "list", "--json"], stdout=subprocess.PIPE, text=True, check=True)
    listed = json.loads(done.stdout)
    return listed["model"], [attack["name"] for attack in listed["attacks"]]


def wanted_rows(model, attacks):
    """What identifies each row, in the order of the table."""
    sizes = [(attack, SYBILS) for attack in attacks] + [(attack, MANY_SYBILS) for attack in WORST]
    return [{"attack": attack, "profile": profile, "nodes": NODES, "sybils": sybils, "seed": SEED, "minutes": MINUTES, "model": model}
            for attack, sybils in sizes for profile in (*own_profile(attack, sybils), *PROFILES)]


def own_profile(attack, sybils):
    return (OWN_PROFILE,) if attack in OWN_ATTACKS and sybils == SYBILS else ()


def key_of(row):
    return row["attack"], row["profile"], row["sybils"]


def same(row, wanted):
    return all(row.get(name) == value for name, value in wanted.items())


def load():
    return json.loads(ROWS.read_text()) if ROWS.exists() else []


def save(rows):
    fresh = ROWS.with_suffix(".json.new")
    fresh.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    os.replace(fresh, ROWS)


def simulate(wanted):
    """One run; the report, which says itself when it was stopped before its end."""
    command = [PROGRAM, "sim", "run", wanted["attack"], "--json", "--seed", wanted["seed"], "--nodes", wanted["nodes"], "--minutes",
               wanted["minutes"], "--set", f"profile={wanted['profile']}", "--set", f"sybils={wanted['sybils']}"]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=ROW_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        raise Failed(err.strip().splitlines()[-1] if err.strip() else f"it ended with {process.returncode}")
    return json.loads(out)


def children_cpu():
    """User and system seconds of the runs so far: on a busy machine a run takes longer than its work."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def during_attack(report):
    start, end = report["settings"]["attack-start"], report["settings"]["attack-end"]
    return [sample for sample in report["samples"] if start <= sample["at"] < end]


def row_of(wanted, report):
    """The figures that are kept: those of the table and what says how they came to be."""
    samples = during_attack(report)
    node_seconds = max(1.0, wanted["nodes"] * report["ended"])
    return {**wanted, "program": report["program"], "wall_seconds": round(report["wall_seconds"], 1),
            "ended": report["ended"],
            "interrupted": report["interrupted"], "events": report["events"], "trace_hash": report["trace_hash"],
            "spread": report["spread"], "targets": report["targets"], "recovery": report["recovery"],
            "graylisting": report["graylisting"], "faults": report["faults"],
            "mesh_share": samples[-1]["hostile_mesh_share"] if samples else None,
            "most_eclipsed": max((sample["eclipsed"] for sample in samples), default=0),
            "duplicates": report["duplicates"] / max(1, report["deliveries"]),
            "bytes_per_node_second": (report["message_bytes"] + report["control_bytes"]) / node_seconds,
            "cpu_share": report["cpu_seconds"] / node_seconds, "bars": report["bars"], "met": report["met"]}


def percent(share, digits=2):
    return "–" if share is None else f"{share * 100:.{digits}f}%"


def share_in_time(spread):
    return spread["in_time"] / spread["expected"] if spread and spread["expected"] else None


def milliseconds(seconds):
    return "never" if seconds is None else f"{seconds * 1000:.0f} ms"


def graylisted(row):
    pairs = row["graylisting"]["pairs"]
    return "–" if pairs == 0 else percent(row["graylisting"]["in_time"] / pairs, 1)


def verdict(row):
    if row["interrupted"]:
        return f"stopped after {ROW_SECONDS // 60} min"
    missed = [bar["name"] for bar in row["bars"] if not bar["met"]]
    return "met" if row["met"] else "not met: " + "; ".join(SHORT.get(name, name) for name in missed)


SHORT = {
    "delivery within 12 heartbeats during the attack": "delivery",
    "p99 latency during the attack": "p99",
    "delivery to the nodes under attack": "delivery to the target",
    "sybils below the graylist threshold": "graylist",
    "places of sybils in honest meshes at the end of the attack": "mesh places",
    "recovery after the attack": "recovery",
}


def table_of(rows, wanted):
    lines = ["| attack | sybils | profile | in time | p99 | to the target | copies | mesh places of sybils | graylisted | recovery | bars |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]
    found = {key_of(row): row for row in rows}
    for want in wanted:
        row = found.get(key_of(want))
        if row is None:
            continue
        attack = row["spread"]["attack"]
        lines.append("| " + " | ".join([
            row["attack"], f"{row['sybils']:,}", row["profile"], percent(share_in_time(attack)), milliseconds(attack["p99"]),
            percent(share_in_time(row["targets"])), f"{row['duplicates']:.2f}", percent(row["mesh_share"], 1), graylisted(row),
            "–" if row["recovery"] is None else f"{row['recovery']:.1f} s", verdict(row)]) + " |")
    remaining = [want for want in wanted if key_of(want) not in found]
    if remaining:
        lines += ["", f"{len(remaining)} of {len(wanted)} rows are not made yet; `./test attacks` makes them."]
    return "\n".join(lines)


def order_of(rows):
    """Rows as they stand in the file, without a program: the check needs no build."""
    return [{name: row[name] for name in ("attack", "profile", "sybils")} for row in rows]


def page_with(rows, wanted):
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n" + table_of(rows, wanted) + "\n" + END + rest.split(END)[1]


def check():
    """Whether each row of the file stands on the page as the file has it."""
    rows = load()
    text = PAGE.read_text()
    lines = table_of(rows, order_of(rows)).splitlines()
    missing = [line for line in lines if line not in text]
    for line in missing:
        say(f"docs/attacks.md: docs/attacks.json has a row that is not there: {line}")
    if missing:
        say("run tools/attack_table.py --write")
    say(f"attacks: {len(rows)} rows, {len(missing)} complaints")
    return 1 if missing else 0


def write(wanted):
    PAGE.write_text(page_with(load(), wanted))


def is_chosen(wanted, only, sybils=None):
    if sybils is not None and wanted["sybils"] != sybils:
        return False
    return not only or wanted["attack"] in only or f"{wanted['attack']}/{wanted['profile']}" in only


def make_rows(wanted, only, sybils):
    """Runs what is missing. Answers how many rows are there now, and how many runs left no report."""
    failed = 0
    for want in wanted:
        if not is_chosen(want, only, sybils) or any(same(row, want) for row in load()):
            continue
        started, cpu = time.monotonic(), children_cpu()
        say(f"  {want['attack']}, {want['profile']}, {want['sybils']} sybils …")
        try:
            row = {**row_of(want, simulate(want)), "run_cpu_seconds": round(children_cpu() - cpu, 1)}
        except Failed as error:
            failed += 1
            say(f"    no report: {error}")
            continue
        rows = [old for old in load() if key_of(old) != key_of(want)] + [row]
        order = [key_of(one) for one in wanted]
        save(sorted(rows, key=lambda one: order.index(key_of(one)) if key_of(one) in order else len(order)))
        write(wanted)
        say(f"    {verdict(row)} ({time.monotonic() - started:.0f} s)")
    rows = load()
    return sum(any(same(row, want) for row in rows) for want in wanted if is_chosen(want, only, sybils)), failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=os.environ.get("OPP2P_ATTACKS", ""), help="names of attacks, or attack/profile, with commas")
    parser.add_argument("--sybils", type=int, help="only rows with so many")
    parser.add_argument("--check", action="store_true", help="run nothing, compare the page with the file")
    parser.add_argument("--write", action="store_true", help="run nothing, write the page's table anew")
    options = parser.parse_args()
    if options.check:
        return check()
    model, attacks = catalogue()
    wanted = wanted_rows(model, attacks)
    if options.write:
        write(wanted)
        return 0
    only = [name for name in options.only.split(",") if name]
    unknown = [name for name in only if not any(is_chosen(want, [name]) for want in wanted)]
    if unknown:
        say(f"there is no row {unknown[0]}; opp2p sim list names the attacks")
        return 2
    made, failed = make_rows(wanted, only, options.sybils)
    say(f"attacks: {made} rows are there, {failed} runs failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
