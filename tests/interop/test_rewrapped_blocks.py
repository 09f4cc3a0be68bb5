"""A stranger between a sequencer and a node passes each block on in another encoding that op-node reads and forwards: the node takes
it and passes it on to the node behind it, which hears of blocks from nobody else."""

import json
import pathlib
import subprocess
import tempfile
import unittest

from lib import made_chain, opp2p
from peers import needed

BLOCKS = 10
SECONDS = 1.5


class RewrappedBlocks(unittest.TestCase):
    def setUp(self):
        needed("torturer")

    def test_a_block_arrives_with_a_padded_snappy_length(self):
        self.passed_on("padded-snappy-length")

    def test_a_block_arrives_with_padded_protobuf_numbers(self):
        self.passed_on("padded-protobuf")

    def test_a_block_arrives_with_groups_65_deep(self):
        self.passed_on("groups-65-deep")

    def passed_on(self, form):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        key, options, envelopes = made_chain.make(folder, BLOCKS, 2000)
        sequencer = made_chain.sequencer(folder / "sequencer", key, options)
        self.addCleanup(sequencer.kill)
        node = opp2p.Node(folder / "node", *options, "--log.level", "info,gossip=debug").ready()
        self.addCleanup(node.kill)
        behind = opp2p.Node(folder / "behind", *options, "--p2p.static", node.address).ready()
        self.addCleanup(behind.kill)
        opp2p.wait_for(lambda: behind.status()["peers"] == 1, 5, "the node behind is connected")
        bridge = subprocess.Popen([needed("torturer"), "bridge", form, sequencer.address, node.address, str(SECONDS)],
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(bridge.stdout.close)
        self.addCleanup(bridge.wait)
        self.addCleanup(bridge.kill)
        self.assertEqual(json.loads(bridge.stdout.readline()), {"event": "ready"})
        feeder = made_chain.Feeder(sequencer, envelopes, 0.05)
        feeder.start()
        feeder.join()
        self.assertIsNone(feeder.error)
        done = json.loads(bridge.stdout.readline())
        print(f"  {form}: {done['blocks']} passed on by the stranger, head of the node behind {behind.head()}", flush=True)
        self.assertNotIn("thrownOut", done)
        self.assertEqual(done["blocks"], BLOCKS)
        self.assertEqual(behind.head(), BLOCKS, node.log()[-1000:])


if __name__ == "__main__":
    unittest.main()
