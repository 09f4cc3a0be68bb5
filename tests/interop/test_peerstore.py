"""The peerstore of an op-node moves to opp2p and back. op-node's own packages (interop/go/peerstore) write it, and read what we
export."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from lib import opp2p
from peers import Peer, needed

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
PEER = "16Uiu2HAkzh4QdxB7ijzVnwd6JFNNe4bcr1JBwYUypXe3pX5BRpqK"
OTHER_KEY = "11" * 32
RECORDED = 40


def run(*arguments, code=0):
    """What a command printed: stdout, or stderr when it is to fail."""
    done = subprocess.run([opp2p.PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    if done.returncode != code:
        raise AssertionError(f"{arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout if code == 0 else done.stderr


class OpNode:
    """op-node's packages with a peerstore folder open."""

    def __init__(self, folder):
        self._peer = Peer("opnode-peerstore", needed("opnode-peerstore"), folder)
        self._peer.wait_event("ready", 60)

    def __enter__(self):
        self._peer.__enter__()
        return self

    def __exit__(self, *cause):
        return self._peer.__exit__(*cause)

    def ask(self, event, **command):
        return self._peer.ask(event, **command)

    def records(self):
        return self.ask("dump", dump=True)["records"]

    def description(self):
        return self.ask("described", describe=True)

    def close(self):
        self._peer.command(quit=True)
        assert self._peer.finished(30) == 0


