"""The stories of the devnet, `opp2p devnet --story NAME`: real processes, judged by the program itself and once more from its output.

All runs are started at once: most of a run is waiting for blocks."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from lib import opp2p

LIMIT = 90  # seconds, of a run


def processes(pid):
    """The nodes of a devnet: name -> process id."""
    out = {}
    for child in opp2p.children(pid):
        words = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        if b"--data-dir" in words:
            out[pathlib.Path(words[words.index(b"--data-dir") + 1].decode()).name] = child
    return out


class Run:
    """A devnet with 1 s blocks whose lines are read as they come. `disturb` is called once, with the run, when a line satisfies `at`."""

    def __init__(self, *options, at=None, disturb=None, machine=True):
        self.lines, self.text = [], ""
        self.at, self.disturb, self.machine = at, disturb, machine
        self.process = subprocess.Popen([str(opp2p.PROGRAM), "devnet", "--block-time", "1", *(["--json"] if machine else []), *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.started = time.monotonic()
        self.timer = threading.Timer(LIMIT, self.process.kill)
        self.timer.start()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for text in self.process.stdout:
            self.text += text
            if not self.machine:
                continue
            self.lines += opp2p.json_lines(text)
            if self.disturb and self.at(self.lines[-1]):
                disturb, self.disturb = self.disturb, None
                disturb(self)
        self.seconds = time.monotonic() - self.started

    def wait(self):
        self.reader.join()
        self.process.wait()
        self.process.stdout.close()
        self.timer.cancel()
        return self

    def events(self, name):
        return [line for line in self.lines if line["type"] == "event" and line["event"] == name]

    def of(self, node):
        """What the last line says of a node."""
        return next(row for row in self.lines[-1]["nodes"] if row["name"] == node)

    def problems(self):
        return self.lines[-1]["problems"]


def event(name, node):
    return lambda line: line["type"] == "event" and line["event"] == name and line["name"] == node


def kill(node):
    return lambda run: os.kill(processes(run.process.pid)[node], signal.SIGKILL)


class Stories(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.runs = {
            "failover": Run("--story", "failover", "--nodes", "2"),
            "reorg": Run("--story", "reorg", "--nodes", "2"),
            "gap": Run("--story", "gap", "--nodes", "2"),
            "no-servers": Run("--story", "no-servers", "--nodes", "2"),
            "signer": Run("--story", "signer", "--nodes", "2"),
            "text": Run("--story", "failover", "--nodes", "1", machine=False),
            "default": Run("--for", "14", "--nodes", "1"),
            # These must be judged as failed.
            "killed": Run("--story", "failover", "--nodes", "2", at=event("stopped", "sequencer"), disturb=kill("follower-1")),
            "interrupted": Run("--story", "gap", "--nodes", "2", at=event("stopped", "follower-2"),
                               disturb=lambda run: run.process.send_signal(signal.SIGINT)),
        }
        for run in cls.runs.values():
            run.wait()
        print("  " + ", ".join(f"{name} {run.seconds:.0f} s" for name, run in cls.runs.items()), flush=True)

    def told(self, name):
        """A run that went as told."""
        run = self.runs[name]
        self.assertEqual(run.process.returncode, 0, run.text[-3000:])
        summary = run.lines[-1]
        self.assertEqual((summary["type"], summary["story"], summary["ok"]), ("summary", name, True))
        self.assertEqual(summary["problems"], [])
        self.assertTrue(all(check["ok"] for check in summary["checks"]))
        self.assertEqual({node["head"] for node in summary["nodes"]}, {summary["blocks"]})
        return run

    def test_failover_every_node_goes_to_the_standbys_chain_three_blocks_lower(self):
        run = self.told("failover")
        (taken,) = run.events("took_over")
        self.assertEqual((taken["name"], taken["replaced"]), ("standby", 3))
        reorganised = run.events("reorganised")
        self.assertEqual(sorted(line["name"] for line in reorganised), ["follower-1", "follower-2", "sequencer", "standby"])
        for line in reorganised:
            self.assertEqual((line["fork"], line["depth"]), (taken["parent"], 3))
            self.assertEqual(line["from"]["number"], taken["parent"] + 3)
            self.assertGreater(line["to"]["number"], line["from"]["number"])
        self.assertTrue(run.of("standby")["sequences"])
        self.assertFalse(run.of("sequencer")["sequences"])

    def test_failover_the_table_marks_who_sequences_and_who_reorganised(self):
        run = self.runs["text"]
        self.assertEqual(run.process.returncode, 0, run.text[-3000:])
        self.assertRegex(run.text, r"(?m)^failover: a standby takes over")
        self.assertRegex(run.text, r"(?m)^after \d+ s: sequencer stopped at block \d+$")
        self.assertRegex(run.text, r"(?m)^after \d+ s: standby takes over on block \d+: it replaces 3 blocks \(\d+-\d+\)$")
        self.assertRegex(run.text, r"(?m)^after \d+ s: follower-1 reorganised from block \d+ to \d+: fork point \d+, depth 3$")
        self.assertRegex(run.text, r"(?m)^sequencer    is stopped$")
        self.assertRegex(run.text, r"(?m)^follower-1   reorganised \d s ago: 3 blocks replaced, from \d+ to \d+ on \d+$")
        self.assertRegex(run.text, r"(?m)^standby running .* reorgs=1 depth=3 .* sequences$")
        self.assertIn("The story failover went as told.", run.text)
        self.assertRegex(run.text, r"(?m)^  PASS  follower-1 reorganised once, from block \d+ to \d+: fork point \d+, depth 3$")
        self.assertNotIn("FAIL", run.text)
        for line in run.text.splitlines():
            if line.startswith(("after", "  PASS", "failover")):
                self.assertLessEqual(len(line), 80, line)

    def test_reorg_the_shorter_side_reorganises_deeper_than_one_block_and_the_longer_does_not(self):
        run = self.told("reorg")
        reorganised = run.events("reorganised")
        self.assertEqual(sorted(line["name"] for line in reorganised), ["follower-1", "sequencer"])
        for line in reorganised:
            self.assertGreaterEqual(line["depth"], 2)
            self.assertEqual(line["depth"], line["from"]["number"] - line["fork"])
        self.assertEqual([run.of(name)["reorganisations"] for name in ("standby", "follower-2")], [0, 0])
        heads = [{node["name"]: node["head"] for node in line["nodes"]} for line in run.lines if line["type"] == "status"]
        self.assertTrue(any(line["standby"] - line["sequencer"] >= 2 for line in heads), "the branches were not equally long")

    def test_gap_it_is_seen_and_filled(self):
        run = self.told("gap")
        (gap,) = run.events("gap")
        (filled,) = run.events("gap_filled")
        self.assertEqual((gap["name"], filled["name"]), ("follower-2", "follower-2"))
        self.assertGreaterEqual(gap["missing"], 2)  # of five; gossip may bring the last ones
        self.assertGreater(filled["fetched"], 0)
        self.assertEqual(run.of("follower-2")["holes"], [])

    def test_no_servers_the_head_moves_within_the_patience_and_the_hole_is_on_record(self):
        run = self.told("no-servers")
        (gap,) = run.events("gap")
        (moved,) = run.events("above_hole")
        self.assertEqual((gap["name"], moved["name"], moved["fork"]), ("follower-2", "follower-2", None))
        self.assertLessEqual(moved["seconds"] - gap["seconds"], 13)
        row = run.of("follower-2")
        self.assertEqual((row["holeCount"], len(row["holes"])), (1, 1))
        self.assertEqual(row["holes"][0]["first"], gap["first"])
        self.assertEqual(row["connectedFrom"], row["holes"][0]["last"] + 1)
        self.assertEqual(run.of("follower-1")["holes"], [])

    def test_signer_every_node_leaves_the_higher_branch_of_the_old_signer(self):
        run = self.told("signer")
        reorganised = {line["name"]: line for line in run.events("reorganised")}
        self.assertEqual(sorted(reorganised), ["follower-1", "follower-2", "sequencer", "standby"])
        for name in ("standby", "follower-1", "follower-2"):
            self.assertLessEqual(reorganised[name]["to"]["number"], reorganised[name]["from"]["number"])

    def test_the_default_run_has_a_fail_over_with_one_replaced_block(self):
        run = self.told("default")
        (taken,) = run.events("took_over")
        self.assertEqual(taken["replaced"], 1)
        self.assertEqual(sorted(line["name"] for line in run.events("reorganised") if line["name"] != "late-joiner"),
                         ["follower-1", "sequencer", "standby"])
        for line in run.events("reorganised"):
            self.assertEqual((line["fork"], line["depth"]), (taken["parent"], 1))
        checks = "\n".join(check["text"] for check in run.lines[-1]["checks"])
        for text in ("standby took over on block", "sequencer reorganised once", "all 4 nodes ended on the chain of the standby"):
            self.assertIn(text, checks)

    def test_a_node_that_is_killed_in_a_story_makes_the_judgement_fail(self):
        run = self.runs["killed"]
        self.assertEqual(run.process.returncode, 1, run.text[-3000:])
        self.assertFalse(run.lines[-1]["ok"])
        problems = "\n".join(run.problems())
        for text in ("broken off before: the standby takes over", "follower-1: ended 137", "standby did not take over", "follower-1 ended with 137"):
            self.assertIn(text, problems)
        self.assertEqual([line["name"] for line in run.events("ended")], ["follower-1"])
        self.assertEqual(run.events("took_over"), [])

    def test_a_story_that_is_interrupted_is_not_told(self):
        run = self.runs["interrupted"]
        self.assertEqual(run.process.returncode, 1, run.text[-3000:])
        self.assertIn("interrupted before: follower-2 is started again", run.problems())


class Options(unittest.TestCase):
    def test_an_unknown_story_is_told_with_those_that_exist(self):
        done = opp2p.run("devnet", "--story", "x")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        for name in ("--story", "x", "failover", "reorg", "gap", "no-servers", "signer"):
            self.assertIn(name, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_a_story_has_its_own_length(self):
        done = opp2p.run("devnet", "--story", "gap", "--for", "5")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"--story.*--for|--for.*--story")

    def test_a_replay_has_no_story(self):
        with tempfile.TemporaryDirectory() as scratch:
            done = opp2p.run("devnet", "--story", "gap", "--replay", scratch)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertTrue(re.search(r"--story.*--replay|--replay.*--story", done.stderr), done.stderr)

    def test_the_help_says_what_happens_in_each_story(self):
        text = opp2p.run("devnet", "--help").stdout
        for name in ("failover", "reorg", "gap", "no-servers", "signer"):
            self.assertRegex(text, rf"(?m)^ +{name} +\w+ \w+")


class BadOptions(unittest.TestCase):
    def test_peers_that_would_connect_the_halves_of_a_split_network_are_refused(self):
        peer = "/ip4/127.0.0.1/tcp/1/p2p/16Uiu2HAmPSuxsuLtzRxxBT13hfMNBukFeTuLBo2qp5mvZ97g2Ey8"
        done = opp2p.run("devnet", "--story", "reorg", "--join", peer, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--join does not go with --story reorg", done.stderr)


if __name__ == "__main__":
    unittest.main()
