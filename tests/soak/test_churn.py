"""Half an hour of a node with 200 peers that come and go (churn_peers.cpp): forgers are banned, honest peers are blocked, unblocked, banned and
pardoned by the operator, and now and then their common address is blocked.

OPP2P_CHURN_SECONDS says how long (1800). What is measured is printed and kept as build/churn.json. Memory is compared between a warm-up (a third
of the time) and the end; in less than a quarter of an hour the tables do not fill, so that only a rough bound holds.
"""

import json
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time
import unittest

from lib import made_chain, opp2p, prometheus_text

SECONDS = int(os.environ.get("OPP2P_CHURN_SECONDS", "1800"))
CHURN_PEERS = opp2p.ROOT / "build" / "tests" / "churn_peers"
REPORT = opp2p.ROOT / "build" / "churn.json"
PLACES, FORGERS, STAY_MS = 200, 40, 8000
FORGES, HONEST = "16Uiu2", "12D3Koo"  # how the ids begin: by the type of the key
BANS_HELD, TO_BAN = 2048, 8  # docs/reputation.md
OPERATOR_BAN = 7200  # seconds: longer than the others, because a full book takes no ban that would be the first to end
ADDRESS = "127.0.0.1"
ADDRESS_BLOCKED_EVERY = 300  # seconds; in a short run once, in the middle
GROWTH = 0.05 if SECONDS >= 900 else 0.5
STORE_MIB = 64
ANSWER_MEDIAN, ANSWER_MOST = 0.5, 5  # seconds
OPTIONS = ["--p2p.scoring", "opp2p", "--p2p.peers.lo", PLACES + 30, "--p2p.peers.hi", PLACES + 50, "--metrics.enabled", "--metrics.addr",
           "127.0.0.1", "--metrics.port", "0"]


def total(families, name, **wanted):
    """The sum of the samples that have these labels; none is 0."""
    samples = families[name].samples.items() if name in families else ()
    return sum(count for (_, labels), count in samples if wanted.items() <= dict(labels).items())


def folder_mib(folder):
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file()) / 2**20


class Visitors:
    """churn_peers, and its last line."""

    def __init__(self, folder, address, chain):
        self.out = open(folder / "visitors.jsonl", "w+b")
        words = [CHURN_PEERS, address, chain.genesis, PLACES, FORGERS, STAY_MS, chain.signer_key]
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=self.out)

    def told(self):
        self.out.seek(0)
        lines = self.out.read().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n")]
        return json.loads(whole[-1]) if whole else {"connected": 0}

    def leave(self):
        self.process.stdin.close()
        return self.process.wait(60)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.out.close()


