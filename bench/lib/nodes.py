"""Nodes of an OP Stack chain under measurement: ours and op-node's own p2p package, on the same chain."""

import json
import pathlib
import subprocess
import time
import urllib.request

from processes import Program, free_port, run
from sides import CHAIN_MAKER, LOAD, OPNODE, OPP2P


class Chain:
    """A chain of the past, long enough for every load; what `bench_load gossip` makes too."""

    def __init__(self, folder, blocks=0, size=1000):
        self.genesis = int(time.time()) - 40_000
        self.folder = pathlib.Path(folder)
        done = subprocess.run([CHAIN_MAKER, str(self.genesis), str(blocks), str(size)], stdout=subprocess.PIPE, text=True, check=True)
        about, *self.envelopes = done.stdout.splitlines()
        self.about = json.loads(about)
        self.config = self.folder / "rollup.json"
        self.config.write_text(json.dumps(self.about["rollupConfig"]))

    def write_envelopes(self, folder, last=None):
        folder.mkdir(parents=True)
        for number, envelope in enumerate(self.envelopes[:last], 1):
            (folder / f"{number:06}.json").write_text(envelope)
        return folder


class Node:
    """One node; `side` is "ours" or "op-node"."""

    def __init__(self, side, chain, folder, *, core=None, limits=True, static=(), sequencer=False, blocks=None):
        self.side, self.folder = side, pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.rpc_port = free_port(), free_port()
        peers = ",".join(static)
        if side == "ours":
            command = [OPP2P, "node", "--rollup.config", chain.config, "--data-dir", self.folder, "--p2p.listen.ip", "127.0.0.1",
                       "--p2p.listen.tcp", self.port, "--p2p.priv.path", self.folder / "key.txt", "--rpc.addr", "127.0.0.1",
                       "--rpc.port", self.rpc_port, "--rpc.enable-admin", "--p2p.unsafe.block.signer", chain.about["signer"],
                       "--p2p.gossip.timestamp.threshold", "24h", "--log.level", "warn",
                       "--p2p.sync.server.limits", "default" if limits else "off"]
            command += ["--p2p.static", peers] if peers else []
        else:
            command = [OPNODE, "--rollup.config", chain.config, "--listen.port", self.port, "--signer", chain.about["signer"],
                       "--timestamp.threshold", "24h", "--scoring", "none", "--quiet"]
            command += ["--static", peers] if peers else []
            command += ["--sequencer.key", chain.about["signerKey"]] if sequencer else []
            command += ["--blocks", blocks] if blocks else []
        self.program = Program(*command, core=core, log=self.folder / "log.txt")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.end()

    def ready(self, seconds=30):
        if self.side == "op-node":
            self.address = self.program.json(seconds)["addr"]
            return self
        until = time.monotonic() + seconds
        about = self.folder / "node.json"
        while not about.exists():
            if time.monotonic() > until or self.program.process.poll() is not None:
                raise RuntimeError(f"the node is not up: {(self.folder / 'log.txt').read_text()[-500:]}")
            time.sleep(0.01)
        self.address = json.loads(about.read_text())["addresses"][0]
        return self

    def rpc(self, name, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": name, "params": params}).encode()
        token = self.folder / "rpc.token"  # a build from before it made none
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token.read_text()}"} if token.exists() else {})}
        request = urllib.request.Request(f"http://127.0.0.1:{self.rpc_port}", data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.loads(answer.read())
        if "error" in found:
            raise RuntimeError(f"{name}: {found['error']}")
        return found["result"]

    def head(self):
        return self.rpc("opp2p_status")["head"]["number"]

    def import_blocks(self, envelopes):
        for envelope in envelopes:
            self.rpc("admin_postUnsafePayload", json.loads(envelope))


def gossip_through(node, chain, core=None, **options):
    """Blocks from a publisher through the node to a receiver; answers the load's figures, with the node's CPU seconds, and those of
    the paced part if there is one."""
    words = [f"{name.replace('_', '-')}={value}" for name, value in options.items()]
    with Program(LOAD, "gossip", node.address, f"genesis={chain.genesis}", *words, core=core) as load:
        ready = load.json(120)
        before = node.program.cpu()
        load.say("go")
        figures = load.json(360)
        figures["cpu_seconds"] = node.program.cpu() - before
        figures["message_bytes"] = ready["message_bytes"]
        load.say("go on")
        if "paced" in options:
            figures["paced"] = load.json(120)
            load.say("end")
    return figures


def ask_blocks(node, core=None, **options):
    words = [f"{name.replace('_', '-')}={value}" for name, value in options.items()]
    return run(LOAD, "sync", node.address, *words, core=core, seconds=320)
