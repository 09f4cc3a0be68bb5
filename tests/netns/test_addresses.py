"""What one address, or a few of them, can take of a node's places."""

import time
import unittest

from attacks import AttackCase
from namespaces import Namespaces

PER_ADDRESS = 8  # go-libp2p's figure for an IPv4 address
PER_SITE = 64    # of IPv6, a /48
INBOUND = 256    # places of a node
NEWCOMERS = 8


class OneAddress(AttackCase):
    PLACES = 1 + NEWCOMERS

    def held_by_one_address(self, node, identities=INBOUND + 24):
        attack = self.torture(1, "connections-held", node, 7, identities)
        counts = [node.status()["peers"]]
        while len(counts) < 10 or counts[-1] != counts[-5]:  # until it has what it gets
            time.sleep(0.2)
            counts.append(node.status()["peers"])
        refused = {place: why for place in range(2, 2 + NEWCOMERS) if (why := self.newcomer(place, node, 2))}
        verdict = attack.verdict()
        print(f"  one address with {identities} identities: {verdict['held']} held, {len(refused)} of {NEWCOMERS} newcomers refused",
              flush=True)
        return verdict, refused

    def test_one_address_gets_its_share_and_newcomers_from_others_get_in(self):
        self.chain()
        node = self.node(0, "node", "--log.level", "info,host=debug")
        verdict, refused = self.held_by_one_address(node)
        self.assertEqual(refused, {})
        self.assertLessEqual(verdict["held"], PER_ADDRESS)
        self.assertGreater(verdict["refused"], 0)
        self.assertRegex("\n".join(self.refusals(node)), r"(?i)address.*--p2p\.limits", "the refusal names the limit and its option")

    def test_an_exempt_address_has_no_share(self):
        self.chain()
        node = self.node(0, "node", "--p2p.limits.exempt", "10.77.0.2/32")
        both = [self.torture(place, "connections-held", node, 3, 40) for place in (1, 2)]
        self.assertEqual(both[0].verdict()["held"], 40)
        self.assertLessEqual(both[1].verdict()["held"], PER_ADDRESS)


class OneSite(AttackCase):
    PLACES = 10

    def test_an_ipv6_site_gets_its_share(self):
        self.chain()
        node = self.node(0, "node", ip=Namespaces.ip6(0))
        attacks = [self.torture(place, "connections-held", node, 4, 12) for place in range(1, 1 + self.PLACES)]
        held = [attack.verdict()["held"] for attack in attacks]
        print(f"  of each /56: {held}", flush=True)
        self.assertLessEqual(max(held), PER_ADDRESS)
        self.assertLessEqual(sum(held), PER_SITE)


class FreshConnections(AttackCase):
    ATTACKERS = 8
    PLACES = ATTACKERS + 1
    TIMES = 5
    SECONDS = 2

    def test_a_newcomer_gets_in_beside_eight_addresses_with_fifty_new_connections_a_second_each(self):
        self.chain()
        node = self.node(0, "node")
        attacks = [self.torture(place, "connections-fresh-50-a-second", node, 13) for place in range(1, 1 + self.ATTACKERS)]
        time.sleep(2)
        said, took = [], []
        for _ in range(self.TIMES):
            began = time.monotonic()
            said.append(self.newcomer(self.PLACES, node, self.SECONDS))
            took.append(time.monotonic() - began)
        running = sum(attack.process.poll() is None for attack in attacks)
        print(f"  newcomers took {', '.join(f'{seconds:.2f}' for seconds in took)} s", flush=True)
        self.assertEqual(running, self.ATTACKERS, "the flood ended before the newcomers came")
        self.assertEqual([why for why in said if why], [])


if __name__ == "__main__":
    unittest.main()
