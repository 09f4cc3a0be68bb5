"""`opp2p db` on the store of a node that has ended, and what the node makes of it when it starts again."""

import pathlib
import re
import tempfile
import unittest

from lib import made_chain, opp2p

BLOCKS = 12


class Db(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        self.key, self.options, envelopes = made_chain.make(folder, BLOCKS, 1000)
        self.node = made_chain.sequencer(folder / "sequencer", self.key, self.options)
        self.addCleanup(self.node.kill)
        made_chain.Feeder(self.node, envelopes, 0).run()
        opp2p.wait_for(lambda: self.node.head() == BLOCKS, 20, "the chain is stored")
        self.hashes = self.node.rpc("opp2p_chain", 1, BLOCKS)

    def db(self, *arguments):
        return opp2p.run("db", *arguments, "--data-dir", self.node.folder)

    def works(self, *arguments):
        done = self.db(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return done.stdout

    def complaint(self, *arguments):
        done = self.db(*arguments)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertRegex(done.stderr, r"\Aopp2p: .+\n\Z")
        return done.stderr

    def test_a_store_in_use_is_refused(self):
        for command in (["check"], ["migrate"], ["rewind", "--to", "3"]):
            self.assertIn("in use by another process", self.complaint(*command))

    def test_check_reads_everything_and_finds_damage(self):
        self.node.stop()
        self.assertIn("no defect found", self.works("check"))
        self.assertIn("has the present format", self.works("migrate"))
        file = self.node.folder / "blocks" / "data.mdb"
        content = bytearray(file.read_bytes())
        record = bytes.fromhex(self.hashes[4][2:]) + bytes.fromhex(self.hashes[3][2:])  # how that of block 5 begins
        places = [match.start() for match in re.finditer(re.escape(record), content)]  # pages that are not in use have it too
        self.assertTrue(places)
        for at in places:
            content[at + 100] ^= 1
        file.write_bytes(content)
        done = self.db("check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("its checksum does not fit", done.stdout)
        self.assertRegex(done.stdout, r"[12] defects found")

    def test_rewind_takes_the_node_back_and_keeps_it_from_a_denied_block(self):
        self.node.stop()
        self.assertIn("not in the canonical chain", self.complaint("rewind", "--to", "99"))
        self.assertIn("64 hexadecimal digits", self.complaint("rewind", "--to", "5", "--deny", "0x12"))
        told = self.works("rewind", "--to", "5", "--deny", self.hashes[5])
        self.assertIn(f"the head was {BLOCKS} {self.hashes[-1]}", told)
        self.assertIn(f"the head is  5 {self.hashes[4]}", told)
        self.assertIn(f"{BLOCKS - 5} blocks are not canonical any more", told)
        self.assertIn("no defect found", self.works("check"))
        self.node.start().ready()
        self.assertEqual(self.node.head(), 5)
        self.assertEqual(self.node.rpc("opp2p_chain", 1, BLOCKS), self.hashes[:5])

    def test_a_folder_without_a_store_is_left_as_it_is(self):
        with tempfile.TemporaryDirectory() as name:
            done = opp2p.run("db", "check", "--data-dir", name)
            self.assertEqual(done.returncode, 1)
            self.assertIn("there is no block store in", done.stderr)
            self.assertEqual(list(pathlib.Path(name).iterdir()), [])


if __name__ == "__main__":
    unittest.main()
