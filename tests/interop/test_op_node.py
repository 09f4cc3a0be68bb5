"""This program and op-node's own p2p package: a follower in the running devnet, a sequencer whose blocks we take, a server that fills
a gap of ours. Every fork, and so every topic."""

import concurrent.futures
import json
import pathlib
import tempfile
import time
import unittest

from chain import FORKS, SEQUENCER_KEY, TOPIC_OF_FORK, write_config
from lib import opp2p
from peers import Peer, needed

GAP = 200


def chain_of(port, count):
    """The hashes of blocks 1 to count, as a node of ours holds them."""
    return opp2p.rpc(port, "opp2p_chain", 1, count)


def rpc_port(folder):
    return json.loads((folder / "node.json").read_text())["rpcPort"]


def payloads(follower):
    """The number of each block, by hash, that op-node's package has handed out so far."""
    return {line["hash"]: line["number"] for line in follower.seen if line.get("event") == "payload"}


class OpNode(unittest.TestCase):
    def on_every_fork(self, check):
        """Three forks at a time: most of a check is waiting for blocks."""
        needed("opnode-peer")  # built once, before the threads ask for it
        def run(fork):
            with tempfile.TemporaryDirectory() as scratch:
                check(pathlib.Path(scratch), fork)

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            outcomes = {fork: pool.submit(run, fork) for fork in FORKS}
        for fork, outcome in outcomes.items():
            with self.subTest(fork=fork):
                outcome.result()

    def follow_devnet(self, scratch, fork):
        follower_config = write_config(scratch / "follower.json", fork=fork, genesis_time=int(time.time()), block_time=1)
        with Peer(f"opnode-follower-{fork}", needed("opnode-peer"), "--rollup.config", follower_config) as follower:
            address = follower.wait_event("ready", 60)["addr"]
            data = scratch / "devnet"
            with Peer(f"devnet-{fork}", opp2p.PROGRAM, "devnet", "--json", "--for", 12, "--block-time", 1, "--nodes", 2, "--fork", fork,
                      "--data-dir", data, "--keep", "--join", address) as devnet:
                started = devnet.wait_for(lambda line: line.get("type") == "started", 60, "start")
                follower.ask("result", signer=started["signer"])
                first = follower.wait_event("payload", 60)["number"]
                # The devnet has a fail-over: op-node's package hands out the replaced block and the one in its place.
                replaced = devnet.wait_event("reorganised", 60, name="standby")
                wanted = {replaced["from"]["hash"], replaced["to"]["hash"]}
                last = max(first + 4, replaced["to"]["number"])
                while not wanted <= payloads(follower).keys() or last not in payloads(follower).values():
                    follower.wait_event("payload", 60)
                # A block is gossiped at once, and reported by RPC when it is on disk.
                port = rpc_port(data / "standby")
                opp2p.wait_for(lambda: len(chain_of(port, last)) == last, 60, f"our standby holds block {last}")
                self.assertLessEqual(set(chain_of(port, last)[first - 1:]), set(payloads(follower)))
                stats = follower.ask("stats", stats=True)
                self.assertGreaterEqual(stats["topic_peers"][TOPIC_OF_FORK[fork]], 3)
                peers = follower.ask("peers", peers=True)["peers"]
                self.assertEqual({peer["muxer"] for peer in peers}, {"/yamux/1.0.0"})
                summary = devnet.wait_for(lambda line: line.get("type") == "summary", 90, "summary")
                self.assertTrue(summary["ok"], summary["problems"])
                self.assertEqual(devnet.finished(90), 0)
            self.assertEqual(follower.stop(), 0)

    def test_a_follower_takes_the_blocks_of_the_devnet_on_every_fork(self):
        self.on_every_fork(self.follow_devnet)

    def test_the_config_of_the_devnet_is_one_for_op_node(self):
        with tempfile.TemporaryDirectory() as scratch:
            data = pathlib.Path(scratch) / "devnet"
            with Peer("devnet", opp2p.PROGRAM, "devnet", "--json", "--for", 8, "--block-time", 1, "--nodes", 1, "--fork", "jovian",
                      "--data-dir", data) as devnet:
                started = devnet.wait_for(lambda line: line.get("type") == "started", 60, "start")
                with Peer("opnode-follower", needed("opnode-peer"), "--rollup.config", started["rollupConfig"], "--signer",
                          started["signer"], "--static", ",".join(started["addresses"])) as follower:
                    follower.wait_event("payload", 60)
                    self.assertEqual(follower.stop(), 0)
                self.assertEqual(devnet.finished(90), 0)

    def take_blocks(self, scratch, fork):
        config = write_config(scratch / "rollup.json", fork=fork, genesis_time=int(time.time()) + 1, block_time=1)
        with Peer(f"opnode-sequencer-{fork}", needed("opnode-peer"), "--rollup.config", config, "--sequencer.key", SEQUENCER_KEY,
                  "--produce") as sequencer:
            ready = sequencer.wait_event("ready", 60)
            node = opp2p.Node(scratch / "node", "--rollup.config", config, "--p2p.static", ready["addr"],
                              "--p2p.unsafe.block.signer", ready["signer"])
            try:
                node.ready(60)
                first = sequencer.wait_event("published", 60)
                blocks = [first] + [sequencer.wait_event("published", 60, number=first["number"] + i) for i in range(1, 7)]
                last = blocks[-1]["number"]
                opp2p.wait_for(lambda: node.head() >= last, 60, f"our node has block {last}")
                ours = chain_of(node.port, last)
                self.assertEqual(len(ours), last)
                self.assertEqual(ours[first["number"] - 1:], [block["hash"] for block in blocks])
                self.assertEqual(node.status()["blocks"]["rejected"], {})
                self.assertEqual(node.stop(), 0)
            finally:
                if node.process.poll() is None:
                    node.kill()
            self.assertEqual(sequencer.stop(), 0)

    def test_we_take_the_blocks_of_a_sequencer_on_every_fork(self):
        self.on_every_fork(self.take_blocks)

    def test_a_server_fills_a_gap_of_ours(self):
        with tempfile.TemporaryDirectory() as name:
            scratch = pathlib.Path(name)
            config = write_config(scratch / "rollup.json", fork="isthmus", genesis_time=int(time.time()) - 2 * GAP)
            with Peer("opnode-server", needed("opnode-peer"), "--rollup.config", config, "--sequencer.key", SEQUENCER_KEY,
                      "--produce") as server:
                ready = server.wait_event("ready", 60)
                held = server.wait_event("producing", 60)["held"]
                self.assertGreaterEqual(held, GAP)
                node = opp2p.Node(scratch / "node", "--rollup.config", config, "--p2p.static", ready["addr"],
                                  "--p2p.unsafe.block.signer", ready["signer"])
                try:
                    node.ready(60)
                    published = server.wait_event("published", 60)["number"]
                    # op-node answers one peer four times a second after the first fifteen.
                    opp2p.wait_for(lambda: node.head() >= published, 240, f"the gap below block {published} is filled")
                    latest = server.wait_event("published", 60)
                    opp2p.wait_for(lambda: node.head() >= latest["number"], 60, "our node follows on")
                    hashes = chain_of(node.port, latest["number"])
                    self.assertEqual(len(hashes), latest["number"])
                    self.assertEqual(hashes[-1], latest["hash"])
                    served = server.ask("stats", stats=True)["served"]
                    self.assertGreaterEqual(served.get("0", 0), GAP)
                    self.assertEqual(node.stop(), 0)
                finally:
                    if node.process.poll() is None:
                        node.kill()
                self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
