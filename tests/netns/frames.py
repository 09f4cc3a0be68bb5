"""Thirteen frames of 10 MiB that are begun and not ended fill the room of unfinished frames, from thirteen addresses or from one. Blocks
go on within one block time."""

import time

from attacks import BLOCK_SECONDS, AttackCase
from lib import made_chain, opp2p
from test_torturer import times

HOARDERS = 13
SEQUENCER, BEHIND = HOARDERS + 1, HOARDERS + 2
BLOCK = 200_000  # bytes: its frame does not come in one read


class Frames(AttackCase):
    PLACES = HOARDERS + 2

    def blocks_go_on(self, case, seconds, interval, places):
        self.chain(int(seconds / interval) + 100, BLOCK)
        sequencer = self.node(SEQUENCER, "sequencer", "--p2p.sequencer.key", self.key, "--rpc.enable-admin")
        node = self.node(0, "node", "--p2p.static", sequencer.address, "--log.level", "info,gossip=debug")
        behind = self.node(BEHIND, "behind", "--p2p.static", node.address)
        feeder = made_chain.Feeder(sequencer, self.envelopes, interval)
        self.addCleanup(feeder.stopping.set)
        feeder.start()
        opp2p.wait_for(lambda: behind.head() > 2, 20, "blocks come through")
        spread = [self.torture(place, case, node, seconds, HOARDERS // places, first)
                  for first, place in enumerate(range(1, 1 + places))]
        time.sleep(seconds)
        feeder.stopping.set()
        feeder.join()
        self.assertIsNone(feeder.error)
        head = sequencer.head()
        verdicts = [attack.verdict() for attack in spread]
        time.sleep(BLOCK_SECONDS)
        published, arrived = times(sequencer, "Publishing.* id"), times(behind, "new unsafe head.* hash")
        late = [block for block, at in published.items() if arrived.get(block, at + 3600) - at > BLOCK_SECONDS]
        slowest = max((arrived[block] - at for block, at in published.items() if block in arrived), default=float("inf"))
        synced = node.status()["blocksSynced"]
        print(f"  {case} from {places} addresses: {len(late)} of {len(published)} blocks late, the slowest {slowest:.2f} s, "
              f"{synced} not by gossip; head {behind.head()} of {head}; {sum(v['heard']['resets'] for v in verdicts)} streams reset, "
              f"{sum(v['written'] for v in verdicts) / 1e6:.0f} MB sent", flush=True)
        self.assertGreater(sum(v["written"] for v in verdicts), 100 << 20, "the room was never filled")
        self.assertEqual(late, [])
        self.assertEqual(synced, 0)
