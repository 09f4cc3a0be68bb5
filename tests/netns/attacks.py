"""A node in the hub of some namespaces, and who attacks it from the others."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "interop"))

from lib import made_chain, opp2p
from namespaces import Namespaces
from peers import needed

BLOCK_SECONDS = 2.0


class PlacedNode(opp2p.Node):
    """A node at a place, with its RPC there."""

    def __init__(self, spaces, place, folder, *options, ip=None):
        self.spaces, self.place = spaces, place
        super().__init__(folder, *options, within=spaces.within(place), ip=ip or spaces.ip4(place))

    def rpc(self, name, *params):
        return self.spaces.at(self.place, super().rpc, name, *params)


class Torture:
    """A case of the torturer, from a place."""

    def __init__(self, spaces, place, case, address, seconds, identities=1, first=0):
        command = [*spaces.within(place), "nice", "-n", "19", needed("torturer"), case, address, seconds, identities, first]
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def verdict(self):
        said, complaints = self.process.communicate(timeout=120)
        if not said:
            raise AssertionError(complaints)
        return json.loads(said)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class AttackCase(unittest.TestCase):
    PLACES = 1

    def setUp(self):
        self.spaces = Namespaces(self.PLACES)
        self.addCleanup(self.spaces.remove)
        needed("torturer")
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def chain(self, blocks=1, size=2000):
        self.key, self.options, self.envelopes = made_chain.make(self.folder, blocks, size)

    def node(self, place, name, *options, ip=None):
        node = PlacedNode(self.spaces, place, self.folder / name, *self.options, *options, ip=ip).ready()
        self.addCleanup(node.kill)
        return node

    def torture(self, place, case, node, seconds, identities=1, first=0):
        attack = Torture(self.spaces, place, case, node.address, seconds, identities, first)
        self.addCleanup(attack.stop)
        return attack

    def newcomer(self, place, node, seconds):
        """Whether a peer that comes from a place is connected and answered within so many seconds; else what it says."""
        command = [*self.spaces.within(place), str(opp2p.PROGRAM), "ping", node.address, "-c", "1", "--json"]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            return f"no answer within {seconds} s"
        return None if done.returncode == 0 else done.stdout[-500:]

    @staticmethod
    def refusals(node):
        """What the log gives as reasons of refused connections."""
        return re.findall(r'msg="[^"]*refus[^"]*".*reason=(.*)', node.log())
