"""A chain that is made in advance (chain_maker.cpp), and a thread that has a sequencer publish it."""

import json
import subprocess
import threading
import time

from lib import opp2p

CHAIN_MAKER = opp2p.ROOT / "build" / "tests" / "chain_maker"
# Blocks of any age pass as young, and nobody waits for a rate.
OPTIONS = ["--p2p.gossip.timestamp.threshold", "24h", "--p2p.sync.server.limits", "off"]


class Chain:
    """A chain whose last block is due: the envelopes of its blocks, and its rollup configuration in `folder`. With `fork_after` the blocks
    above that number are those of another branch."""

    def __init__(self, folder, blocks=0, size=1000, genesis=None, fork_after=None):
        self.genesis = genesis or int(time.time()) - blocks - 10
        words = [self.genesis, blocks, size, *([] if fork_after is None else [fork_after])]
        done = subprocess.run([CHAIN_MAKER, *map(str, words)], stdout=subprocess.PIPE, text=True, check=True)
        about, *self.envelopes = done.stdout.splitlines()
        about = json.loads(about)
        self.signer, self.signer_key = about["signer"], about["signerKey"]
        self.config = folder / "rollup.json"
        self.config.write_text(json.dumps(about["rollupConfig"]))
        # What a node of this chain is started with.
        self.options = ["--rollup.config", self.config, "--p2p.unsafe.block.signer", self.signer]


def make(folder, blocks, size):
    """Writes the rollup config into the folder; answers the signer's key, the nodes' options, and the envelopes."""
    chain = Chain(folder, blocks, size)
    return chain.signer_key, [*chain.options, *OPTIONS], chain.envelopes


def sequencer(folder, key, options):
    return opp2p.Node(folder, *options, "--p2p.sequencer.key", key, "--rpc.enable-admin").ready()


class Feeder(threading.Thread):
    """Has the sequencer publish one block after another until it is told to stop: with an interval, at times that do not depend on how long
    the publishing takes."""

    def __init__(self, sequencer, envelopes, interval):
        super().__init__(daemon=True)
        self.sequencer, self.envelopes, self.interval = sequencer, envelopes, interval
        self.stopping = threading.Event()
        self.published = 0
        self.error = None

    def run(self):
        due = time.monotonic()
        try:
            for envelope in self.envelopes:
                due += self.interval
                if self.stopping.wait(max(0, due - time.monotonic())):
                    return
                self.sequencer.rpc("admin_publishUnsafePayload", json.loads(envelope))
                self.published += 1
        except Exception as error:  # told to the test
            self.error = error
