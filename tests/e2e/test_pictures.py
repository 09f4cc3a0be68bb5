"""The pictures that are kept: tools/draw_architecture.py --check finds one of docs/architecture.md that the sources or the trace no longer
give, tools/plot_scores.py --check one of docs/scoring.md that the figures do not give. Lint runs both."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from lib import opp2p

TOOLS = ("check_layers.py", "draw_architecture.py", "plot_scores.py", "trace_block.py")


class Pictures(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in ("src", "sim", "apps", "docs"):
            shutil.copytree(opp2p.ROOT / name, self.root / name)
        (self.root / "tools").mkdir()
        for name in TOOLS:
            shutil.copy(opp2p.ROOT / "tools" / name, self.root / "tools")

    def check(self, tool="draw_architecture.py"):
        done = subprocess.run([sys.executable, "-B", self.root / "tools" / tool, "--check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        return done.returncode, done.stdout

    def change(self, name, before, after):
        path = self.root / name
        text = path.read_text()
        self.assertIn(before, text, name)
        path.write_text(text.replace(before, after))

    def test_the_pictures_that_are_kept_are_what_the_sources_and_the_trace_give(self):
        code, text = self.check()
        self.assertEqual(code, 0, text)

    def test_an_arrow_that_is_new_makes_the_layers_stale(self):
        self.change("src/opstack/encoding/CMakeLists.txt", "USES libp2p/base", "USES libp2p/seams libp2p/base")
        path = next((self.root / "src" / "opstack" / "encoding").glob("*.hpp"))
        path.write_text('#include "libp2p/seams/stream_mux.hpp"\n' + path.read_text())
        code, text = self.check()
        self.assertEqual(code, 1)
        self.assertIn("docs/layers.svg is stale", text)

    def test_another_trace_makes_the_way_of_a_block_stale(self):
        self.change("docs/block-way.trace", "store\tDatabase::write", "network\tDatabase::write")
        code, text = self.check()
        self.assertEqual(code, 1)
        self.assertIn("docs/block-way.svg is stale", text)

    def test_a_function_of_the_trace_that_no_source_defines_is_told(self):
        self.change("docs/block-way.trace", "Database::write", "Database::write_never")
        code, text = self.check()
        self.assertEqual(code, 1)
        self.assertIn("Database::write_never", text)

    def test_the_plots_of_the_scores_are_what_the_figures_give(self):
        code, text = self.check("plot_scores.py")
        self.assertEqual(code, 0, text)

    def test_a_plot_that_the_figures_do_not_give_is_told(self):
        self.change("docs/scores-shared.svg", "Least score", "Lowest score")
        (self.root / "docs" / "scores-honest.svg").unlink()
        code, text = self.check("plot_scores.py")
        self.assertEqual(code, 1)
        self.assertIn("docs/scores-shared.svg is not what tools/plot_scores.py draws", text)
        self.assertIn("docs/scores-honest.svg is not what tools/plot_scores.py draws", text)

    def test_other_figures_make_the_plots_stale(self):
        self.change("docs/scoring.json", '"least": ', '"least": -9')
        self.change("docs/scoring.json", '"points": [[', '"points": [[9')
        self.assertEqual(self.check("plot_scores.py")[0], 1)

    def test_lint_looks_at_every_picture(self):
        lint = (opp2p.ROOT / "tools" / "run_tests.py").read_text()
        for tool in ("draw_architecture.py", "plot_scores.py"):
            self.assertIn(f'["{tool}", "--check"]', lint)


if __name__ == "__main__":
    unittest.main()
