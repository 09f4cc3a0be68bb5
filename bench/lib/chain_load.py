"""Nodes of an OP Stack chain for the measurements, ours and those of op-node's p2p package, and the loads on them."""

import json
import time

import sides
from processes import Program, free_port, run
from sides import LOAD, OPNODE

from lib import made_chain, opp2p  # tests/lib

PAST = 40_000  # seconds: long enough for every load, and what `bench_load gossip` makes too


def make_chain(folder, blocks=0, size=1000):
    return made_chain.Chain(folder, blocks, size, genesis=int(time.time()) - PAST)


def write_envelopes(chain, folder, last=None):
    folder.mkdir(parents=True)
    for number, envelope in enumerate(chain.envelopes[:last], 1):
        (folder / f"{number:06}.json").write_text(envelope)
    return folder


class OurNode(opp2p.Node):
    def __init__(self, chain, folder, *, limits=True, static=(), peers=None):
        super().__init__(folder, *chain.options, "--rpc.enable-admin", "--p2p.gossip.timestamp.threshold", "24h", "--log.level", "warn",
                         "--p2p.sync.server.limits", "default" if limits else "off", *(["--p2p.static", ",".join(static)] if static else []),
                         *(["--p2p.peers.lo", peers, "--p2p.peers.hi", peers] if peers else []),
                         listen_port=free_port(), program=sides.program("opp2p"))

    def import_blocks(self, envelopes):
        for envelope in envelopes:
            self.rpc("admin_postUnsafePayload", json.loads(envelope))


class OpNode(Program):
    def __init__(self, chain, folder, *, static=(), sequencer=False, blocks=None):
        self.listen_port = free_port()
        command = [OPNODE, "--rollup.config", chain.config, "--listen.port", self.listen_port, "--signer", chain.signer,
                   "--timestamp.threshold", "24h", "--scoring", "none", "--quiet"]
        command += ["--static", ",".join(static)] if static else []
        command += ["--sequencer.key", chain.signer_key] if sequencer else []
        command += ["--blocks", blocks] if blocks else []
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(*command, log=folder / "log.txt")

    def ready(self, seconds=30):
        self.address = self.json(seconds)["addr"]
        return self


def start_node(side, chain, folder, **options):
    return {"ours": OurNode, "op-node": OpNode}[side](chain, folder, **options)


def gossip_through(node, chain, **options):
    """Blocks from a publisher through the node to a receiver; answers the load's figures, with the node's CPU seconds, and those of
    the paced part if there is one. The load waits for one character before each part and at its end, so an empty line says all."""
    words = [f"{name.replace('_', '-')}={value}" for name, value in options.items()]
    with Program(LOAD, "gossip", node.address, f"genesis={chain.genesis}", *words) as load:
        ready = load.json(120)
        before = node.cpu_seconds()
        load.say()
        figures = load.json(360)
        figures["cpu_seconds"] = node.cpu_seconds() - before
        figures["message_bytes"] = ready["message_bytes"]
        load.say()
        if "paced" in options:
            figures["paced"] = load.json(120)
            load.say()
    return figures


def steady_through(node, chain, **options):
    """The same at one pace only: `paced` blocks, one each `interval_us`."""
    words = [f"{name.replace('_', '-')}={value}" for name, value in options.items()]
    with Program(LOAD, "gossip", node.address, f"genesis={chain.genesis}", "count=1", *words) as load:
        load.json(120)
        load.say()
        load.json(120)
        before = node.cpu_seconds()
        load.say()
        figures = load.json(360)
        figures["cpu_seconds"] = node.cpu_seconds() - before
        load.say()
    return figures


def ask_blocks(node, **options):
    words = [f"{name.replace('_', '-')}={value}" for name, value in options.items()]
    return run(LOAD, "sync", node.address, *words, seconds=320)
