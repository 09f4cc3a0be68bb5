"""The trace of a GossipSub node, read to its last event by Go's package of it: what Go reads is what our JSON lines say."""

import json
import pathlib
import subprocess
import tempfile
import unittest

from lib import opp2p
from peers import needed

TRACES = opp2p.ROOT / "build" / "tests" / "gossip_traces"
KINDS = {0: "publishMessage", 1: "rejectMessage", 2: "duplicateMessage", 3: "deliverMessage", 4: "onNewOutboundStream",
         5: "onClosedOutboundStream", 6: "recvRPC", 7: "sendRPC", 8: "dropRPC", 9: "join", 10: "leave", 11: "graft", 12: "prune"}
LOSS = 1000
STRANGE = "caf\u00e9 \"<&>\\\n\x01\ufffd\u2028"  # a topic's name as JSON has it


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


class GossipTraces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reader = needed("tracereader")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        done = subprocess.run([str(TRACES), str(cls.folder)], stdout=subprocess.PIPE, check=True, text=True, timeout=300)
        cls.counts = json.loads(done.stdout)
        cls.ours = lines_of((cls.folder / "trace.jsonl").read_text(encoding="utf-8"))
        cls.theirs = cls.read("trace.pb")

    @classmethod
    def read(cls, name):
        done = subprocess.run([str(cls.reader), str(cls.folder / name)], capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return lines_of(done.stdout)

    def test_go_reads_each_event_as_our_json_has_it(self):
        self.assertEqual(len(self.ours), self.counts["events"])
        self.assertEqual(len(self.theirs), self.counts["written"])
        for number, (ours, theirs) in enumerate(zip(self.ours, self.theirs, strict=True)):
            self.assertEqual(ours, theirs, f"event {number}")

    def test_every_kind_of_event_is_there_with_its_details(self):
        for kind, name in KINDS.items():
            with self.subTest(kind=name):
                events = [event for event in self.theirs if event["type"] == kind]
                self.assertTrue(events)
                for event in events:
                    self.assertEqual(set(event) - {"type", "timestamp", "peerID"}, {name})

    def test_every_part_of_an_rpc_is_there(self):
        metas = [event[name]["meta"] for event in self.theirs for name in ("recvRPC", "sendRPC") if name in event]
        control = [meta["control"] for meta in metas if "control" in meta]
        for part in ("ihave", "iwant", "graft", "prune", "idontwant"):
            with self.subTest(part=part):
                self.assertTrue(any(part in one for one in control))
        self.assertTrue(any("peers" in prune for one in control for prune in one.get("prune", [])))
        topics = {subscription.get("topic") for meta in metas for subscription in meta.get("subscription", [])}
        self.assertLessEqual({"chat", "plain", STRANGE}, topics)
        sent = [message for event in self.theirs if "sendRPC" in event
                for message in event["sendRPC"]["meta"].get("messages", [])]
        self.assertTrue(sent)
        self.assertTrue(all("messageID" in message and "topic" in message for message in sent))

    def test_time_does_not_go_back(self):
        times = [event["timestamp"] for event in self.theirs]
        self.assertEqual(times, sorted(times))

    def test_go_reads_past_the_records_of_missing_events(self):
        lossy = self.read("lossy.pb")
        losses = [event["lost"] for event in lossy if event["type"] == LOSS]
        self.assertTrue(losses)
        self.assertEqual(sum(loss["noRoom"] for loss in losses), self.counts["lossy_no_room"])
        self.assertEqual(len(lossy) - len(losses), self.counts["lossy_written"])
        self.assertEqual(self.counts["lossy_written"] + self.counts["lossy_no_room"], self.counts["events"])


if __name__ == "__main__":
    unittest.main()
