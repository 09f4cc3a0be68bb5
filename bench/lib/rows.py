"""The rows of the comparison. Each takes a Bench, measures its sides in turn, and adds figures to the report."""

import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

import sides
from chain_load import ask_blocks, gossip_through, make_chain, start_node, steady_through, write_envelopes
from processes import Program, run
from sides import BOUND, FLOOR, LOAD, Libp2p

GIGABYTE = 10**9
SIZES = {"1 KB": (700, 6000, 200, 5), "100 KB": (100_000, 600, 100, 20), "1 MB": (1_000_000, 60, 30, 100)}  # block size, blocks, paced blocks, ms between
FLOOR_WANTED = {"1 KB": 1.5, "100 KB": 1.35, "1 MB": 1.35}  # times the floor that a block may cost
RECEIVERS = (1, 10, 50)
FLOOD_SECONDS = 30
FOLLOWED, FOLLOWED_PER_SECOND = 500, 50  # blocks


def median(values):
    return statistics.median(values)


def transfer(bench, side, up, down, streams, pinned):
    server_core, client_core = (0, 1) if pinned else (None, None)
    peer = Libp2p(side)
    with peer.perf_server(server_core) as server:
        address = peer.address(server)
        before = server.cpu_seconds()
        found = peer.perf(address, up, down, streams, client_core)
        server_cpu = server.cpu_seconds() - before
        memory = server.memory_mib("VmHWM")
    client_cpu = found["cpu_seconds"]
    gigabytes = (up + down) / GIGABYTE
    sender, receiver = (client_cpu, server_cpu) if up else (server_cpu, client_cpu)
    return {"mb_per_s": (up + down) / 1e6 / found["seconds"], "sender_cpu": sender / gigabytes, "receiver_cpu": receiver / gigabytes,
            "server_peak_mib": memory}


def bound(total):
    with Program(BOUND, "receive", core=0) as receiver:
        sent = run(BOUND, "send", receiver.line(), total, core=1)
        received = receiver.json()
    return {"mb_per_s": total / 1e6 / received["seconds"], "sender_cpu": sent["cpu_seconds"] * GIGABYTE / total,
            "receiver_cpu": received["cpu_seconds"] * GIGABYTE / total}


def throughput(bench):
    figures = bench.pairs("noise+yamux, 1 stream up, unpinned", ["ours", "go", "rust"],
                          lambda side: transfer(bench, side, bench.bytes, 0, 1, False))
    bench.ratio("throughput", figures, "mb_per_s", "ours", "go", at_least=1.4)
    bench.ratio("CPU of the sender", figures, "sender_cpu", "ours", "go", at_most=0.7)
    bench.ratio("CPU of the receiver", figures, "receiver_cpu", "ours", "go", at_most=0.7)
    for streams in (1, 10):
        for way in ("up", "down"):
            up, down = (bench.bytes, 0) if way == "up" else (0, bench.bytes)
            figures = bench.pairs(f"noise+yamux, {streams} stream{'s' * (streams > 1)} {way}, pinned", ["ours", "go", "bound"],
                                  lambda side: bound(bench.bytes) if side == "bound" else transfer(bench, side, up, down, streams, True))
            bench.ratio("throughput", figures, "mb_per_s", "ours", "go", at_least=1.2)
            bench.ratio("throughput", figures, "mb_per_s", "ours", "bound", at_least=0.8)


