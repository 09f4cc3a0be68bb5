"""The metrics of a running node: the text that it serves, a real Prometheus that scrapes it, and docs/metrics.md."""

import json
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from lib import made_chain, opp2p, prometheus_text

SCRATCH = tempfile.TemporaryDirectory()  # removed when the interpreter ends
SERVED = ["--metrics.enabled", "--metrics.addr", "127.0.0.1", "--metrics.port", "0"]
BLOCKS = 5
# Counters of op-node whose names do not end in _total, as promtool would have it.
OF_OP_NODE = "op_node_default_"


class Pair(unittest.TestCase):
    """A sequencer and a follower, both with metrics; the sequencer has published BLOCKS blocks, which the follower has."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH.name))
        key, options, envelopes = made_chain.make(cls.folder, BLOCKS, 1000)
        cls.sequencer = made_chain.sequencer(cls.folder / "sequencer", key, [*options, *SERVED])
        cls.addClassCleanup(cls.sequencer.kill)
        cls.follower = opp2p.Node(cls.folder / "follower", *options, *SERVED, "--p2p.static", cls.sequencer.address).ready()
        cls.addClassCleanup(cls.follower.kill)
        opp2p.wait_for(lambda: cls.follower.status()["mesh"] == 1, 20, "the two nodes are in a mesh")
        for envelope in envelopes:
            cls.sequencer.rpc("admin_publishUnsafePayload", json.loads(envelope))
        opp2p.wait_for(lambda: cls.follower.head() == BLOCKS, 20, "the follower has the blocks")

    def scrape(self, node):
        return prometheus_text.read(node.metrics())


class Scrapes(Pair):
    def test_every_family_keeps_the_format(self):
        for node in (self.sequencer, self.follower):
            families = self.scrape(node)
            self.assertGreater(len(families), 60)
            for name, family in families.items():
                self.assertRegex(name, "^(op_node_default|opp2p|process)_")
                self.assertTrue(family.about, name)

    def test_the_samples_are_what_the_node_did(self):
        def told():
            families = self.scrape(self.follower)
            with_head = prometheus_text.value(families, "opp2p_head_number") == BLOCKS
            return families if with_head else None  # the parts are read every two seconds

        follower = opp2p.wait_for(told, 10, "the head is in the metrics")
        value = prometheus_text.value
        self.assertEqual(value(follower, "opp2p_blocks_total", verdict="accept", reason="valid"), BLOCKS)
        self.assertEqual(value(follower, "op_node_default_unsafe_payloads_total"), BLOCKS)
        self.assertEqual(value(follower, "op_node_default_refs_number", layer="l2", type="received_payload"), BLOCKS)
        self.assertEqual(value(follower, "opp2p_blocks_stored_total", source="gossip"), BLOCKS)
        self.assertEqual(value(follower, "op_node_default_p2p_gossip_events_total", type="DELIVER_MESSAGE"), BLOCKS)
        self.assertEqual(value(follower, "op_node_default_p2p_peer_count"), 1)
        self.assertEqual(value(follower, "opp2p_static_peers_connected"), 1)
        self.assertEqual(value(follower, "op_node_default_up"), 1)
        self.assertEqual(value(follower, "op_node_default_info", version=self.follower.rpc("optimism_version")), 1)
        self.assertGreater(value(follower, "opp2p_event_loop_lag_seconds_count"), 0)
        sequencer = self.scrape(self.sequencer)
        self.assertEqual(value(sequencer, "opp2p_own_blocks_total", result="gossiped"), BLOCKS)
        self.assertEqual(value(sequencer, "op_node_default_unsafe_payloads_total"), 0)
        self.assertEqual(value(sequencer, "op_node_default_publishing_errors_total"), 0)
        self.assertEqual(value(sequencer, "op_node_default_publish_delay_seconds_count"), BLOCKS)
        self.assertGreater(value(sequencer, "opp2p_own_block_store_seconds_sum"), 0)
        self.assertEqual(value(sequencer, "opp2p_log_lines_dropped_total", cause="no_room"), 0)

    def test_what_the_operator_bans_and_blocks_is_told_while_it_holds(self):
        value = prometheus_text.value
        self.follower.rpc("opp2p_ban", "192.0.2.9", 60)
        self.follower.rpc("opp2p_blockSubnet", "198.51.100.0/24")

        def told():
            families = self.scrape(self.follower)
            return (value(families, "opp2p_active_bans", target="ip", rule="operator_request"), value(families, "opp2p_blocked", target="subnet"))

        opp2p.wait_for(lambda: told() == (1, 1), 10, "the ban and the block are in the metrics")
        self.follower.rpc("opp2p_unban", "192.0.2.9")
        self.follower.rpc("opp2p_unblockSubnet", "198.51.100.0/24")
        opp2p.wait_for(lambda: told() == (0, 0), 10, "they are over")

    def test_the_process_is_told_as_the_kernel_tells_it(self):
        families = self.scrape(self.follower)
        value = prometheus_text.value
        self.assertAlmostEqual(value(families, "process_resident_memory_bytes") / 2**20, self.follower.memory_mib(), delta=5)
        self.assertAlmostEqual(value(families, "process_open_fds"), opp2p.open_files(self.follower.process.pid), delta=3)
        self.assertAlmostEqual(value(families, "process_start_time_seconds"), time.time(), delta=120)
        self.assertLessEqual(value(families, "process_cpu_seconds_total"), self.follower.cpu_seconds() + 0.02)

    def test_every_path_of_the_port_serves_them_as_op_nodes_does(self):
        for path in ("/", "/metrics", "/metrics/", "/debug/metrics?x=1"):
            self.assertIn("op_node_default_up 1", self.follower.metrics(path), path)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.follower.metrics_port}/metrics", timeout=10) as answer:
            self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{self.follower.metrics_port}/metrics", data=b"{}", timeout=10)
        self.assertEqual(refused.exception.code, 405)

    def test_promtool_reads_them_and_finds_fault_with_op_nodes_names_alone(self):
        done = subprocess.run([prometheus_text.needed("promtool"), "check", "metrics"], input=self.follower.metrics(),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        self.assertIn(done.returncode, (0, 3), done.stdout)  # 3: it read all, and has advice
        advice = [line for line in done.stdout.splitlines() if not line.startswith(OF_OP_NODE)]
        self.assertEqual(advice, [])

    def test_no_peer_and_no_address_is_in_the_text(self):
        for node, other in ((self.sequencer, self.follower), (self.follower, self.sequencer)):
            text = node.metrics()
            self.assertNotIn(other.peer_id, text)
            self.assertNotIn("/ip4/", text)


class RealPrometheus(Pair):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prometheus = prometheus_text.Prometheus(cls.folder / "prometheus",
                                                    [cls.sequencer.metrics_port, cls.follower.metrics_port])
        cls.addClassCleanup(cls.prometheus.stop)

    def instance(self, node):
        return f'instance="127.0.0.1:{node.metrics_port}"'

    def test_it_scrapes_both_nodes_and_answers_what_dashboards_ask(self):
        wait_for = opp2p.wait_for
        query = self.prometheus.query
        wait_for(lambda: [value for _, value in query("up")] == [1, 1], 20, "both targets are up")
        follower = self.instance(self.follower)
        wait_for(lambda: [value for _, value in query(f"opp2p_head_number{{{follower}}}")] == [BLOCKS], 20, "the head is scraped")
        accepted = query(f'sum by (verdict) (opp2p_blocks_total{{{follower}}})')
        self.assertEqual(accepted, [({"verdict": "accept"}, BLOCKS)])
        self.assertEqual([value for _, value in query("sum(op_node_default_p2p_peer_count)")], [2])
        # A rate needs two scrapes.
        wait_for(lambda: query(f"rate(opp2p_event_loop_lag_seconds_count{{{follower}}}[10s]) > 0"), 20, "a rate of a counter")
        late = query(f"histogram_quantile(0.99, sum by (le) (opp2p_event_loop_lag_seconds_bucket{{{follower}}}))")
        self.assertEqual(len(late), 1)
        self.assertLess(late[0][1], 5)
        about = self.prometheus.ask("metadata", metric="op_node_default_peer_scores")["op_node_default_peer_scores"][0]
        self.assertEqual((about["type"], about["help"]), ("histogram", "Histogram of currently connected peer scores"))
        for target in self.prometheus.ask("targets")["activeTargets"]:
            self.assertEqual((target["health"], target["lastError"]), ("up", ""))

    def test_time_in_which_a_node_stood_still_shows_in_its_lag(self):
        before = prometheus_text.value(self.scrape(self.follower), "opp2p_event_loop_lag_seconds_bucket", le="0.5")
        self.follower.process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        self.follower.process.send_signal(signal.SIGCONT)

        def late():
            families = self.scrape(self.follower)
            count = prometheus_text.value(families, "opp2p_event_loop_lag_seconds_count")
            in_time = prometheus_text.value(families, "opp2p_event_loop_lag_seconds_bucket", le="0.5")
            return in_time >= before and count - in_time >= 1

        opp2p.wait_for(late, 10, "a timer that was more than half a second late")


class Options(unittest.TestCase):
    def node(self, *options):
        folder = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH.name))
        chain = made_chain.Chain(folder)
        node = opp2p.Node(folder / "node", *chain.options, *options)
        self.addCleanup(node.kill)
        return node

    def test_without_metrics_enabled_nothing_listens_and_no_port_is_told(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            node = self.node("--metrics.addr", "127.0.0.1", "--metrics.port", taken.getsockname()[1]).ready()
            self.assertIsNone(node.metrics_port)
            self.assertNotIn("metrics server started", node.log())

    def test_the_port_is_told_in_the_log_and_in_the_node_file(self):
        node = self.node(*SERVED).ready()
        self.assertRegex(node.log(), rf'msg="metrics server started" addr=127\.0\.0\.1 port={node.metrics_port}\n')
        self.assertEqual(node.stop(), 0)
        with self.assertRaises(OSError):
            node.metrics()

    def test_a_port_that_is_taken_is_an_error_that_names_the_flag(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            node = self.node("--metrics.enabled", "--metrics.addr", "127.0.0.1", "--metrics.port", port)
            self.assertEqual(node.process.wait(20), 1)
        self.assertIn(f"the metrics server cannot listen on 127.0.0.1:{port}: Address already in use; choose another --metrics.port or "
                      "stop the program that has it", node.log())

    def test_values_that_are_none_are_told_only_when_metrics_are_on(self):
        node = self.node("--metrics.enabled", "--metrics.port", "70000")
        self.assertEqual(node.process.wait(20), 1)
        self.assertIn("--metrics.port: port out of range: 70000", node.log())
        self.node("--metrics.port", "70000").ready()

    def test_twenty_scrapers_at_once_are_answered_or_refused_and_the_node_goes_on(self):
        node = self.node(*SERVED).ready()
        held = []
        for _ in range(40):
            client = socket.create_connection(("127.0.0.1", node.metrics_port), timeout=5)
            self.addCleanup(client.close)
            client.sendall(b"GET /metrics HT")  # and no more
            held.append(client)
        answered = opp2p.wait_for(lambda: self.is_served(node), 20, "a scrape beside clients that say nothing")
        self.assertTrue(answered)
        self.assertEqual(node.status()["peers"], 0)

    @staticmethod
    def is_served(node):
        try:
            return "op_node_default_up 1" in node.metrics()
        except OSError:
            return False


class Reference(unittest.TestCase):
    def test_the_page_has_the_table_that_the_program_prints(self):
        done = opp2p.run("doc", "metrics")
        self.assertEqual(done.returncode, 0, done.stderr)
        page = (opp2p.ROOT / "docs" / "metrics.md").read_text()
        self.assertIn(done.stdout, page, "put the output of `opp2p doc metrics` into docs/metrics.md")

    def test_the_json_is_op_nodes_and_has_the_same_metrics(self):
        listed = json.loads(opp2p.run("doc", "metrics", "--format", "json").stdout)
        self.assertEqual([list(one) for one in listed], [["type", "name", "help", "labels"]] * len(listed))
        table = re.findall(r"^\| `(\w+)` \|", opp2p.run("doc", "metrics", "--format=markdown").stdout, re.M)
        self.assertEqual([one["name"] for one in listed], table)

    def test_another_format_is_an_error(self):
        done = opp2p.run("doc", "metrics", "--format", "xml")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("--format: 'xml' is no format; write markdown or json", done.stderr)


if __name__ == "__main__":
    unittest.main()