class Peerstore(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.theirs = self.scratch / "opnode_peerstore_db"
        self.data = self.scratch / "data"

    def fill(self, key=KEY, compact=False):
        """The records and the description of a peerstore that op-node has filled and closed."""
        with OpNode(self.theirs) as op_node:
            if key:
                op_node.ask("key", key=key)
            op_node.ask("filled", fill=RECORDED, seed=1)
            if compact:
                op_node.ask("compacted", compact=True)
            out = op_node.records(), op_node.description()
            op_node.close()
        return out

    def import_theirs(self, *more, code=0):
        return run("peerstore", "import", self.theirs, "--data-dir", self.data, *more, code=code)

    def shown(self):
        return json.loads(run("peerstore", "show", "--data-dir", self.data, "--json"))

    def test_every_record_is_the_same_after_the_way_there_and_back(self):
        records, description = self.fill()
        said = self.import_theirs()
        self.assertIn(f"Imported {len(records) - 1} records", said)  # all but the private key
        self.assertNotIn("Left out", said)
        exported = self.scratch / "exported"
        said = run("peerstore", "export", exported, "--data-dir", self.data)
        self.assertIn(f"--p2p.peerstore.path {exported}", said)
        self.assertIn(PEER, said)
        with OpNode(exported) as op_node:
            self.assertEqual(op_node.records(), records)  # byte for byte
            self.assertEqual(op_node.description(), description)
            op_node.close()

    def test_tables_are_read_as_the_log_is(self):
        """What op-node has compacted lies in compressed tables."""
        records, _ = self.fill(compact=True)
        self.assertTrue(list(self.theirs.glob("*.ldb")))
        self.assertIn(f"Imported {len(records) - 1} records", self.import_theirs())

    def test_what_is_shown_is_what_op_node_says(self):
        _, description = self.fill()
        self.import_theirs()
        shown = self.shown()
        peers = {one["peerID"]: one for one in shown["peers"]}
        self.assertEqual(set(peers), set(description["peers"]))
        for name, theirs in description["peers"].items():
            ours = peers[name]
            with self.subTest(peer=name):
                self.assertEqual(sorted(one["address"] for one in ours["addresses"]), theirs["addresses"])
                self.assertEqual(ours["protocols"], theirs["protocols"])
                self.assertEqual(ours.get("agent"), theirs.get("AgentVersion"))
                self.assertEqual(ours.get("ban", {}).get("expiry"), theirs.get("banned_until"))
                if name != PEER:
                    self.assertEqual(ours["scores"], theirs["scores"])
                if theirs["metadata"]["enr"]:
                    self.assertEqual((ours["ENR"], ours["chainID"]), (theirs["metadata"]["enr"], theirs["metadata"]["opStackID"]))
        self.assertEqual({one["ip"]: one["expiry"] for one in shown["ipBans"]}, description["ip_bans"])
        self.assertEqual(sorted(name for name, one in peers.items() if one["blocked"]), description["blocked"]["peers"])
        self.assertEqual(sorted(shown["blockedAddresses"]), description["blocked"]["addresses"])
        self.assertEqual(sorted(shown["blockedSubnets"]), description["blocked"]["subnets"])
        banned = next(name for name, one in description["peers"].items() if "banned_until" in one)
        self.assertIn(f"{banned} is banned until ", run("peerstore", "show", banned, "--data-dir", self.data))
        self.assertIn(" banned, ", run("peerstore", "show", "--data-dir", self.data).splitlines()[0])

    def test_the_key_comes_along_when_there_is_none(self):
        self.fill()
        self.assertIn(PEER, self.import_theirs())
        file = self.data / "opnode_p2p_priv.txt"
        self.assertEqual(file.read_text(), KEY)
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertIn(PEER, self.import_theirs())  # again: it is the same

    def test_the_key_of_another_node_is_refused_with_a_sentence(self):
        self.fill()
        self.data.mkdir()
        file = self.data / "opnode_p2p_priv.txt"
        file.write_text(OTHER_KEY)
        said = self.import_theirs(code=1)
        self.assertIn(f"this is the peerstore of {PEER}", said)
        self.assertIn("--keep-key", said)
        self.assertEqual(self.shown()["peers"], [])  # nothing was taken
        self.assertIn("Imported", self.import_theirs("--keep-key"))
        self.assertEqual(file.read_text(), OTHER_KEY)

    def test_a_peerstore_that_op_node_has_open_is_refused(self):
        with OpNode(self.theirs) as op_node:
            op_node.ask("key", key=KEY)
            said = self.import_theirs(code=1)
            self.assertIn(str(self.theirs), said)
            self.assertIn("stop op-node first", said)
            self.assertEqual(len(op_node.records()), 2)  # it goes on: both halves of its key
            op_node.close()
        self.assertIn("Imported", self.import_theirs())

    def test_a_record_that_is_not_sound_is_left_out_and_named(self):
        with OpNode(self.theirs) as op_node:
            op_node.ask("key", key=KEY)
            op_node.ask("filled", fill=2, seed=3)
            broken = next(key for key in op_node.records() if key.startswith("/peers/scores/"))
            op_node.ask("put", put={broken: b"{broken".hex(), "/local/other": b"x".hex()})
            op_node.close()
        said = self.import_theirs()
        self.assertIn("Left out 2 records:", said)
        self.assertIn(broken, said)
        self.assertIn("/local/other", said)

    def test_the_original_is_not_touched(self):
        self.fill()
        before = {file.name: file.read_bytes() for file in self.theirs.iterdir()}
        self.import_theirs()
        self.assertEqual({file.name: file.read_bytes() for file in self.theirs.iterdir()}, before)
        self.assertEqual([file.name for file in self.data.iterdir() if "import" in file.name], [])

    def test_an_export_never_writes_over_something(self):
        self.fill()
        self.import_theirs()
        target = self.scratch / "exported"
        target.mkdir()
        (target / "file").write_text("mine")
        self.assertIn("is there already", run("peerstore", "export", target, "--data-dir", self.data, code=1))
        self.assertEqual([file.name for file in target.iterdir()], ["file"])
        (target / "file").unlink()
        run("peerstore", "export", target, "--data-dir", self.data)  # an empty folder will do

    def test_a_damaged_copy_is_an_error(self):
        self.fill(compact=True)
        whole = self.scratch / "whole"
        shutil.copytree(self.theirs, whole)
        for name in sorted(file.name for file in whole.iterdir() if file.name not in ("LOCK", "LOG")):
            content = (whole / name).read_bytes()
            for damage in (b"", content[: len(content) // 2], b"\xff" * len(content), content[:-1] + b"\x00"):
                (self.theirs / name).write_bytes(damage)
                with self.subTest(file=name, size=len(damage)):
                    done = subprocess.run([opp2p.PROGRAM, "peerstore", "import", self.theirs, "--data-dir", self.scratch / "other"],
                                          capture_output=True, text=True, timeout=120)
                    self.assertIn(done.returncode, (0, 1), done.stderr)  # no signal
                    self.assertEqual(done.returncode == 1, done.stderr.startswith("opp2p: "), done.stderr)
            (self.theirs / name).write_bytes(content)


if __name__ == "__main__":
    unittest.main()
