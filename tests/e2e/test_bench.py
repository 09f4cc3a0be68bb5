"""How `bench/compare --against` measures and judges, on figures that are made up."""

import contextlib
import io
import pathlib
import sys
import types
import unittest

from lib import opp2p

sys.path.insert(0, str(opp2p.ROOT / "bench" / "lib"))

import against  # noqa: E402
import sides  # noqa: E402

OLD = pathlib.Path("/old")


class Against(unittest.TestCase):
    def measured(self, figure, rounds=4, control=False, pairs=None, **costs):
        """Judges a row whose `figure` costs what `costs` says of new and old: a list, one a measurement."""
        options = types.SimpleNamespace(rounds=rounds, quick=False, at_most=1.03, against=OLD, control=control)
        bench, self.order = against.Against(options), []
        left = {"new": list(costs["new"]), "old": list(costs["old"])}

        def measure(side):
            self.assertEqual(side, "ours")
            build = "old" if sides.program("opp2p") == OLD / "opp2p" else "new"
            self.order.append(build)
            return {figure: left[build].pop(0)}
        with contextlib.redirect_stdout(io.StringIO()):
            answer = bench.pairs("row", ["ours", "op-node"], measure, pairs=pairs)
        self.assertEqual(answer["ours"], bench.tables[0]["builds"]["new"])
        return bench.tables[0]["figures"][figure]

    def test_the_builds_take_turns_and_the_order_turns_round(self):
        self.measured("cpu", new=[1] * 4, old=[1] * 4)
        self.assertEqual(self.order, ["new", "old", "old", "new"] * 2)

    def test_a_cost_of_more_than_three_percent_is_above_whatever_the_machine_does_meanwhile(self):
        busy = [1, 2, 5, 1]
        found = self.measured("cpu_ms_per_block", new=[1.04 * value for value in busy], old=busy)
        self.assertAlmostEqual(found["ratio"]["median"], 1.04)
        self.assertFalse(found["met"])
        self.assertTrue(self.measured("peak_mib", new=[1.02 * value for value in busy], old=busy)["met"])

    def test_the_control_widens_the_bound_to_what_two_runs_of_one_build_differ_by(self):
        found = self.measured("cpu", control=True, new=[1.05] * 4, old=[1, 1.1, 1.1, 1, 1, 0.9, 0.9, 1])
        self.assertGreater(found["noise"], 1.09)
        self.assertEqual(found["wanted"], found["noise"])
        self.assertTrue(found["met"])
        quiet = self.measured("cpu", control=True, new=[1.05] * 4, old=[1, 1.01] * 4)
        self.assertEqual(quiet["wanted"], 1.03)
        self.assertFalse(quiet["met"])

    def test_what_is_no_cost_is_shown_and_not_judged(self):
        self.assertNotIn("met", self.measured("p50_ms", new=[9] * 4, old=[1] * 4))
        self.assertEqual(len(self.order), 8)
        self.measured("p50_ms", pairs=2, new=[9] * 4, old=[1] * 4)
        self.assertEqual(len(self.order), 4)
        self.measured("rss_mib", pairs=1, new=[9] * 4, old=[1] * 4)
        self.assertEqual(len(self.order), 8)

    def test_a_figure_of_zero_has_no_ratio(self):
        self.assertNotIn("ratio", self.measured("cpu", new=[0, 1, 1, 1], old=[1] * 4))


if __name__ == "__main__":
    unittest.main()
