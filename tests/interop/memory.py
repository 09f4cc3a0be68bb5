"""Three attacks on a node's memory at the same time: identities that tell 78 KB of themselves, one after another; connections whose
streams nobody reads, behind an inflated round trip; RPC connections that send batches and do not read the answers."""

import json
import pathlib
import socket
import statistics
import tempfile
import threading
import time
import unittest

from lib import made_chain, opp2p
from peers import needed
from test_torturer import Attacker

BOUND_MIB = 150  # of anonymous memory
SAMPLE = 0.05
BATCH = 26_000  # bytes
IDENTITIES = 32  # at a time
METHODS = [("opp2p_chain", [1, 1000]), ("opp2p_peers", [False]), ("opp2p_status", [])]
BLOCKS = 500


class Samples(threading.Thread):
    """The anonymous memory of a process, again and again."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.ending, self.mib = pid, threading.Event(), []

    def run(self):
        while not self.ending.wait(SAMPLE):
            try:
                self.mib.append(opp2p.memory_mib(self.pid, "RssAnon"))
            except (OSError, AttributeError):  # it has ended
                return


def batch(method, params):
    one = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    body = "[" + ",".join([one] * (BATCH // (len(one) + 1))) + "]"
    return (f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()


class Silent(threading.Thread):
    """RPC connections that ask and do not read, each asking again when the node has closed it."""

    def __init__(self, port, count):
        super().__init__(daemon=True)
        self.port, self.count, self.ending, self.asked = port, count, threading.Event(), 0

    def run(self):
        batches = [batch(*method) for method in METHODS]
        sockets = {}
        while not self.ending.wait(0.1):
            for i in range(self.count):
                if i in sockets and not self.closed(sockets[i]):
                    continue
                try:
                    sockets[i] = socket.create_connection(("127.0.0.1", self.port), timeout=1)
                    sockets[i].sendall(batches[i % len(batches)])
                    self.asked += 1
                except OSError:
                    sockets.pop(i, None)
        for one in sockets.values():
            one.close()

    @staticmethod
    def closed(one):
        one.settimeout(0)
        try:
            return one.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


class AtOnce(unittest.TestCase):
    def all_at_once(self, seconds, identities, unread, silent):
        needed("torturer")
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        key, options, envelopes = made_chain.make(folder, BLOCKS, 2000)
        node = made_chain.sequencer(folder / "node", key, options)
        self.addCleanup(node.kill)
        feeder = made_chain.Feeder(node, envelopes, 0)
        feeder.start()
        feeder.join()
        self.assertIsNone(feeder.error)
        samples = Samples(node.process.pid)
        samples.start()
        attackers = [Attacker("identify-78-kilobytes", node, seconds, IDENTITIES),
                     Attacker("streams-unread-behind-an-inflated-round-trip", node, seconds, unread)]
        for attacker in attackers:
            self.addCleanup(attacker.process.wait)
            self.addCleanup(attacker.process.kill)
        rpc = Silent(node.port, silent)
        rpc.start()
        time.sleep(seconds)
        rpc.ending.set()
        verdicts = [attacker.verdict() for attacker in attackers]
        self.assertIsNone(node.process.poll(), node.log()[-2000:])
        samples.ending.set()
        samples.join()
        rpc.join()
        print(f"  {verdicts[0]['connections']} identities, {verdicts[1]['connections']} connections with unread streams "
              f"({verdicts[1]['written'] / 2**20:.0f} MiB sent), {rpc.asked} batches: anonymous memory at most "
              f"{max(samples.mib):.1f} MiB, median {statistics.median(samples.mib):.1f}, in the end {samples.mib[-1]:.1f}", flush=True)
        self.assertGreaterEqual(verdicts[0]["connections"], identities)
        self.assertGreaterEqual(rpc.asked, silent)
        self.assertLess(max(samples.mib), BOUND_MIB)
        self.assertEqual(node.stop(), 0)