def daemon(bench):
    def start(side):
        with tempfile.TemporaryDirectory() as folder:
            chain = make_chain(pathlib.Path(folder))
            with start_node(side, chain, pathlib.Path(folder) / side) as node:
                while True:
                    with socket.socket() as probe:
                        if probe.connect_ex(("127.0.0.1", node.listen_port)) == 0:
                            break
                listening = time.monotonic() - node.started
                node.ready()
                time.sleep(2)
                return {"listening_ms": listening * 1000, "rss_mib": node.memory_mib()}
    figures = bench.pairs("idle daemon", ["ours", "op-node"], start)
    bench.bar("resident", figures["ours"]["rss_mib"], "MiB", at_most=20)
    bench.bar("exec to listening", figures["ours"]["listening_ms"], "ms", at_most=20)

    def follow(side):
        with tempfile.TemporaryDirectory() as folder:
            chain = make_chain(pathlib.Path(folder))
            with start_node(side, chain, pathlib.Path(folder) / side).ready() as node:
                count = bench.scaled(FOLLOWED)
                found = steady_through(node, chain, size=20_000, paced=count, interval_us=1_000_000 // FOLLOWED_PER_SECOND)
                return {"cpu_ms_per_block": found["cpu_seconds"] * 1000 / count, "lost": found["lost"],
                        "anonymous_mib": node.memory_mib("RssAnon"), "peak_mib": node.memory_mib("VmHWM")}
    bench.pairs(f"a follower, blocks of 20 KB, {FOLLOWED_PER_SECOND} a second", ["ours", "op-node"], follow)
    sizes = {}
    for side, program in (("ours", sides.program("opp2p")), ("op-node", sides.OPNODE)):
        if side in bench.sides:
            with tempfile.NamedTemporaryFile() as stripped:
                subprocess.run(["strip", "-o", stripped.name, program], check=True)
                sizes[side] = {"stripped_mb": [pathlib.Path(stripped.name).stat().st_size / 1e6]}
    bench.figures("program", sizes)
    bench.bar("stripped", sizes["ours"]["stripped_mb"], "MB", at_most=15)


def with_server(side, action):
    peer = Libp2p(side)
    with peer.serve() as server:
        return action(peer, server, server.json()["addr"])


def streams(bench):
    def one(side):
        return with_server(side, lambda peer, _, address: {"p50_us": peer.load("echo", address, "count=3000")["p50_us"]})
    figures = bench.pairs("new stream and 32 bytes echoed, one at a time", ["ours", "go", "rust"], one)
    bench.ratio("p50", figures, "p50_us", "ours", "go", at_most=0.65)

    def hundred(side):
        return with_server(side, lambda peer, _, address:
                           {"per_s": peer.load("echo", address, "count=30000", "in-flight=100")["per_second"]})
    figures = bench.pairs("the same, 100 in flight", ["ours", "go", "rust"], hundred)
    bench.ratio("requests per second", figures, "per_s", "ours", "go", at_least=2)

    def dial(side):
        return with_server(side, lambda peer, _, address: {"per_s": peer.load("dials", address, "count=400")["per_second"]})
    figures = bench.pairs("full dials, to an echoed stream", ["ours", "go", "rust"], dial)
    best = max((side for side in ("go", "rust") if side in figures), key=lambda side: median(figures[side]["per_s"]), default=None)
    bench.ratio("dials per second", figures, "per_s", "ours", best, at_least=1.4)

    def idle(side):
        def hold(peer, server, address):
            before = server.memory_mib()
            with Program(peer.program, "idle", address, "count=1000") as holder:
                holder.json(180)
                time.sleep(1)
                return {"kib_per_connection": (server.memory_mib() - before) * 1024 / 1000}
        return with_server(side, hold)
    figures = bench.pairs("1,000 idle connections", ["ours", "go", "rust"], idle, pairs=1)
    bench.bar("resident for each", figures["ours"]["kib_per_connection"], "KiB", at_most=25)


def forward(bench):
    for name, (size, count, paced, interval) in SIZES.items():
        def through(side):
            with tempfile.TemporaryDirectory() as folder:
                chain = make_chain(pathlib.Path(folder))
                with start_node(side, chain, pathlib.Path(folder) / side).ready() as node:
                    found = gossip_through(node, chain, size=size, count=bench.scaled(count), paced=bench.scaled(paced),
                                           interval_us=interval * 1000)
                    return {"cpu_ms_per_block": found["cpu_seconds"] * 1000 / found["count"], "per_s": found["per_second"],
                            "lost": found["lost"], "p50_ms": found["paced"]["p50_us"] / 1000, "peak_mib": node.memory_mib("VmHWM")}
        figures = bench.pairs(f"validate and forward blocks of {name}", ["ours", "op-node"], through)
        bench.ratio("CPU per block at saturation", figures, "cpu_ms_per_block", "ours", "op-node", at_most=0.5)
        bench.ratio("publish to receive, p50", figures, "p50_ms", "ours", "op-node", at_most=0.6)
    for name, (size, count, _, _) in SIZES.items() if bench.has_bars else ():  # the floor of two builds is one
        for receivers in RECEIVERS:
            forward_floor(bench, name, size, count, receivers)


def forward_floor(bench, name, size, count, receivers):
    """A block's CPU as a multiple of what it must cost: the parts that no node can leave out, measured alone in the same round."""
    def through(_):
        with tempfile.TemporaryDirectory() as folder:
            chain = make_chain(pathlib.Path(folder))
            with start_node("ours", chain, pathlib.Path(folder) / "ours", peers=2 * max(RECEIVERS)).ready() as node:
                found = gossip_through(node, chain, size=size, count=bench.scaled(count), receivers=receivers)
        floor = run(FLOOR, "forward", f"size={size}")
        copies = found["copies"] / found["count"]
        least = floor["once_us"] + copies * floor["each_us"]
        cpu = found["cpu_seconds"] * 1e6 / found["count"]
        return {"cpu_us": cpu, "floor_us": least, "times": cpu / least, "copies": copies, "lost": found["lost"]}
    figures = bench.pairs(f"a block of {name} to {receivers} gossip peer{'s' * (receivers > 1)}, and its floor", ["ours"], through)
    bench.bar("CPU per block, of its floor", figures["ours"]["times"], "times", at_most=FLOOR_WANTED[name])


def rules(bench):
    """The validator alone, on one core."""
    wanted = {"1 KB": 0.75, "100 KB": 0.45, "1 MB": 0.4, "5 MB": None}
    for name, size in (("1 KB", 700), ("100 KB", 100_000), ("1 MB", 1_000_000), ("5 MB", 5_000_000)):
        with tempfile.TemporaryDirectory() as folder:
            chain = make_chain(pathlib.Path(folder))
            message = pathlib.Path(folder) / "message"
            run(LOAD, "rules", message, f"genesis={chain.genesis}", f"size={size}", "seconds=0")

            def judge(side):
                if side == "ours":
                    found = run(sides.program("bench_load"), "rules", message, f"genesis={chain.genesis}", f"size={size}", "seconds=1", core=1)
                else:
                    found = run(sides.VALIDATOR, chain.config, chain.signer, message, "1", core=1)
                return {"us": found["us"]}
            figures = bench.pairs(f"block rules alone, {name}", ["ours", "op-node"], judge)
        if wanted[name]:
            bench.ratio("time", figures, "us", "ours", "op-node", at_most=wanted[name])


def serve_blocks(bench):
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        chain = make_chain(folder, 200, 100_000)

        def one(side):
            if side == "perf":
                return {"mb_per_s": transfer(bench, "ours", 0, bench.bytes, 1, False)["mb_per_s"]}
            with start_node("ours", chain, folder / f"open-{time.monotonic_ns()}", limits=False).ready() as node:
                node.import_blocks(chain.envelopes)
                count, before = bench.scaled(6000), node.cpu_seconds()
                found = ask_blocks(node, first=1, last=200, streams=8, count=count)
                cpu = node.cpu_seconds() - before
                if found["refused"]:
                    raise RuntimeError(f"{found['refused']} requests were refused")
                return {"mb_per_s": found["wire_bytes_per_second"] / 1e6, "blocks_per_s": found["per_second"],
                        "cpu_ms_per_block": cpu * 1000 / count, "anonymous_mib": node.memory_mib("RssAnon")}
        figures = bench.pairs("payload_by_number, 100 KB, 8 streams, limits off", ["ours", "perf"], one)
        bench.ratio("bytes per second", figures, "mb_per_s", "ours", "perf", at_least=0.6)
        floors = [run(FLOOR, "serve", "size=100000") for _ in figures["ours"]["cpu_ms_per_block"]]
        bench.figures("a served block of 100 KB, and its floor", {"ours": {
            "cpu_us": [cpu * 1000 for cpu in figures["ours"]["cpu_ms_per_block"]],
            "floor_us": [floor["once_us"] + floor["each_us"] for floor in floors]}})
        times = [cpu * 1000 / (floor["once_us"] + floor["each_us"])
                 for cpu, floor in zip(figures["ours"]["cpu_ms_per_block"], floors)]
        bench.bar("CPU per block, of its floor", times, "times", at_most=1.5)

        def polite(side):
            options = {} if side == "ours" else {"blocks": write_envelopes(chain, folder / f"blocks-{time.monotonic_ns()}")}
            with start_node(side, chain, folder / f"{side}-{time.monotonic_ns()}", **options).ready() as node:
                if side == "ours":
                    node.import_blocks(chain.envelopes)
                alone = ask_blocks(node, first=1, last=200, streams=1, count=6, interval_ms=400)
                with Program(LOAD, "sync", node.address, "first=1", "last=200", "streams=16", "count=100000"):
                    time.sleep(3)
                    beside = ask_blocks(node, first=1, last=200, streams=1, count=6, interval_ms=400)
                return {"alone_ms": alone["p50_us"] / 1000, "beside_ms": beside["p50_us"] / 1000,
                        "raised": beside["p50_us"] / alone["p50_us"]}
        figures = bench.pairs("a polite peer beside a greedy one, limits on", ["ours", "op-node"], polite, pairs=2)
        bench.bar("its p50 rises", figures["ours"]["raised"], "times", at_most=3)


def bursts(bench):
    def burst(side):
        with tempfile.TemporaryDirectory() as folder:
            chain = make_chain(pathlib.Path(folder))
            with start_node(side, chain, pathlib.Path(folder) / side).ready() as node:
                return {"lost": gossip_through(node, chain, size=700, count=64, at_once=1, lost_ms=3000)["lost"]}
    figures = bench.pairs("64 blocks of 1 KB at once", ["ours", "op-node"], burst)
    bench.bar("lost", figures["ours"]["lost"], "blocks", at_most=0, worst=True)

    def flood(side):
        with tempfile.TemporaryDirectory() as folder:
            chain = make_chain(pathlib.Path(folder))
            with start_node(side, chain, pathlib.Path(folder) / side).ready() as node:
                found = gossip_through(node, chain, size=100_000, flood_seconds=bench.scaled(FLOOD_SECONDS), window=64, lost_ms=300)
                return {"blocks": found["count"], "lost": found["lost"], "peak_mib": node.memory_mib("VmHWM")}
    figures = bench.pairs(f"a flood of 100 KB blocks, {FLOOD_SECONDS} s", ["ours", "op-node"], flood, pairs=1)
    bench.bar("peak memory", figures["ours"]["peak_mib"], "MiB", at_most=150)


def gap(bench):
    """200 blocks from op-node servers as shipped: 4 a second of each, after a burst of 15."""
    if "op-node" not in bench.sides:
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        chain = make_chain(folder, 201, 100_000)
        blocks = write_envelopes(chain, folder / "blocks", 200)
        for count in (1, 2, 4):
            servers = [start_node("op-node", chain, folder / f"server-{count}-{i}", sequencer=True, blocks=blocks).ready() for i in range(count)]
            try:
                with start_node("ours", chain, folder / f"client-{count}", static=[s.address for s in servers]).ready() as node:
                    time.sleep(3)
                    started = time.monotonic()
                    servers[0].say('{"publish":' + chain.envelopes[200] + "}")
                    while node.head() < 201:
                        if time.monotonic() - started > 120:
                            raise RuntimeError("the gap was not filled in two minutes")
                        time.sleep(0.05)
                    took = time.monotonic() - started
            finally:
                for server in servers:
                    server.end()
            allowed = (200 - 15 * count) / (4 * count)
            bench.figures(f"a gap of 200 blocks of 100 KB from {count} op-node server{'s' * (count > 1)}",
                          {"ours": {"seconds": [took], "the limits allow": [allowed]}})
            bench.bar("of what the limits allow", [allowed / took], "of it", at_least=0.95)


GOSSIP_PAIRS = {"1 KB": (1024, 100_000, 128), "100 KB": (102_400, 5_000, 16)}  # size, messages, those under way
GOSSIP_MANY = {"1 KB": (1024, 4_000, 32, 200, 20), "100 KB": (102_400, 300, 8, 40, 200)}  # then those at a low rate, and ms between them
GOSSIP_NODES = 21


def gossip(bench):
    """GossipSub over sockets with all its layers: one publisher to one subscriber, and many nodes that forward, in one process."""
    others = ["go", "go 0.51", "rust"]
    for name, (size, count, window) in GOSSIP_PAIRS.items():
        def pair(side):
            found = sides.gossip(side, nodes=2, size=size, count=bench.scaled(count), window=window)["saturation"]
            return {"per_s": found["per_second"], "lost": found["lost"], "cpu_us": found["cpu_seconds"] * 1e6 / found["count"]}
        figures = bench.pairs(f"GossipSub, one publisher to one subscriber, {name}", ["ours", *others], pair)
        best = max((side for side in others if side in figures), key=lambda side: median(figures[side]["per_s"]), default=None)
        bench.ratio("messages per second", figures, "per_s", "ours", best, at_least=2)

    for name, (size, count, window, paced, interval) in GOSSIP_MANY.items():
        def many(side):
            found = sides.gossip(side, nodes=GOSSIP_NODES, size=size, count=bench.scaled(count), window=window, paced=bench.scaled(paced),
                                 interval_us=interval * 1000)
            full, slow = found["saturation"], found["paced"]
            return {"per_s": full["per_second"], "lost": full["lost"] + slow["lost"], "cpu_us": full["cpu_seconds"] * 1e6 / full["count"],
                    "p50_us": slow["p50_us"], "p99_us": slow["p99_us"]}
        figures = bench.pairs(f"GossipSub, one publisher among {GOSSIP_NODES} nodes in one process, {name}", ["ours", *others], many)
        for other in ("go", "go 0.51"):
            bench.ratio("messages per second", figures, "per_s", "ours", other, at_least=2)
            bench.ratio("publish to receive, p50", figures, "p50_us", "ours", other, at_most=0.5)


ROWS = {"throughput": throughput, "daemon": daemon, "streams": streams, "rules": rules, "forward": forward, "gossip": gossip, "serve": serve_blocks, "bursts": bursts, "gap": gap}
