"""The main job: a chain of real processes, judged by the program itself and once more from its output."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from lib import opp2p


def devnet(*options, timeout=120):
    done = opp2p.run("devnet", "--json", *options, timeout=timeout)
    return done, opp2p.json_lines(done.stdout)


class Devnet(unittest.TestCase):
    def assert_in_order(self, done, lines):
        summary = lines[-1]
        self.assertEqual(summary["type"], "summary")
        self.assertTrue(summary["ok"], summary["problems"])
        self.assertEqual(done.returncode, 0)
        self.assertEqual({node["head"] for node in summary["nodes"]}, {summary["blocks"]})

    def test_half_a_minute_with_a_late_joiner_and_an_intruder(self):
        done, lines = devnet("--for", 30, "--block-time", 1)
        self.assert_in_order(done, lines)
        summary = lines[-1]
        self.assertGreaterEqual(summary["blocks"], 26)
        nodes = {node["name"]: node for node in summary["nodes"]}
        self.assertEqual(sorted(nodes), ["follower-1", "follower-2", "follower-3", "follower-4", "late-joiner", "sequencer",
                                         "standby"])
        # It came when 18 blocks or so had passed, and had to fetch them.
        self.assertGreaterEqual(nodes["late-joiner"]["filled"], 15)
        rejected = {}
        for node in summary["nodes"]:
            for reason, count in node["rejected"].items():
                rejected[reason] = rejected.get(reason, 0) + count
        for reason in ("invalid_signature", "bad_block_hash", "too_old", "invalid_snappy"):
            self.assertIn(reason, rejected)
        for name in ("follower-1", "follower-4"):
            self.assertLess(nodes[name]["p50_ms"], 500)

    def test_every_fork(self):
        for fork in ("bedrock", "canyon", "ecotone", "isthmus", "jovian"):
            with self.subTest(fork=fork):
                self.assert_in_order(*devnet("--for", 8, "--block-time", 1, "--nodes", 2, "--fork", fork))

    def test_blocks_of_two_megabytes(self):
        self.assert_in_order(*devnet("--for", 12, "--block-time", 2, "--nodes", 2, "--block-size", 2_000_000))

    def test_ctrl_c_gives_the_summary_too_and_the_data_stays_when_asked(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / os.fsdecode(b"caf\xe9")  # the JSON is UTF-8, whatever the folder is called
            process = subprocess.Popen([str(opp2p.PROGRAM), "devnet", "--json", "--block-time", "1", "--nodes", "1", "--keep",
                                        "--data-dir", str(folder)], stdout=subprocess.PIPE, text=True)
            self.addCleanup(process.stdout.close)
            lines = []
            while not lines or lines[-1].get("head", 0) < 4:
                lines.append(json.loads(process.stdout.readline()))
            process.send_signal(signal.SIGINT)
            lines += opp2p.json_lines(process.stdout.read())
            process.wait(30)
            self.assertEqual(lines[-1]["type"], "summary")
            about = json.loads((folder / "devnet.json").read_text())
            self.assertEqual(len(about["addresses"]), 3)
            self.assertTrue((folder / "rollup.json").exists())
            self.assertTrue((folder / "follower-1" / "blocks" / "data.mdb").exists())

    def test_a_program_that_is_replaced_meanwhile_still_starts_the_late_joiner(self):
        with tempfile.TemporaryDirectory() as scratch:
            program = pathlib.Path(scratch) / "opp2p"
            shutil.copy(opp2p.PROGRAM, program)
            process = subprocess.Popen([str(program), "devnet", "--json", "--for", "6", "--block-time", "1", "--nodes", "1"],
                                       stdout=subprocess.PIPE, text=True)
            self.addCleanup(process.stdout.close)
            lines = [json.loads(process.stdout.readline())]
            program.unlink()
            lines += opp2p.json_lines(process.stdout.read())
            process.wait()
            self.assertEqual(lines[0]["type"], "started")
            self.assert_in_order(process, lines)
            self.assertIn("late-joiner", {node["name"] for node in lines[-1]["nodes"]})

    def test_plain_lines_when_the_output_is_no_terminal(self):
        done = opp2p.run("devnet", "--for", "6", "--block-time", "1", "--nodes", "1", timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Every node has exactly the sequencer's chain", done.stdout)
        self.assertNotIn("\x1b", done.stdout)

    def test_recorded_blocks_are_replayed_at_their_time(self):
        data = opp2p.ROOT / "tests" / "vectors" / "data" / "opstack" / "ssz" / "payloads.json"
        with tempfile.TemporaryDirectory() as scratch:
            envelopes = [case["decoded"] for case in json.loads(data.read_text())["cases"] if case.get("block_hash_matches", True)]
            for number, envelope in enumerate(envelopes[::4]):
                (pathlib.Path(scratch) / f"{number}.json").write_text(json.dumps(envelope))
            done, lines = devnet("--replay", scratch, "--nodes", 3)
        self.assertEqual(done.returncode, 0, lines)
        self.assertEqual((lines[-1]["ok"], lines[-1]["accepted"]), (True, 4))
        self.assertTrue(all(line["accepted"] == 3 for line in lines[:-1]))

    def test_a_replay_needs_recordings(self):
        with tempfile.TemporaryDirectory() as scratch:
            done = opp2p.run("devnet", "--replay", scratch)
            self.assertEqual(done.returncode, 1)
            self.assertIn("no recorded payload found", done.stderr)

    def test_a_folder_that_is_not_empty_is_refused(self):
        with tempfile.TemporaryDirectory() as scratch:
            (pathlib.Path(scratch) / "x").write_text("x")
            done = opp2p.run("devnet", "--data-dir", scratch, "--for", "5")
            self.assertEqual(done.returncode, 1)
            self.assertIn("is not empty", done.stderr)


if __name__ == "__main__":
    unittest.main()
