"""The mixed mesh with 500 messages, and ten minutes of churn under the eyes of a Go peer that scores as op-node does."""

import os
import random
import time
import unittest

import test_gossip_mesh
import test_scores
from lib import opp2p
from mesh import Mesh

MESSAGES = 250  # of each of the two meshes
SECONDS = int(os.environ.get("OPP2P_CHURN_SECONDS", "600"))
TOPIC = "/opp2p-interop/churn"


class MixedMeshInFull(test_gossip_mesh.MixedMesh):
    messages = MESSAGES


class Churn(unittest.TestCase):
    """Peers of ours come and go, join and leave, and publish. The judge, golibp2p with the parameters of op-node's `light`, looks at
    its scores each second."""

    def setUp(self):
        self.random = random.Random(16)
        self.number = 100
        self.done = {}

    def step(self, mesh, judge):
        """One thing that peers do."""
        ours = mesh.of("ours")
        member = self.random.choice(ours)
        action = self.random.choice(["publish"] * 6 + ["leave", "reconnect", "restart"])
        self.done[action] = self.done.get(action, 0) + 1
        if action == "publish":
            self.random.choice(mesh.members).publish(TOPIC, round(1000 * 300 ** self.random.random()))
        elif action == "leave":
            member.do(leave=TOPIC)
            time.sleep(self.random.random() * 2)
            member.do(join=TOPIC)
        elif action == "reconnect":
            member.peer.command(disconnect=judge.id)  # who is away already says so
            member.peer.wait_event("result", 60, command="disconnect")
            time.sleep(self.random.random())
            member.do(connect=judge.address)
        else:
            self.assertEqual(member.end(), 0)
            mesh.members.remove(member)
            self.number += 1
            others = {judge, *self.random.sample(mesh.members, 3)}
            fresh = mesh.start("ours", self.number, "--signatures", "signed")
            self.ours.add(fresh.id)
            mesh.add(fresh)
            for other in others:
                fresh.do(connect=other.address)

    def assert_it_judges(self, judge):
        """The judge sees a peer below zero that breaks a rule."""
        with test_scores.Rude(judge.address, TOPIC) as rude:
            opp2p.wait_for(lambda: rude.count("subscribe") > 0, 30, "the judge knows it")
            rude.send(subscribe=True, graft=True)
            rude.send(prune=True, backoff=60)
            rude.send(graft=True, times=10)
            judge.peer.wait_for(lambda line: line.get("event") == "scores" and line["peers"].get(rude.id, {"score": 0})["score"] < 0, 10,
                                "score below zero")

    def test_a_go_peer_never_sees_us_below_zero(self):
        with Mesh(["ours"] * 6 + ["go"] * 2, TOPIC, "--signatures", "signed", dials=3) as mesh:
            judge = mesh.start("go", 99, "--signatures", "signed", "--scoring", "light")
            mesh.add(judge)
            self.ours = {member.id for member in mesh.of("ours")}
            for member in mesh.members[:-1]:
                member.do(connect=judge.address)
            mesh.settle()
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                self.step(mesh, judge)
                time.sleep(self.random.random())
            # All that are there now still hear everything.
            mesh.settle()
            mesh.publish([10_000] * 2 * len(mesh.members))
            stats = judge.stats()
            looks = [line["peers"] for line in judge.peer.seen if line.get("event") == "scores"]
            self.assert_it_judges(judge)
            self.assertEqual(set(mesh.end_all().values()), {0})
        seen = [(peer, score) for look in looks for peer, score in look.items() if peer in self.ours]
        print(f"    {len(looks)} looks at {len({peer for peer, _ in seen})} of our peers after {self.done}: least score "
              f"{min(score['score'] for _, score in seen)}, largest behaviour penalty {max(score['penalty'] for _, score in seen)}")
        self.assertGreater(len(looks), SECONDS * 0.8)
        self.assertGreater(len({peer for peer, _ in seen}), 6, "some of ours were started anew")
        self.assertEqual([one for one in seen if one[1]["score"] < 0], [])
        self.assertEqual(stats["rejected"], {})


if __name__ == "__main__":
    unittest.main()
