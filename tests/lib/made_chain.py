"""A chain that is made in advance (chain_maker.cpp), and a thread that has a sequencer publish it."""

import json
import subprocess
import threading
import time

from lib import opp2p

CHAIN_MAKER = opp2p.ROOT / "build" / "tests" / "chain_maker"
# Blocks of any age pass as young, and nobody waits for a rate.
OPTIONS = ["--p2p.gossip.timestamp.threshold", "24h", "--p2p.sync.server.limits", "off"]


def make(folder, blocks, size):
    """Writes the rollup config into the folder; answers the signer's key, the nodes' options, and the envelopes."""
    done = subprocess.run([CHAIN_MAKER, str(int(time.time()) - blocks - 10), str(blocks), str(size)], stdout=subprocess.PIPE,
                          text=True, check=True)
    about, *envelopes = done.stdout.splitlines()
    about = json.loads(about)
    (folder / "rollup.json").write_text(json.dumps(about["rollupConfig"]))
    options = ["--rollup.config", folder / "rollup.json", "--p2p.unsafe.block.signer", about["signer"], *OPTIONS]
    return about["signerKey"], options, envelopes


def sequencer(folder, key, options):
    return opp2p.Node(folder, *options, "--p2p.sequencer.key", key, "--rpc.enable-admin").ready()


class Feeder(threading.Thread):
    """Has the sequencer publish one block after another until it is told to stop."""

    def __init__(self, sequencer, envelopes, interval):
        super().__init__(daemon=True)
        self.sequencer, self.envelopes, self.interval = sequencer, envelopes, interval
        self.stopping = threading.Event()
        self.error = None

    def run(self):
        try:
            for envelope in self.envelopes:
                if self.stopping.wait(self.interval):
                    return
                self.sequencer.rpc("admin_publishUnsafePayload", json.loads(envelope))
        except Exception as error:  # told to the test
            self.error = error
