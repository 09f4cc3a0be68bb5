"""Where the program's output goes, and the signals that end it: a full disk, a closed descriptor and a reader that has ended are errors
in one line with exit code 1; what ends, ends in order and leaves nothing behind."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from lib import made_chain, opp2p

KEY = "11" * 32
ID = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class OutputCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()

    def enterContext(self, manager):  # that of Python 3.11
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        return stack.enter_context(manager)

    def start(self, *arguments, **options):
        environment = {**os.environ, "TMPDIR": str(self.temporary)}
        process = subprocess.Popen([str(opp2p.PROGRAM), *map(str, arguments)], **{"env": environment, "text": True, **options})
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.kill)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                self.addCleanup(stream.close)
        return process

    def said(self, process, code, *parts):
        """The exit code, and one line on standard error with these parts."""
        _, error = process.communicate(timeout=30)
        self.assertEqual(process.returncode, code, (process.args, error))
        self.assertRegex(error, r"\Aopp2p: [^\n]+\n\Z", process.args)
        for part in parts:
            self.assertIn(part, error, process.args)
        return error


class Commands(OutputCase):
    """Every command whose output cannot be written says so and ends with 1."""

    def commands(self):
        key = self.folder / "key"
        key.write_text(KEY)
        block = self.folder / "recordings"
        block.mkdir()
        data = json.loads((opp2p.ROOT / "tests" / "vectors" / "data" / "opstack" / "ssz" / "payloads.json").read_text())
        envelope = next(case["decoded"] for case in data["cases"] if case.get("block_hash_matches", True))
        (block / "1.json").write_text(json.dumps(envelope))
        server = self.start("perf", "serve", "--listen", "/ip4/127.0.0.1/tcp/0", stdout=subprocess.PIPE)
        address = server.stdout.readline().strip()
        return [
            ("--version",), ("--help",), ("node", "--help"), ("inspect", "gossip", "--help"),
            ("key", "generate"), ("key", "generate", "--out", self.folder / "new"), ("key", "peer-id", key),
            ("inspect", "peer-id", ID), ("inspect", "multiaddr", "/ip4/1.2.3.4"), ("inspect", "key", "--form", "ed25519", KEY),
            ("inspect", "message-id", "--topic", "t", key),
            ("inspect", "gossip", "--chain-id", 10, "--topic", "/optimism/10/0/blocks", "--signer", "00" * 20, key),
            ("ping", "-c", 1_000_000, "-i", 0, address), ("ping", "--json", "-c", 1_000_000, "-i", 0, address),
            ("perf", "serve", "--listen", "/ip4/127.0.0.1/tcp/0"),
            ("perf", "dial", address, "--upload-bytes", 1, "--download-bytes", 1),
            ("devnet", "--replay", block, "--nodes", 1), ("devnet", "--replay", block, "--nodes", 1, "--json"),
        ]

    def test_a_full_disk_a_reader_that_has_ended_and_a_closed_descriptor_are_errors(self):
        unread, write = os.pipe()
        os.close(unread)
        self.addCleanup(os.close, write)
        full = self.enterContext(open("/dev/full", "w"))
        for arguments in self.commands():
            for options, what in (({"stdout": full}, "opp2p: standard output cannot be written: No space left on device; make room"),
                                  ({"stdout": write}, "opp2p: standard output is closed: the program that read it has ended"),
                                  ({"preexec_fn": lambda: os.close(1)}, "opp2p: standard output is closed: nothing can be written to it")):
                with self.subTest(arguments=arguments, what=what):
                    (self.folder / "new").unlink(missing_ok=True)
                    self.said(self.start(*arguments, stderr=subprocess.PIPE, **options), 1, what)

    def test_a_command_ends_when_its_reader_has_enough(self):
        server = self.start("perf", "serve", "--listen", "/ip4/127.0.0.1/tcp/0", stdout=subprocess.PIPE)
        address = server.stdout.readline().strip()
        pings = self.start("ping", "-c", 1_000_000, "-i", 0, address, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3):
            self.assertNotEqual(pings.stdout.readline(), "")
        pings.stdout.close()
        pings.stdout = None
        self.said(pings, 1, "the program that read it has ended")
        self.assertIsNone(server.poll(), "it has nothing more to print, and serves on")

    def test_tools_end_in_order_on_every_signal(self):
        for number in SIGNALS:
            server = self.start("perf", "serve", "--listen", "/ip4/127.0.0.1/tcp/0", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            server.stdout.readline()
            server.send_signal(number)
            self.assertEqual((server.wait(20), server.stderr.read()), (0, ""), number)

    def test_what_is_not_utf8_leaves_as_valid_json(self):
        for address in ("0x3604636166e9", b"/dns4/caf\xe9"):
            done = subprocess.run([opp2p.PROGRAM, "inspect", "multiaddr", address], stdout=subprocess.PIPE, timeout=20)
            self.assertEqual(json.loads(done.stdout.decode())["multiaddr"], "/dns4/caf\ufffd")
        done = subprocess.run([opp2p.PROGRAM, "inspect", "peer-id", b"caf\xe9\x1b[2J"], stderr=subprocess.PIPE, timeout=20)
        self.assertNotIn("\x1b", done.stderr.decode())


class Node(OutputCase):
    @classmethod
    def setUpClass(cls):
        cls.chain = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.chain.cleanup)
        made_chain.make(pathlib.Path(cls.chain.name), 0, 0)

    def node(self, **options):
        data = self.folder / "node"
        process = self.start("node", "--rollup.config", pathlib.Path(self.chain.name) / "rollup.json", "--data-dir", data,
                             "--p2p.priv.path", self.folder / "key", "--p2p.listen.ip", "127.0.0.1", "--p2p.listen.tcp", 0,
                             "--rpc.addr", "127.0.0.1", "--rpc.port", 0, **options)
        self.about = data / "node.json"
        opp2p.wait_for(self.about.exists, 20, "the node is up")
        return process

    def test_every_signal_ends_it_in_order(self):
        for number in SIGNALS:
            process = self.node(stderr=subprocess.PIPE)
            process.send_signal(number)
            self.assertEqual(process.wait(20), 0, number)
            self.assertIn('msg="stopped"', process.stderr.read())
            self.assertFalse(self.about.exists())

    def test_an_ignored_hangup_stays_ignored_as_nohup_wants_it(self):
        process = self.node(stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.send_signal(signal.SIGHUP)
        port = json.loads(self.about.read_text())["rpcPort"]
        self.assertEqual(opp2p.rpc(port, "opp2p_status")["peers"], 0)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 0)

    def test_it_ends_when_the_reader_of_its_log_has_ended_though_it_has_nothing_to_say(self):
        process = self.node(stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(3):
            self.assertNotEqual(process.stdout.readline(), "")
        process.stdout.close()
        self.assertEqual(process.wait(20), 1)
        self.assertFalse(self.about.exists())

    def test_an_interrupt_that_also_ends_the_reader_of_its_log_is_in_order(self):
        read, write = os.pipe()
        tee = subprocess.Popen(["tee", self.folder / "log"], stdin=read, stdout=subprocess.DEVNULL)
        self.addCleanup(tee.wait, 20)
        self.addCleanup(tee.kill)
        process = self.node(stdout=write, stderr=write)
        os.close(read)
        os.close(write)
        os.kill(process.pid, signal.SIGSTOP)  # so that the reader ends first, as at a terminal it may
        tee.send_signal(signal.SIGINT)
        tee.wait(20)
        process.send_signal(signal.SIGINT)
        os.kill(process.pid, signal.SIGCONT)
        self.assertEqual(process.wait(20), 0)
        self.assertFalse(self.about.exists())

    def test_a_log_that_cannot_be_written_does_not_end_it_but_is_an_error_at_the_end(self):
        process = self.node(stderr=self.enterContext(open("/dev/full", "w")))
        port = json.loads(self.about.read_text())["rpcPort"]
        self.assertEqual(opp2p.rpc(port, "opp2p_status")["peers"], 0)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 1)

    def test_closed_descriptors_are_not_used_for_what_is_opened_later(self):
        process = self.node(preexec_fn=lambda: os.closerange(0, 3))
        for descriptor in (0, 1, 2):
            self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{descriptor}"), "/dev/null")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 1)  # its log could not be written


class Devnet(OutputCase):
    def devnet(self, *options, nodes=1, **more):
        return self.start("devnet", "--json", "--block-time", 1, "--nodes", nodes, *options, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **more)

    def assert_nothing_is_left(self, members):
        self.assertEqual(list(self.temporary.iterdir()), [])
        self.assertEqual([pid for pid in members if opp2p.runs(pid)], [])

    def test_signals_and_a_reader_that_has_enough_end_it_in_order_and_remove_its_folder(self):
        started = {number: self.devnet() for number in (signal.SIGHUP, signal.SIGQUIT, None)}
        members = []
        for number, process in started.items():
            line = {}
            while line.get("head", 0) < 1 or not any(node["rejected"] for node in line["nodes"]):
                line = json.loads(process.stdout.readline())
            self.assertEqual(len(opp2p.children(process.pid)), 4)
            members += opp2p.children(process.pid)
            if number is None:
                process.stdout.close()
                process.stdout = None
                self.said(process, 1, "the program that read it has ended")
                continue
            process.send_signal(number)
            rest, error = process.communicate(timeout=30)
            summary = opp2p.json_lines(rest)[-1]
            self.assertTrue(summary["ok"], summary["problems"])
            self.assertEqual((process.returncode, error), (0, ""), number)
        self.assert_nothing_is_left(members)

    def test_a_signal_while_it_starts_ends_it_and_a_full_disk_too(self):
        starting = self.devnet(nodes=16)  # so many that they are not all up when the signal comes
        full = self.start("devnet", "--nodes", 1, stdout=self.enterContext(open("/dev/full", "w")), stderr=subprocess.PIPE)
        members = opp2p.wait_for(lambda: opp2p.children(starting.pid), 20, "its first node is started")
        starting.send_signal(signal.SIGTERM)
        self.said(starting, 1, "stopped before")
        self.said(full, 1, "standard output cannot be written: No space left on device")
        self.assert_nothing_is_left(members)

    def test_a_signal_before_the_first_block_is_no_verdict_on_the_chain(self):
        process = self.start("devnet", "--json", "--block-time", 60, "--nodes", 1, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while "nodes" not in json.loads(process.stdout.readline()):
            pass
        process.send_signal(signal.SIGINT)
        rest, error = process.communicate(timeout=30)
        self.assertEqual((process.returncode, error), (1, ""))
        self.assertEqual(opp2p.json_lines(rest)[-1]["problems"], ["stopped before the first block"])

    def test_who_is_killed_takes_its_nodes_along(self):
        process = self.devnet()
        process.stdout.readline()
        members = opp2p.children(process.pid)
        process.kill()
        process.wait(20)
        opp2p.wait_for(lambda: not any(opp2p.runs(pid) for pid in members), 20, "the nodes have ended")

    def test_a_temporary_folder_that_is_missing_is_named(self):
        missing = str(self.folder / "nonexistent")
        self.said(self.devnet(env={**os.environ, "TMPDIR": missing}), 1,
                  f"opp2p: cannot create a temporary folder in {missing} (TMPDIR): no such file or directory. "
                  "Set TMPDIR to a folder that exists, or give --data-dir.")

    def test_a_node_that_does_not_start_is_told_in_its_own_words(self):
        self.said(self.devnet("--log.level", "loud"), 1, "sequencer ended during its start", "loud")


if __name__ == "__main__":
    unittest.main()
