"""`opp2p db` on the store of a node that has ended, and what the node makes of it when it starts again."""

import json
import pathlib
import re
import tempfile
import time
import unittest

from lib import made_chain, opp2p

BLOCKS = 12


class Db(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.chain = made_chain.Chain(self.scratch, BLOCKS + 1, 1000)
        self.options = [*self.chain.options, *made_chain.OPTIONS]
        self.node = made_chain.sequencer(self.scratch / "sequencer", self.chain.signer_key, self.options)
        self.addCleanup(self.node.kill)
        made_chain.Feeder(self.node, self.chain.envelopes[:BLOCKS], 0).run()
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

    def start_as_follower(self):
        """The node starts again and follows another sequencer of the same key, whose store is empty; answers that one."""
        other = made_chain.sequencer(self.scratch / "other", self.chain.signer_key, self.options)
        self.addCleanup(other.kill)
        self.node.options = [*map(str, self.options), "--p2p.static", other.address, "--rpc.enable-admin"]
        self.node.start().ready()
        opp2p.wait_for(lambda: all(node.status()["mesh"] > 0 for node in (self.node, other)), 20, "the two share a mesh")
        return other

    @staticmethod
    def publish(sequencer, envelopes):
        for envelope in envelopes:
            sequencer.rpc("admin_publishUnsafePayload", json.loads(envelope))

    def test_a_denied_block_that_is_gossiped_again_is_not_followed_and_another_at_its_height_is(self):
        self.node.stop()
        self.works("rewind", "--to", "5", "--deny", self.hashes[5])
        other = self.start_as_follower()
        accepted = self.node.status()["blocks"]["accepted"]
        self.publish(other, self.chain.envelopes)
        opp2p.wait_for(lambda: self.node.status()["blocks"]["accepted"] >= accepted + BLOCKS + 1, 20, "all blocks are gossiped")
        time.sleep(2)
        status = self.node.status()
        self.assertEqual(status["head"]["number"], 5, self.node.log()[-3000:])
        self.assertGreaterEqual(status["chainEvents"]["denied"], 1, status)
        self.assertIn("event_id=denied", self.node.log())
        self.assertIsNone(self.node.rpc("opp2p_blockByHash", self.hashes[5]))
        with self.assertRaisesRegex(opp2p.RpcError, "denied by the operator"):
            self.node.rpc("admin_postUnsafePayload", json.loads(self.chain.envelopes[5]))
        branch = made_chain.Chain(self.scratch, 6, 1000, self.chain.genesis, fork_after=5).envelopes
        self.assertEqual(branch[:5], self.chain.envelopes[:5])
        self.publish(other, branch[5:])
        wanted = json.loads(branch[5])["executionPayload"]["blockHash"]
        opp2p.wait_for(lambda: self.node.status()["head"] == {"number": 6, "hash": wanted}, 20, "the other block is followed")
        self.assertEqual(self.node.stop(), 0)
        self.assertIn("no defect found", self.works("check"))

    def test_a_denial_is_listed_and_taken_back_and_the_branch_comes_back_then(self):
        self.node.stop()
        self.assertEqual(self.works("denied"), "no block is denied\n")
        self.works("rewind", "--to", "5", "--deny", self.hashes[5])
        self.assertEqual(self.works("denied"), self.hashes[5] + "\n")
        self.assertIn("is not denied", self.complaint("allow", "--hash", self.hashes[6]))
        self.assertIn("denied no more", self.works("allow", "--hash", self.hashes[5]))
        other = self.start_as_follower()
        self.publish(other, self.chain.envelopes)
        opp2p.wait_for(lambda: self.node.head() == BLOCKS + 1, 20, "the branch comes back")

    def test_without_a_denial_the_head_stays_until_a_signed_block_above_it_comes(self):
        self.node.stop()
        told = self.works("rewind", "--to", "5")
        self.assertIn("a signed block that stands on them brings them back", told)
        shown = self.works("show", self.hashes[8])
        self.assertIn(f"number: 9\nhash: {self.hashes[8]}\nparent: {self.hashes[7]}\n", shown)
        self.assertRegex(shown, r"canonical: no\norphan: rewound since \d+\n")
        self.assertIn(f"signer: {self.chain.signer}\n", shown)
        other = self.start_as_follower()
        time.sleep(2)
        self.assertEqual(self.node.head(), 5)
        about = self.node.rpc("opp2p_blockByHash", self.hashes[8])
        self.assertEqual((about["number"], about["parentHash"], about["canonical"]), (9, self.hashes[7], False))
        self.assertEqual((about["orphanReason"], about["signer"]), ("rewound", self.chain.signer))
        self.publish(other, self.chain.envelopes[BLOCKS:])
        opp2p.wait_for(lambda: self.node.head() == BLOCKS + 1, 20, "the signer goes on with the branch")
        self.assertEqual(self.node.rpc("opp2p_chain", 1, BLOCKS), self.hashes)
        self.assertIsNone(self.node.rpc("opp2p_blockByHash", self.hashes[8])["orphanReason"])

    def test_a_denial_has_to_be_a_hash_and_an_unknown_one_is_told(self):
        self.node.stop()
        self.assertIn("64 hexadecimal digits", self.complaint("rewind", "--to", "5", "--deny", ""))
        self.assertIn("warning: the denied block is not in the store", self.works("rewind", "--to", "12", "--deny", "0x" + "77" * 32))
        self.assertIn("is not in the store", self.complaint("show", "0x" + "66" * 32))

    def test_a_folder_without_a_store_is_left_as_it_is(self):
        with tempfile.TemporaryDirectory() as name:
            done = opp2p.run("db", "check", "--data-dir", name)
            self.assertEqual(done.returncode, 1)
            self.assertIn("there is no block store in", done.stderr)
            self.assertEqual(list(pathlib.Path(name).iterdir()), [])


if __name__ == "__main__":
    unittest.main()
