"""`opp2p sim`: what it prints and writes, what it refuses, and that a signal ends it with what there is so far."""

import csv
import json
import os
import pathlib
import pty
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from lib import opp2p

SMALL = ("--nodes", "30", "--minutes", "0.5")  # of virtual time
NOBODY = 65534


def sim(*arguments, **options):
    return opp2p.run("sim", *arguments, **options)


class SimCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def complaint(self, *arguments, **options):
        """The one line on stderr of a command that fails and prints nothing."""
        done = sim(*arguments, **options)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertRegex(done.stderr, r"\Aopp2p: .+\n\Z")
        return done.stderr


class Listed(SimCase):
    def test_the_attacks_are_listed_with_a_line_each(self):
        done = sim("list")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        names = [line.split()[0] for line in lines]
        self.assertEqual(len(names), len(set(names)))
        for name in ("eclipse-one", "eclipse-network", "eclipse-publishers", "censorship", "degradation", "cold-boot", "covert-flash", "dawn",
                     "ip-colocation", "sybil-flood", "discovery", "ihave-spam", "iwant-spam", "invalid-blocks", "graft-flood", "slow-drip", "replay",
                     "identity-rotation"):
            self.assertIn(name, names)
        for line in lines:
            self.assertRegex(line, r"^[a-z/-]+ +[a-z0-9].{10,}$")
            self.assertLessEqual(len(line), 105)
        listed = json.loads(sim("list", "--json").stdout)
        self.assertEqual([one["name"] for one in listed["attacks"] + listed["stories"]], names)
        self.assertGreaterEqual(listed["model"], 1)

    def test_the_settings_of_one_are_listed_with_its_own_defaults(self):
        done = sim("list", "degradation")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^  drop=0\.5 +share of the blocks")
        self.assertRegex(sim("list", "eclipse-network").stdout, r"(?m)^  drop=1 ")
        self.assertIn("Did you mean degradation?", self.complaint("list", "degradatoin"))

    def test_the_settings_of_a_story_are_listed_as_those_of_an_attack_are_spelled(self):
        done = sim("list", "honest/loss")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"\Ahonest/loss: 5% of the packets are lost\n  profile=opp2p ")
        self.assertRegex(done.stdout, r"(?m)^  block-time=2 ")
        self.assertEqual(sim("run", "honest/loss", *SMALL, "--set", "block-time=1").returncode, 0)
        self.assertIn("there is no story honest/los.", self.complaint("list", "honest/los"))


