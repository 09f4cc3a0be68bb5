"""Half an hour of a node with 200 peers that come and go (churn_peers.cpp): forgers are banned, honest peers are blocked, unblocked, banned and
pardoned by the operator, and now and then their common address is blocked. Beside them strangers connect that never become peers (strangers.py).

OPP2P_CHURN_SECONDS says how long (1800). What is measured is printed and kept as build/churn.json. After a warm-up (two thirds of the time) memory
must not grow: neither the medians of its first and its last tenth, nor the line through all samples. The warm-up is that long because how many
peers come in a second depends on the machine: tables of bounded size must be full, and those that forget by time must have been as full as they
become, because the allocator keeps what they had. In less than a quarter of an hour the tables do not fill, so that only a rough bound holds.
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

import strangers
from lib import made_chain, opp2p, prometheus_text, trend

SECONDS = int(os.environ.get("OPP2P_CHURN_SECONDS", "1800"))
CHURN_PEERS = opp2p.ROOT / "build" / "tests" / "churn_peers"
REPORT = opp2p.ROOT / "build" / "churn.json"
PLACES, FORGERS, STAY_MS = 200, 40, 8000
FORGES, HONEST = "16Uiu2", "12D3Koo"  # how the ids begin: by the type of the key
BANS_HELD, TO_BAN = 2048, 8  # docs/reputation.md
OPERATOR_BAN = 7200  # seconds: longer than the others, because a full book takes no ban that would be the first to end
ADDRESS = "127.0.0.1"
ADDRESS_BLOCKED_EVERY = 300  # seconds; the first time within the warm-up, so that nothing is new after it
STRANGERS, STRANGER_STAYS = 20, 15  # seconds: longer than a handshake may take
GROWTH = 0.05 if SECONDS >= 900 else 0.5
# MiB of the node's own memory in an hour, by the line through the samples. 64 bytes that each of 100,000 visits left behind are 6 MiB.
GROWTH_AN_HOUR = 4 if SECONDS >= 900 else 2000  # in a short run the tables still fill up
WARM_UP = 2 / 3
MORE_SERIES = 10  # of metrics: those of events that came for the first time. A label with the name of a peer makes hundreds
# Of gossip without peers: what stays are the subscriptions of the one static peer, and what time takes away.
AT_REST = {"peers": 1, "subscriptions": 4, "mesh_links": 4, "fanout_links": 0, "promises": 0, "blacklisted": 0, "partial_groups": 0}
TABLES = ("peers", "backoffs", "seen", "refusers")  # of gossip, watched while peers come and go
STREAMS_AT_REST = 4  # of the static peer: gossip in both directions, a ping, an identify push
STORE_MIB = 64
ANSWER_MEDIAN, ANSWER_MOST = 0.5, 5  # seconds
OPTIONS = ["--p2p.scoring", "opp2p", "--p2p.peers.lo", PLACES + 30, "--p2p.peers.hi", PLACES + 50, "--metrics.enabled", "--metrics.addr",
           "127.0.0.1", "--metrics.port", "0"]


def total(families, name, **wanted):
    """The sum of the samples that have these labels; none is 0."""
    samples = families[name].samples.items() if name in families else ()
    return sum(count for (_, labels), count in samples if wanted.items() <= dict(labels).items())


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def folder_mib(folder):
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file()) / 2**20


def windows(samples, seconds):
    """The medians of a tenth of the time after the warm-up, and of the last tenth."""
    def median(begin, end):
        # On a machine that is busy a short window may have no sample.
        chosen = [one for one in samples if begin <= one["at"] / seconds < end] or samples[-1:]
        return {key: statistics.median(one[key] for one in chosen) for key in chosen[0]}

    return median(WARM_UP, WARM_UP + 0.1), median(0.9, 2)


def growth_an_hour(samples, key, seconds):
    return trend.slope((one["at"] / 3600, one[key]) for one in samples if one["at"] >= seconds * WARM_UP)


def growth_problems(samples, seconds, an_hour=GROWTH_AN_HOUR, share=GROWTH):
    out = []
    early, late = windows(samples, seconds)
    if late["rss"] > early["rss"] * (1 + share):
        out.append(f"resident memory grew from {early['rss']:.1f} to {late['rss']:.1f} MiB")
    growth = growth_an_hour(samples, "own", seconds)
    if growth > an_hour:
        out.append(f"memory of its own grows by {growth:.1f} MiB in an hour")
    if max(one["series"] for one in samples) > early["series"] + MORE_SERIES:
        out.append(f"there are {max(one['series'] for one in samples)} series of metrics after {early['series']:.0f}")
    return out


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
        # How long an answer takes is judged at the end; a slow one does not end the run.
        self.addCleanup(setattr, opp2p, "ANSWER_LIMIT", opp2p.ANSWER_LIMIT)
        opp2p.ANSWER_LIMIT = 120
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
        pid = self.node.process.pid
        self.samples.append({"at": at, "rss": self.node.memory_mib(), "own": self.node.memory_mib("RssAnon"), "files": opp2p.open_files(pid),
                             "threads": threads(pid), "cpu": self.node.cpu_seconds(), "connections": total(families, "opp2p_connections"),
                             "known": total(families, "opp2p_known_peers"),
                             "bans": total(families, "opp2p_bans_total") - total(families, "opp2p_bans_ended_total"),
                             "strangers_kib": total(families, "opp2p_stranger_memory_bytes") / 1024,
                             "series": sum(len(family.samples) for family in families.values()),
                             "store_mib": folder_mib(self.node.folder / "peerstore"), "head": status["head"]["number"],
                             **{table: total(families, "opp2p_gossip_table_entries", table=table) for table in TABLES}})

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
        address_due = min(ADDRESS_BLOCKED_EVERY, SECONDS / 4)
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
        threads_before = threads(self.node.process.pid)
        visitors = Visitors(self.folder, self.node.address, self.chain)
        self.addCleanup(visitors.kill)
        self.strangers = strangers.Strangers(self.node.address, STRANGERS, STRANGER_STAYS)
        self.strangers.start()
        self.addCleanup(self.strangers.leave)
        opp2p.wait_for(lambda: visitors.told()["connected"] > PLACES / 2, 60, "most places are taken")
        try:
            self.churn()
        except Exception:
            self.keep_samples()
            raise
        seen = visitors.told()
        self.assertEqual(visitors.leave(), 0)
        self.strangers.leave()
        self.assertIsNone(self.feeder.error)

        opp2p.wait_for(lambda: set(self.node.rpc("opp2p_peers", True)["peers"]) == {self.sequencer.peer_id}, 60, "the visitors are gone")
        self.feeder.stopping.set()
        self.feeder.join()
        opp2p.wait_for(lambda: self.node.head() == self.feeder.published, 60, "the node has every block")
        bans = self.node.rpc("opp2p_bans")
        self.report(seen, bans)
        self.check_bans(bans)
        self.check_counters(seen, bans)
        self.check_rest()
        self.check_bounds(files_before, threads_before)
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
        # The parts are read at intervals, of up to ten seconds on a busy machine.
        opp2p.wait_for(lambda: total(self.scrape(), "opp2p_connections") == 1, 25, "the gauge of connections is read anew")
        families = self.scrape()
        for direction in ("inbound", "outbound"):
            opened = total(families, "opp2p_connections_opened_total", direction=direction)
            closed = total(families, "opp2p_connections_closed_total", direction=direction)
            self.assertEqual(opened - closed, total(families, "opp2p_connections", direction=direction), direction)
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

    def check_rest(self):
        """Of everybody who has gone nothing is left but what is kept by design: who is known, scored or banned."""
        families = self.scrape()
        for table, most in AT_REST.items():
            self.assertLessEqual(total(families, "opp2p_gossip_table_entries", table=table), most, table)
        self.assertLessEqual(total(families, "op_node_default_p2p_stream_count"), STREAMS_AT_REST)
        for queue in ("gossip_outbox", "gossip_validation", "block_validation", "waiting_blocks", "sync_requests", "served_requests"):
            self.assertEqual(total(families, "opp2p_queue_items", queue=queue), 0, queue)
        self.assertGreater(self.strangers.came, SECONDS)
        self.assertGreater(self.strangers.thrown_out, 0, "nobody is half-open for ever")
        self.assertGreater(total(families, "opp2p_inbound_refused_total"), 0)

    def check_bounds(self, files_before, threads_before):
        for kind, seconds in self.answers.items():
            self.assertLessEqual(statistics.median(seconds), ANSWER_MEDIAN, kind)
            self.assertLessEqual(max(seconds), ANSWER_MOST, kind)
        self.assertEqual(growth_problems(self.samples, SECONDS), [])
        self.assertLessEqual(max(one["store_mib"] for one in self.samples), STORE_MIB)
        # While they come and go: one for each connection, and those under way.
        for one in self.samples:
            self.assertLessEqual(one["files"], files_before + PLACES + STRANGERS + 100)
            self.assertLessEqual(one["threads"], threads_before, "a thread has stayed")
        opp2p.wait_for(lambda: abs(opp2p.open_files(self.node.process.pid) - files_before) <= 3, 30, "as many files are open as before")

    def keep_samples(self, **more):
        REPORT.write_text(json.dumps({"seconds": SECONDS, **more, "samples": self.samples}, indent=1))

    def report(self, seen, bans):
        early, late = windows(self.samples, SECONDS)
        answers = {kind: {"median": statistics.median(seconds), "most": max(seconds)} for kind, seconds in self.answers.items()}
        print(f"  {seen['came']} visits, {seen['failed']} refused, {len(bans)} bans held, {seen['forged']} bad blocks", flush=True)
        print(f"  {self.strangers.came} strangers, {self.strangers.thrown_out} of them thrown out", flush=True)
        for key in ("rss", "own", "files", "threads", "connections", "known", "bans", "strangers_kib", "series", "store_mib", *TABLES):
            print(f"  {key:<14} {early[key]:8.1f} -> {late[key]:8.1f}, at most {max(one[key] for one in self.samples):8.1f}, "
                  f"{growth_an_hour(self.samples, key, SECONDS):+9.1f} in an hour", flush=True)
        for kind, times in answers.items():
            print(f"  {kind:<12} answered in {times['median'] * 1000:.0f} ms (median), at most {times['most'] * 1000:.0f} ms", flush=True)
        self.keep_samples(visitors=seen, bans=len(bans), answers=answers, early=early, late=late, strangers=self.strangers.came,
                          own_mib_an_hour=growth_an_hour(self.samples, "own", SECONDS))


class Judge(unittest.TestCase):
    """Controls: what is judged fails where something leaks."""

    def samples(self, leak):
        """A node of 60 MiB whose memory goes up and down by 1 MiB, and leaks so many bytes a second."""
        noise = random.Random(1)
        for at in range(1800):
            own = 60 + noise.random() + leak * at / 2**20
            yield {"at": at, "rss": 30 + own, "own": own, "series": 900}

    def test_a_node_that_does_not_grow_has_no_problem(self):
        self.assertEqual(growth_problems(list(self.samples(0)), 1800, 4, 0.05), [])

    def test_a_leak_of_two_kilobytes_a_second_is_found(self):
        problems = growth_problems(list(self.samples(2048)), 1800, 4, 0.05)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn("in an hour", problems[0])

    def test_a_leak_of_sixteen_kilobytes_a_second_is_found_by_the_medians_too(self):
        self.assertEqual(len(growth_problems(list(self.samples(16384)), 1800, 4, 0.05)), 2)

    def test_too_many_series_of_metrics_are_found(self):
        samples = [dict(one, series=900 + 11 * (one["at"] > 1700)) for one in self.samples(0)]
        self.assertEqual(len(growth_problems(samples, 1800, 4, 0.05)), 1)


if __name__ == "__main__":
    unittest.main()