class Churn(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.random = random.Random(17)
        self.answers = {"status": [], "metrics": []}  # seconds
        self.samples = []
        self.blocked, self.banned = [], []
        self.thrown_out_one_by_one = self.thrown_out_by_address = 0
        self.counted = {}

    def start(self):
        self.chain = made_chain.Chain(self.folder, SECONDS + 240, genesis=int(time.time()) + 15)
        self.sequencer = made_chain.sequencer(self.folder / "sequencer", self.chain.signer_key, self.chain.options)
        self.addCleanup(self.sequencer.kill)
        self.node = opp2p.Node(self.folder / "node", *self.chain.options, *OPTIONS, "--p2p.static", self.sequencer.address).ready(30)
        self.addCleanup(self.node.kill)
        time.sleep(max(0, self.chain.genesis - time.time()))
        self.feeder = made_chain.Feeder(self.sequencer, self.chain.envelopes, 1)
        self.feeder.start()
        self.addCleanup(self.feeder.join)
        self.addCleanup(self.feeder.stopping.set)
        opp2p.wait_for(lambda: self.node.head() >= 2, 60, "the node has blocks")

    def timed(self, kind, ask):
        started = time.monotonic()
        answer = ask()
        self.answers[kind].append(time.monotonic() - started)
        return answer

    def scrape(self):
        families = prometheus_text.read(self.timed("metrics", self.node.metrics))
        for name, family in families.items():
            if family.kind != "counter":
                continue
            for sample, count in family.samples.items():
                self.assertGreaterEqual(count, self.counted.get(sample, 0), f"{name} {sample} became less")
                self.counted[sample] = count
        return families

    def look(self, at):
        status = self.timed("status", self.node.status)
        families = self.scrape()
        self.samples.append({"at": at, "rss": self.node.memory_mib(), "files": opp2p.open_files(self.node.process.pid),
                             "connections": total(families, "opp2p_connections"), "known": total(families, "opp2p_known_peers"),
                             "bans": total(families, "opp2p_bans_total") - total(families, "opp2p_bans_ended_total"),
                             "store_mib": folder_mib(self.node.folder / "peerstore"), "head": status["head"]["number"]})

    # --- what the operator does ---

    def honest_peers(self, count):
        known = [peer for peer in self.node.rpc("opp2p_peers", True)["peers"] if peer.startswith(HONEST)]
        return self.random.sample(known, min(count, len(known)))

    def operate(self, tick):
        if tick % 5 == 1:
            self.blocked = self.honest_peers(5)
            for peer in self.blocked:
                self.node.rpc("opp2p_blockPeer", peer)
            self.thrown_out_one_by_one += len(self.blocked)
            self.assertEqual(sorted(self.node.rpc("opp2p_listBlockedPeers")), sorted(self.blocked))
        if tick % 5 == 4:
            for peer in self.blocked:
                self.node.rpc("opp2p_unblockPeer", peer)
            self.assertEqual(self.node.rpc("opp2p_listBlockedPeers"), [])
        if tick % 7 == 2:
            self.banned = self.honest_peers(2)
            for peer in self.banned:
                self.node.rpc("opp2p_ban", peer, OPERATOR_BAN, "churn")
            self.thrown_out_one_by_one += len(self.banned)
        if tick % 7 == 6:
            for peer in self.banned:
                self.node.rpc("opp2p_unban", peer)

    def block_the_address(self):
        self.node.rpc("opp2p_blockAddr", ADDRESS)
        self.thrown_out_by_address += PLACES
        opp2p.wait_for(lambda: not self.node.rpc("opp2p_peers", True)["peers"], 10, "everybody at the blocked address is gone")
        self.node.rpc("opp2p_unblockAddr", ADDRESS)
        opp2p.wait_for(lambda: len(self.node.rpc("opp2p_peers", True)["peers"]) > PLACES / 2, 60, "the peers are back")

    def churn(self):
        started = time.monotonic()
        address_due = min(ADDRESS_BLOCKED_EVERY, SECONDS / 2)
        tick = 0
        while (at := time.monotonic() - started) < SECONDS:
            self.operate(tick)
            if at >= address_due:
                self.block_the_address()
                address_due += ADDRESS_BLOCKED_EVERY
            self.look(at)
            tick += 1
            time.sleep(max(0, 1 - (time.monotonic() - started - at)))
        for peer in self.blocked:
            self.node.rpc("opp2p_unblockPeer", peer)
        for peer in self.banned:
            self.node.rpc("opp2p_unban", peer)

    def test_memory_descriptors_and_counters_hold_while_200_peers_come_and_go(self):
        self.start()
        files_before = opp2p.open_files(self.node.process.pid)
        visitors = Visitors(self.folder, self.node.address, self.chain)
        self.addCleanup(visitors.kill)
        opp2p.wait_for(lambda: visitors.told()["connected"] > PLACES / 2, 60, "most places are taken")
        self.churn()
        seen = visitors.told()
        self.assertEqual(visitors.leave(), 0)
        self.assertIsNone(self.feeder.error)

        opp2p.wait_for(lambda: set(self.node.rpc("opp2p_peers", True)["peers"]) == {self.sequencer.peer_id}, 60, "the visitors are gone")
        self.feeder.stopping.set()
        self.feeder.join()
        opp2p.wait_for(lambda: self.node.head() == self.feeder.published, 60, "the node has every block")
        bans = self.node.rpc("opp2p_bans")
        self.report(seen, bans)
        self.check_bans(bans)
        self.check_counters(seen, bans)
        self.check_bounds(files_before)
        self.assertEqual(self.node.stop(20), 0)
        self.node.start().ready(30)
        self.assertEqual({ban["peer"] for ban in self.node.rpc("opp2p_bans")}, {ban["peer"] for ban in bans}, "the bans are durable")
        self.assertEqual(self.node.stop(20), 0)

    def check_bans(self, bans):
        self.assertLessEqual(len(bans), BANS_HELD)
        self.assertGreaterEqual(len(bans), min(FORGERS, SECONDS // 2))
        for ban in bans:
            self.assertTrue(ban["peer"].startswith(FORGES), f"an honest peer is banned: {ban}")
            self.assertEqual(ban["rule"], "blamed_messages", ban)
            self.assertGreaterEqual(len(ban["evidence"]), TO_BAN)

    def check_counters(self, seen, bans):
        time.sleep(2.5)  # the parts are read every two seconds
        families = self.scrape()
        for direction in ("inbound", "outbound"):
            opened = total(families, "opp2p_connections_opened_total", direction=direction)
            closed = total(families, "opp2p_connections_closed_total", direction=direction)
            self.assertEqual(opened - closed, total(families, "opp2p_connections", direction=direction), direction)
        self.assertEqual(total(families, "opp2p_connections"), 1)
        self.assertEqual(total(families, "opp2p_bans_total") - total(families, "opp2p_bans_ended_total"), len(bans))
        by_blame = total(families, "opp2p_bans_total", rule="blamed_messages")
        self.assertGreaterEqual(total(families, "opp2p_faults_total"), TO_BAN * by_blame)
        self.assertEqual(by_blame, total(families, "opp2p_bans_total") - total(families, "opp2p_bans_total", rule="operator_request"))
        self.assertLessEqual(by_blame, seen["came"])
        common = [line for line in self.node.log().splitlines() if "probably this node is wrong" in line]
        self.assertEqual(total(families, "opp2p_common_faults_total"), 0, common)
        self.assertEqual(total(families, "opp2p_peerstore_failures_total"), 0)
        self.assertEqual(total(families, "opp2p_store_failures_total"), 0)
        # Who is blocked or banned and comes back meanwhile is thrown out again; half of them do, so two times each are expected.
        self.assertLessEqual(seen["thrown_out"], 3 * self.thrown_out_one_by_one + self.thrown_out_by_address)

    def check_bounds(self, files_before):
        for kind, seconds in self.answers.items():
            self.assertLessEqual(statistics.median(seconds), ANSWER_MEDIAN, kind)
            self.assertLessEqual(max(seconds), ANSWER_MOST, kind)
        early, late = self.windows()
        self.assertLessEqual(late["rss"], early["rss"] * (1 + GROWTH))
        self.assertLessEqual(max(one["store_mib"] for one in self.samples), STORE_MIB)
        # While they come and go: one for each connection, and those under way.
        for one in self.samples:
            self.assertLessEqual(one["files"], files_before + PLACES + 100)
        opp2p.wait_for(lambda: abs(opp2p.open_files(self.node.process.pid) - files_before) <= 3, 30, "as many files are open as before")

    def windows(self):
        """The medians of a tenth of the time after the warm-up, and of the last tenth."""
        def median(begin, end):
            chosen = [one for one in self.samples if begin <= one["at"] / SECONDS < end]
            return {key: statistics.median(one[key] for one in chosen) for key in chosen[0]}

        return median(1 / 3, 1 / 3 + 0.1), median(0.9, 2)

    def report(self, seen, bans):
        early, late = self.windows()
        answers = {kind: {"median": statistics.median(seconds), "most": max(seconds)} for kind, seconds in self.answers.items()}
        print(f"  {seen['came']} visits, {seen['failed']} refused, {len(bans)} bans held, {seen['forged']} bad blocks", flush=True)
        for key in ("rss", "files", "connections", "known", "bans", "store_mib"):
            print(f"  {key:<12} {early[key]:8.1f} -> {late[key]:8.1f}, at most {max(one[key] for one in self.samples):8.1f}", flush=True)
        for kind, times in answers.items():
            print(f"  {kind:<12} answered in {times['median'] * 1000:.0f} ms (median), at most {times['most'] * 1000:.0f} ms", flush=True)
        REPORT.write_text(json.dumps({"seconds": SECONDS, "visitors": seen, "bans": len(bans), "answers": answers, "early": early,
                                      "late": late, "samples": self.samples}, indent=1))


if __name__ == "__main__":
    unittest.main()
