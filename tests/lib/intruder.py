"""The devnet's intruder as a process of its own."""

import json
import subprocess

from . import opp2p


class Intruder:
    """It dials its peers again each second, always with the same identity, and publishes bad blocks, most of them well signed."""

    def __init__(self, folder, config, key, addresses, *options):
        folder.mkdir()
        with open(folder / "log.txt", "wb") as log:
            self.process = subprocess.Popen(
                [str(opp2p.PROGRAM), "devnet-intruder", "--rollup.config", str(config), "--signer.key", key, "--data-dir", str(folder),
                 "--peers", ",".join(addresses), *options], stdout=log, stderr=log)
        self.peer_id = json.loads(opp2p.wait_for(lambda: self.about(folder), 20, "the intruder is up"))["peerId"]

    def about(self, folder):
        if self.process.poll() is not None:
            raise AssertionError(f"the intruder ended with {self.process.returncode}:\n{(folder / 'log.txt').read_text()}")
        return (folder / "node.json").exists() and (folder / "node.json").read_text()

    def end(self):
        self.process.kill()
        self.process.wait()
