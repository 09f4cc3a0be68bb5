"""A day of churn in simulation: `opp2p sim run soak/churn` (sim/churn/churn.hpp), 24 virtual hours, and a control that a leak is found.

What is measured is printed and kept as build/simulated_day.json.
"""

import json
import os
import subprocess
import unittest

from lib import opp2p, trend

REPORT = opp2p.ROOT / "build" / "simulated_day.json"
HOURS = int(os.environ.get("OPP2P_DAY_HOURS", "24"))
# The control needs a few measurements after the warm-up only.
CONTROL_HOURS, LEAK = 10, 64  # bytes that each visit leaves behind


def simulate(hours, *settings):
    words = [opp2p.PROGRAM, "sim", "run", "soak/churn", "--json", "--minutes", hours * 60]
    for setting in settings:
        words += ["--set", setting]
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def bars(report, met):
    return [f"{bar['name']}: {bar['measured']}, {bar['limit']}" for bar in report["bars"] if bar["met"] == met]


class SimulatedDay(unittest.TestCase):
    def test_nothing_grows_in_a_day_in_which_peers_come_and_go(self):
        report = simulate(HOURS)
        REPORT.write_text(json.dumps(report, indent=1))
        print(f"  {report['ended'] / 3600:.1f} virtual hours in {report['wall_seconds']:.0f} s, {report['events']} events, {report['tally']['visits']} "
              f"visits, {report['tally']['bans']} bans", flush=True)
        for line in bars(report, True):
            print(f"  {line}", flush=True)
        self.assertEqual(bars(report, False), [])
        # The program's slope is that of its own figures: of the means of two neighbours, because expired records go every two hours.
        warm = [(one["minute"] / 60, one["heap"]) for one in report["checkpoints"] if one["minute"] >= report["settings"]["warm_up"]]
        growth = trend.slope(((a + b) / 2, (c + d) / 2) for (a, c), (b, d) in zip(warm, warm[1:]))
        self.assertAlmostEqual(growth, report["heap_growth_an_hour"], delta=1)

    def test_a_leak_of_a_few_bytes_for_each_visit_is_found(self):
        report = simulate(CONTROL_HOURS, f"leak={LEAK}")
        found = bars(report, False)
        print("  control: " + "; ".join(found), flush=True)
        self.assertTrue(any(line.startswith("growth of the heap") for line in found), report["bars"])
        # Nothing else is wrong with it, but for what is left of it at the end.
        others = [line for line in found if not line.startswith(("growth of the heap", "heap that is left"))]
        self.assertEqual(others, [])


if __name__ == "__main__":
    unittest.main()
