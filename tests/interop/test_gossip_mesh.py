"""GossipSub of this library in one mesh with that of Go, Rust and JavaScript: everything is delivered everywhere, signed or not, and
IDONTWANT is sent and heeded in both directions."""

import collections
import time
import unittest

from mesh import Mesh
from peers import needed

KINDS = ["ours"] * 8 + ["go"] * 5 + ["rust"] * 4 + ["js"] * 3
OTHERS = ("go", "rust", "js")


def sizes(count):
    """From 1 KB to 1 MB, each larger by the same factor, in an order that mixes them."""
    steps = [round(1000 * 1000 ** (i / (count - 1))) for i in range(count)]
    return [steps[i * 7 % count] for i in range(count)]


class MixedMesh(unittest.TestCase):
    messages = 25  # of each of the two meshes

    def setUp(self):
        for program in ("golibp2p", "rustlibp2p", "jslibp2p"):
            needed(program)

    def assert_delivered(self, mesh, published, signed):
        """Everybody has what others published, once, and knows who did if it is signed."""
        for member in mesh.members:
            got = collections.Counter(line["digest"] for line in member.messages())
            by_digest = {line["digest"]: line for line in member.messages()}
            for publisher, line in published:
                if publisher is member:
                    continue
                with self.subTest(member=member.peer.name, publisher=publisher.peer.name, bytes=line["bytes"]):
                    self.assertEqual(got[line["digest"]], 1)
                    self.assertEqual(by_digest[line["digest"]]["bytes"], line["bytes"])
                    self.assertEqual(by_digest[line["digest"]]["author"], publisher.id if signed else "")

    def run_mesh(self, signatures):
        with Mesh(KINDS, f"/opp2p-interop/{signatures}", "--signatures", signatures) as mesh:
            mesh.settle()
            published = mesh.publish(sizes(self.messages))
            self.assert_delivered(mesh, published, signatures == "signed")
            stats = {member.peer.name: member.stats() for member in mesh.members}
            for member in mesh.of("ours"):
                self.assertEqual(stats[member.peer.name]["rejected"], 0)
                self.assertEqual(stats[member.peer.name]["dropped"], 0)
            # Ours sent IDONTWANT, and each of the others got some; who sends it to a Go peer, that peer tells.
            self.assertGreater(sum(stats[member.peer.name]["idontwant_sent"] for member in mesh.of("ours")), 0)
            self.assertGreater(sum(stats[member.peer.name]["suppressed"] for member in mesh.of("ours")), 0)
            for kind in ("ours", *OTHERS):
                self.assertGreater(sum(stats[member.peer.name]["idontwant_received"] for member in mesh.of(kind)), 0, kind)
            ours = {member.id for member in mesh.of("ours")}
            heard = [stats[member.peer.name]["idontwant_received_from"] for member in mesh.of("go")]
            self.assertGreater(sum(count for of in heard for peer, count in of.items() if peer in ours), 0)
            self.assertEqual(set(mesh.end_all().values()), {0})

    def test_signed_messages_of_all_are_delivered_to_all(self):
        self.run_mesh("signed")

    def test_unsigned_messages_of_all_are_delivered_to_all(self):
        self.run_mesh("unsigned")

    def test_idontwant_goes_both_ways_between_us_and_each_of_the_others(self):
        for kind in OTHERS:
            with self.subTest(kind=kind), Mesh(["ours", "ours", kind], "/opp2p-interop/idontwant", dials=3) as mesh:
                mesh.settle()
                mesh.publish([50_000] * 12, at_once=1)
                time.sleep(1)  # the last IDONTWANT arrives
                ours = [member.stats() for member in mesh.of("ours")]
                theirs = mesh.members[2].stats()
                self.assertGreater(theirs["idontwant_received"], 0, "from us: nobody else is there")
                # What was received in all was sent by us or by it.
                sent = sum(one["idontwant_received"] for one in ours) + theirs["idontwant_received"] - \
                    sum(one["idontwant_sent"] for one in ours)
                self.assertGreater(sent, 0, "to us")
                if "idontwant_sent" in theirs:
                    self.assertEqual(theirs["idontwant_sent"], sent, "it counts what it sends as we do")
                self.assertEqual(set(mesh.end_all().values()), {0})


if __name__ == "__main__":
    unittest.main()