class Told(SimCase):
    def test_a_story_says_the_least_score_of_an_honest_peer_and_whether_its_bars_are_met(self):
        done = sim("run", "ban/invalid-blocks", "--nodes", "30", "--minutes", "1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"\Aban/invalid-blocks: .+\n30 honest nodes, profile opp2p, seed 1, ")
        self.assertRegex(done.stdout, r"(?m)^met +invalid blocks of one peer until its ban: \d+, at most 10$")
        report = json.loads(sim("run", "honest/loss", "--nodes", "30", "--minutes", "0.5", "--json").stdout)
        self.assertTrue(report["met"], report["bars"])
        self.assertEqual(report["scores"]["pairs_below_zero"], 0)
        self.assertIn("there is no story honest/los.", self.complaint("run", "honest/los"))
        self.assertIn("write profile, block-time", self.complaint("run", "honest/loss", "--set", "sybils=3"))

    def test_under_a_profile_without_scores_nothing_is_said_of_them(self):
        done = sim("run", "honest/loss", "--nodes", "30", "--minutes", "0.5", "--set", "profile=none")
        self.assertRegex(done.stdout, r"(?m)^not judged: .*the profile none scores nobody$")
        self.assertNotIn("least score", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^met +delivery")
        report = json.loads(sim("run", "honest/all", "--nodes", "30", "--minutes", "0.5", "--set", "profile=none", "--json").stdout)
        self.assertEqual((report["bars"], report["met"]), ([], None))


class Ran(SimCase):
    def test_a_run_prints_a_summary_and_writes_the_same_with_its_rows(self):
        out = self.folder / "new" / "report"
        done = sim("run", "invalid-blocks", *SMALL, "--seed", "7", "--set", "sybils=20", "--out", out)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn("\r", done.stdout, "progress is for terminals")
        self.assertRegex(done.stdout, r"\Ainvalid-blocks: .+\n30 honest nodes, 20 sybils, profile scored, seed 7, ")
        self.assertRegex(done.stdout, r"(?m)^(met|NOT MET) .*delivery within 12 heartbeats")
        self.assertRegex(done.stdout, r"(?m)^  invalid_message +[1-9]\d* of sybils +0 of honest peers$")
        self.assertEqual(done.stdout, (out / "summary.txt").read_text() + f"The report is in {out}.\n")
        report = json.loads((out / "report.json").read_text())
        self.assertEqual((report["scenario"], report["settings"]["seed"], report["settings"]["sybils"]), ("invalid-blocks", 7, 20))
        for name in ("blocks", "samples"):
            with open(out / f"{name}.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual(len(rows), len(report[name]))
            self.assertGreaterEqual(len(rows), 10)
        self.assertEqual(sum(block["expected"] for block in report["blocks"]), sum(s["expected"] for s in report["spread"].values()))

    def test_the_same_seed_gives_the_same_report_and_another_one_another(self):
        reports = [json.loads(sim("run", "eclipse-network", *SMALL, "--json", "--seed", seed).stdout) for seed in (1, 1, 2)]
        for report in reports:
            del report["wall_seconds"]
        self.assertEqual(reports[0], reports[1])
        self.assertNotEqual(reports[0]["trace_hash"], reports[2]["trace_hash"])

    def test_an_interrupt_ends_with_what_there_is_so_far(self):
        out = self.folder / "report"
        process = subprocess.Popen([opp2p.PROGRAM, "sim", "run", "eclipse-network", "--nodes", "200", "--minutes", "600", "--out", out],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
        self.assertEqual((process.returncode, stderr), (0, ""))
        self.assertRegex(stdout, r"(?m)^The run was stopped after \d+ s\.$")
        self.assertTrue(json.loads((out / "report.json").read_text())["interrupted"])

    def test_a_terminal_shows_progress_in_one_line_and_then_the_summary(self):
        pid, fd = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(opp2p.PROGRAM, [str(opp2p.PROGRAM), "sim", "run", "eclipse-network", *SMALL])
        text = ""
        while True:
            try:
                data = os.read(fd, 65536).decode()
            except OSError:
                break
            if not data:
                break
            text += data
        os.close(fd)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        self.assertRegex(text, r"\r\x1b\[J\d+ of 30 s simulated, \d+ blocks, ")
        progress, _, summary = text.rpartition("\r\x1b[J")
        self.assertNotIn("\n", progress)
        self.assertRegex(summary, r"\Aeclipse-network: ")


class Refused(SimCase):
    def test_what_is_given_wrongly_is_named_with_a_way_out(self):
        cases = {
            "an attack that is none": (["xyzzy"], ["there is no attack xyzzy", "opp2p sim list"]),
            "one that is misspelt": (["eclipse-netwrok"], ["Did you mean eclipse-network?"]),
            "no attack": ([], ["NAME is required"]),
            "no nodes": (["dawn", "--nodes", "0"], ["--nodes"]),
            "too many nodes": (["dawn", "--nodes", "1000000000"], ["--nodes", "20000"]),
            "nodes below zero": (["dawn", "--nodes", "-5"], ["--nodes"]),
            "nodes that are no number": (["dawn", "--nodes", "many"], ["--nodes"]),
            "no time": (["dawn", "--minutes", "0"], ["--minutes"]),
            "a seed that is no number": (["dawn", "--seed", "x"], ["--seed"]),
            "a setting that is none": (["dawn", "--set", "sybil=5"], ["--set sybil", "Did you mean sybils?"]),
            "a setting without a value": (["dawn", "--set", "sybils"], ["--set sybils: the value is missing", "sybils=1000"]),
            "a setting out of range": (["dawn", "--set", "drop=2"], ["--set drop=2", "from 0 to 1"]),
            "a profile that is none": (["dawn", "--set", "profile=op"], ["none, light, opp2p or scored"]),
            "an attack that does not fit": (["dawn", "--minutes", "1", "--set", "attack-end=90"], ["attack ends after 90 s", "--minutes 1.5"]),
            "an option that is misspelt": (["dawn", "--node", "50"], ["Did you mean --nodes?"]),
        }
        for what, (arguments, says) in cases.items():
            with self.subTest(what):
                line = self.complaint("run", *arguments)
                for text in says:
                    self.assertIn(text, line)

    def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs(self):
        file = self.folder / "file"
        file.write_text("")
        self.assertIn(f"--out: cannot write {file / 'x'}: Not a directory", self.complaint("run", "dawn", "--out", file / "x"))
        self.assertIn("--out: cannot write /proc/x", self.complaint("run", "dawn", "--out", "/proc/x"))
        if os.geteuid() == 0:
            closed = self.folder / "closed"
            closed.mkdir(mode=0o755)
            line = self.complaint("run", "dawn", "--out", closed, user=NOBODY)
            self.assertIn(f"--out: cannot write {closed}", line)
            self.assertIn("Permission denied", line)
        self.assertEqual(file.read_text(), "")

    def test_a_report_that_is_there_is_not_overwritten(self):
        for name in ("report.json", "blocks.csv", "samples.csv", "summary.txt"):
            with self.subTest(name):
                folder = self.folder / name.replace(".", "-")
                folder.mkdir()
                (folder / name).write_text("mine")
                self.assertIn(f"{folder / name} is there already; name another folder", self.complaint("run", "dawn", "--out", folder))
                self.assertEqual((folder / name).read_text(), "mine")
                self.assertEqual(os.listdir(folder), [name])

    def test_a_network_that_does_not_fit_into_memory_is_told(self):
        complaint = self.complaint(
            "run", "invalid-blocks", "--nodes", "10", "--minutes", "1", "--set", "sybils=2000", "--set", "sybil-dials=1000",
            "--set", "max-inbound=10000", "--set", "rate=1000", "--set", "attack-end=32",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)))
        self.assertIn("not enough memory", complaint)

    def test_a_full_disk_is_told(self):
        def no_large_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

        done = sim("run", "dawn", *SMALL, "--out", self.folder / "report", preexec_fn=no_large_files)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.splitlines()[-1], r"^opp2p: --out: cannot write .*report\.json: File too large; raise the limit")


if __name__ == "__main__":
    unittest.main()
