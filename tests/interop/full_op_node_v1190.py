"""The last client of op-node, v1.19.0, fills a gap from our server."""

import json
import pathlib
import tempfile
import unittest

from chain import FORKS
from lib import opp2p
from peers import Peer, needed

GAP = 20


class OldClient(unittest.TestCase):
    def fill(self, data, fork):
        client = needed("opnode-sync-client")
        with Peer("devnet", opp2p.PROGRAM, "devnet", "--json", "--block-time", 1, "--nodes", 2, "--fork", fork, "--data-dir",
                  data) as devnet:
            started = devnet.wait_for(lambda line: line.get("type") == "started", 60, "start")
            devnet.wait_for(lambda line: line.get("head", 0) >= GAP, 240, f"{GAP} blocks")
            with Peer("opnode-sync-client", client, "--rollup.config", started["rollupConfig"], "--signer", started["signer"],
                      "--connect", started["addresses"][1]) as syncer:
                done = syncer.wait_event("done", 180)
                self.assertTrue(done["ok"])
                self.assertGreaterEqual(done["blocks"], GAP)
                self.assertEqual(syncer.finished(90), 0)
                genesis = json.loads(pathlib.Path(started["rollupConfig"]).read_text())["genesis"]["l2"]["hash"]
                self.assertEqual(done["lowest_parent"], genesis)
            code = devnet.stop(60)
            self.assertEqual(code, 0, devnet.seen[-1].get("problems"))

    def test_it_fills_a_gap_from_our_server(self):
        for fork in FORKS:
            with self.subTest(fork=fork), tempfile.TemporaryDirectory() as scratch:
                self.fill(pathlib.Path(scratch) / "devnet", fork)


if __name__ == "__main__":
    unittest.main()
