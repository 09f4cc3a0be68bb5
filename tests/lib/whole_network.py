"""Many nodes on loopback, each connected to each, none of them a static peer of another: whoever is banned, trimmed or dropped stays away.
They all have one address, 127.0.0.1."""

import concurrent.futures
import json
import time

from lib import made_chain, opp2p, prometheus_text

BLOCKS = 10
AT_ONCE = 8  # nodes that are asked at a time
OPTIONS = ["--metrics.enabled", "--metrics.addr", "127.0.0.1", "--metrics.port", "0", "--log.level", "warn"]


def at_once(ask, whom):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, whom))


class WholeNetwork:
    """For a TestCase: check_whole() starts the nodes, has the first of them publish a block each second, and ends them."""

    def start_nodes(self, folder, count, profile):
        self.chain = made_chain.Chain(folder, BLOCKS)
        # As many places as there are peers: this is not about trimming.
        options = [*self.chain.options, *made_chain.OPTIONS, *OPTIONS, "--p2p.scoring", profile, "--p2p.peers.lo", count, "--p2p.peers.hi",
                   count + 10]
        sequencing = ["--p2p.sequencer.key", self.chain.signer_key, "--rpc.enable-admin"]
        self.nodes = []
        for number in range(count):
            self.nodes.append(opp2p.Node(folder / f"node{number}", *options, *(sequencing if number == 0 else [])))
            self.addCleanup(self.nodes[-1].kill)
        at_once(lambda node: node.ready(60), self.nodes)

    def connect_each_to_each(self):
        def dial_earlier(number):
            for other in self.nodes[:number]:
                self.nodes[number].rpc("opp2p_connectPeer", other.address)

        at_once(dial_earlier, range(len(self.nodes)))
        mesh = min(6, len(self.nodes) - 1)
        opp2p.wait_for(lambda: all(status["mesh"] >= mesh for status in self.ask_all("opp2p_status")), 60, "the mesh stands")

    def ask_all(self, method, *params):
        return at_once(lambda node: node.rpc(method, *params), self.nodes)

    def look(self, profile):
        """Everybody has all peers, and thinks nothing bad of any."""
        ids = {node.peer_id for node in self.nodes}
        for node, told in zip(self.nodes, self.ask_all("opp2p_peers", True)):
            self.assertEqual(set(told["peers"]), ids - {node.peer_id}, node.folder.name)
            totals = {peer["scores"]["gossip"]["total"] for peer in told["peers"].values()}
            if profile == "none":
                self.assertEqual(totals, {None}, node.folder.name)
            else:
                self.assertGreaterEqual(min(totals), 0, node.folder.name)
        self.assertEqual([bans for bans in self.ask_all("opp2p_bans") if bans], [])

    def look_back(self):
        """Since the start no connection was closed or refused, no score was low, and nobody was blamed or banned."""
        for node in self.nodes:
            families = prometheus_text.read(node.metrics())
            for name in ("opp2p_connections_closed_total", "opp2p_score_crossings_total", "opp2p_faults_total", "opp2p_common_faults_total",
                         "opp2p_bans_total", "op_node_default_p2p_peer_bans"):
                self.assertTrue(name in families, name)
                happened = {sample: count for sample, count in families[name].samples.items() if count}
                self.assertEqual(happened, {}, node.folder.name)
            self.assertFalse("opp2p_gate_refusals_total" in families, "a gate refused somebody: it is there from the first time on")

    def check_whole(self, folder, count, profile):
        self.start_nodes(folder, count, profile)
        self.connect_each_to_each()
        self.look(profile)
        for number, envelope in enumerate(self.chain.envelopes, 1):
            due = time.monotonic() + 1
            self.nodes[0].rpc("admin_publishUnsafePayload", json.loads(envelope))
            if number % 3 == 0:
                self.look(profile)
            time.sleep(max(0, due - time.monotonic()))
        opp2p.wait_for(lambda: all(status["head"]["number"] == BLOCKS for status in self.ask_all("opp2p_status")), 60,
                       "every node has the last block")
        chains = {tuple(chain) for chain in self.ask_all("opp2p_chain", 1, BLOCKS)}
        self.assertEqual(len(chains), 1, "all nodes have the same blocks")
        self.assertEqual(len(chains.pop()), BLOCKS)
        for node, status in zip(self.nodes, self.ask_all("opp2p_status")):
            self.assertEqual(status["blocks"]["rejected"], {}, node.folder.name)
        self.look(profile)
        self.look_back()
        self.assertEqual(set(at_once(lambda node: node.stop(60), self.nodes)), {0})
