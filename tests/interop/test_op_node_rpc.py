"""The opp2p_ methods beside op-node's own: the same calls have answers of the same structure, and op-node's own client, with its own
types, works with our RPC and gets the same from both."""

import pathlib
import tempfile
import time
import unittest

from chain import write_config
from lib import opp2p
from peers import Peer, needed

STRANGER = "16Uiu2HAmRSrRLt1WGen9X1E6RrfsyG2hjmYWrxFb8Xs9SyvEZj9t"
# Null in our answers where op-node writes 0: docs/differences.md.
UNKNOWN_IS_NULL = {"latency", "total", "timeInMesh", "firstMessageDeliveries", "meshMessageDeliveries", "invalidMessageDeliveries",
                   "IPColocationFactor", "behavioralPenalty", "validResponses", "errorResponses", "rejectedPayloads"}


def shape(value, key=None):
    """The structure of an answer: keys in their order, and kinds of values. The peers of a dump count as one."""
    if key in UNKNOWN_IS_NULL and (value is None or isinstance(value, (int, float))):
        return "number"
    if isinstance(value, dict):
        if key == "peers":
            return {"ID": shape(next(iter(value.values())))} if value else {}
        return [(name, shape(item, name)) for name, item in value.items()]
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


class OpNodeRpc(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        config = write_config(folder / "rollup.json", fork="isthmus", genesis_time=int(time.time()))
        self.signer = ["--signer", "0x" + "12" * 20]
        self.theirs = self.enterContext(Peer("opnode-rpc", needed("opnode-peer"), "--rollup.config", config, *self.signer, "--rpc",
                                             "--scoring", "light"))
        ready = self.theirs.wait_event("ready", 60)
        self.their_port, self.their_id = ready["rpc_port"], ready["peer_id"]
        self.ours = self.enterContext(opp2p.Node(folder / "node", "--rollup.config", config, "--p2p.unsafe.block.signer", "0x" + "12" * 20,
                                                 "--p2p.scoring", "light").ready(60))
        # Neither is the other's static peer: who disconnects stays disconnected.
        self.ours.rpc("opp2p_connectPeer", ready["addr"])
        opp2p.wait_for(lambda: self.stats(self.ours_call) == 1 and self.stats(self.their_call) == 1, 30, "each has the other in its topics")

    def ours_call(self, name, *params):
        return self.ours.rpc(name, *params)

    def their_call(self, name, *params):
        return opp2p.rpc(self.their_port, name, *params)

    @staticmethod
    def stats(call):
        return call("opp2p_peerStats")["blocksTopicV4"]

    def test_the_same_calls_have_answers_of_the_same_structure(self):
        def both(name, *params):
            ours, theirs = self.ours_call(name, *params), self.their_call(name, *params)
            if name == "opp2p_peers":
                own, known = (self.ours.peer_id, self.their_id), {self.ours.peer_id, self.their_id}
                # Each lists itself among all that it knows, and only there.
                self.assertEqual([set(dump["peers"]) for dump in (ours, theirs)], [{self.their_id}, {self.ours.peer_id}] if params[0] else [known] * 2)
                if not params[0]:
                    self.assertEqual(*(shape(dump["peers"][id]) for dump, id in zip((ours, theirs), own)))
                ours["peers"] = {"ID": ours["peers"][self.their_id]}
                theirs["peers"] = {"ID": theirs["peers"][self.ours.peer_id]}
            self.assertEqual(shape(ours), shape(theirs), (name, ours, theirs))
            return ours, theirs

        for connected in (True, False):
            both("opp2p_peers", connected)
        ours, theirs = both("opp2p_peerStats")
        self.assertEqual(ours, theirs)
        self.assertEqual(ours["known"], 2, "with itself")
        both("opp2p_self")
        for method, target in (("Peer", STRANGER), ("Addr", "10.1.2.3"), ("Subnet", {"IP": "10.2.0.0", "Mask": "//8AAA=="})):
            self.assertEqual(both(f"opp2p_block{method}", target), (None, None))
            ours, theirs = both(f"opp2p_listBlocked{method}s")
            self.assertEqual(ours, theirs)
            self.assertEqual(ours, [target])
        ours, theirs = both("opp2p_peers", True)
        for key in ("bannedPeers", "bannedIPS", "bannedSubnets"):
            self.assertEqual(ours[key], theirs[key])
        for method, target in (("Peer", STRANGER), ("Addr", "10.1.2.3"), ("Subnet", {"IP": "10.2.0.0", "Mask": "//8AAA=="})):
            both(f"opp2p_unblock{method}", target)
            ours, theirs = both(f"opp2p_listBlocked{method}s")
            self.assertEqual(ours or [], theirs or [])
        both("opp2p_protectPeer", STRANGER)
        both("opp2p_unprotectPeer", STRANGER)

    def test_the_same_mistakes_have_the_same_code(self):
        def refused(call, name, params):
            try:
                return f"no error: {call(name, *params)}"
            except opp2p.RpcError as error:
                return error.code

        for name, params in (("opp2p_blockAddr", [""]), ("opp2p_blockAddr", ["x"]), ("opp2p_blockAddr", []), ("opp2p_blockSubnet", []),
                             ("opp2p_blockSubnet", [{}]), ("opp2p_blockSubnet", [None]), ("opp2p_blockPeer", [""]),
                             ("opp2p_blockPeer", ["x"]), ("opp2p_blockPeer", []), ("opp2p_blockPeer", [STRANGER, 1]),
                             ("opp2p_disconnectPeer", ["x"]), ("opp2p_peers", []), ("opp2p_nothing", []), ("opp2p_discoveryTable", [])):
            with self.subTest(name=name, params=params):
                self.assertEqual(refused(self.ours_call, name, params), refused(self.their_call, name, params))

    def test_op_nodes_own_client_reads_our_answers_as_op_nodes(self):
        def ask(port, token, peer):
            line = self.theirs.ask("asked", 60, ask={"url": f"http://127.0.0.1:{port}", "token": token, "peer": peer, "other": STRANGER,
                                                     "ip": "10.1.2.3", "subnet": "10.2.0.0/16"})
            return {step["call"]: step for step in line["steps"]}

        ours = ask(self.ours.port, self.ours.token(), self.their_id)
        opp2p.wait_for(lambda: self.their_call("opp2p_peerStats")["connected"] == 0, 30, "op-node has seen the end of the connection")
        self.ours.rpc("opp2p_connectPeer", self.theirs_address())
        opp2p.wait_for(lambda: self.stats(self.their_call) == 1, 30, "they are connected again")
        theirs = ask(self.their_port, "", self.ours.peer_id)
        self.assertEqual(list(ours), list(theirs))
        for call, step in ours.items():
            with self.subTest(call=call):
                self.assertEqual(bool(step.get("error")), bool(theirs[call].get("error")), (step, theirs[call]))
                if call.startswith("listBlocked"):
                    self.assertEqual(step["result"] or [], theirs[call]["result"] or [])
                self.assertEqual(shape(step["result"]) or [], shape(theirs[call]["result"]) or [])
        dump = ours["peers"]["result"]
        self.assertEqual(list(dump["peers"]), [self.their_id])
        self.assertTrue(dump["peers"][self.their_id]["protected"])
        self.assertEqual(dump["peers"][self.their_id]["connectedness"], 1)
        self.assertEqual(ours["peers afterwards"]["result"]["totalConnected"], 0)

    def theirs_address(self):
        return next(line["addr"] for line in self.theirs.seen if line.get("event") == "ready")


if __name__ == "__main__":
    unittest.main()
