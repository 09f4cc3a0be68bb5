#!/usr/bin/env python3
"""Records what one block passes through in a running node: tools/trace_block.py [--check].

Without an option docs/block-way.trace is written. With --check nothing is written: it only reports functions that the block no longer
passes (a suite of ./test full).

Four nodes run on loopback: a sequencer, the traced node, a node that gets its blocks from the traced node by gossip, and one that joins
later and fetches them by sync. gdb is attached to the traced node with a breakpoint on each function of STAGES. The sequencer publishes
one block. The trace has the functions in the order of their first call, each with the thread that called it. Then a client asks the traced
node for its head, the late node joins, and one more block shows it the gap that it has to fetch.

Needs the programs of a Release build (build/opp2p, build/tests/chain_maker), gdb, and the right to attach to a process (root, or
/proc/sys/kernel/yama/ptrace_scope 0). tools/draw_architecture.py draws docs/block-way.svg from the trace.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TRACE = ROOT / "docs" / "block-way.trace"
BLOCK_SIZE = 200_000  # bytes: large enough for two workers

# Part of the way, function: what it does. A function with a third member counts only after the first call of the function named there,
# because others than the block have it called as well.
SECTIONS = {
    "The block arrives": {
        "SocketConnection::on_readable": ("reads bytes from the socket",),
        "ConnectionEngine::on_bytes": ("takes the bytes of a connection",),
        "NoiseChannel::open": ("decrypts a Noise message in place",),
        "yamux::Session::on_bytes": ("finds the Yamux frames of a stream",),
        "GossipInbound::on_data": ("collects one RPC in a shared buffer",),
        "Router::on_frame": ("decodes the RPC", "GossipInbound::on_data"),
        "Router::handle_message": ("drops copies of messages that it has seen",),
        "snappy_decompress": ("decompresses the block for its message id", "Router::handle_message"),
    },
    "It is validated": {
        "Router::begin_validation": ("asks for the verdict on a new message",),
        "Subscriber::validate": ("has the block examined",),
        "secp256k1::recover": ("recovers the signer from the signature",),
        "payload::decode_envelope": ("decodes SSZ",),
        "payload::make_header": ("hashes the tries and the header", "payload::decode_envelope"),
        "BlockRules::conclude": ("concludes the verdict",),
        "Router::on_validation": ("gets the verdict",),
    },
    "It is forwarded": {
        "Router::spread": ("queues the message for peers of the mesh",),
        "GossipOutbound::pump": ("gives the message to a peer's stream", "Router::spread"),
        "yamux::Session::poll_output": ("makes Yamux frames", "Router::spread"),
        "NoiseChannel::seal": ("encrypts them", "Router::spread"),
    },
    "It is stored": {
        "UnsafeChain::on_signed": ("links the block to the head",),
        "LmdbStore::keep": ("queues the block for writing",),
        "Database::write": ("writes and commits the block",),
        "UnsafeChain::on_kept": ("acknowledges the committed block",),
    },
    "A client asks for the head": {
        "HttpSession::on_request": ("takes the request", "UnsafeChain::on_kept"),
        "RpcExchange::run": ("runs the method and makes JSON", "UnsafeChain::on_kept"),
        "RpcSnapshots::take": ("takes a snapshot with the new head", "UnsafeChain::on_kept"),
    },
    "A peer asks for the block": {
        "SyncServer::answer": ("reads the number of the block", "UnsafeChain::on_kept"),
        "ChainReader::as_stored": ("reads the block as it was stored", "UnsafeChain::on_kept"),
        "SyncServer::send_block": ("sends the block", "UnsafeChain::on_kept"),
    },
}
STAGES = {name: about for section in SECTIONS.values() for name, about in section.items()}
# What is on the stack of a thread: what the thread is called in docs/architecture.md.
THREADS = {"main": "network", "WorkerPool": "worker pool", "LmdbStore": "store", "RpcWorker": "RPC worker", "HttpServer": "RPC sockets"}

# Runs inside gdb. A breakpoint notes the first call that counts and goes on.
IN_GDB = """
import gdb, json
STAGES, THREADS, OUT = json.loads({stages!r}), json.loads({threads!r}), open({out!r}, "w", buffering=1)
seen = set()

def thread():
    names, frame = [], gdb.newest_frame()
    while frame is not None:
        names.append(frame.name() or "")
        frame = frame.older()
    bottom = " ".join(names[-4:])
    return next((called for part, called in THREADS.items() if part in bottom), bottom)

class Stage(gdb.Breakpoint):
    def stop(self):
        after = STAGES[self.location][1:]
        if self.location not in seen and seen.issuperset(after):
            seen.add(self.location)
            OUT.write(thread() + "\\t" + self.location + "\\n")
            self.enabled = False
        return False

for name in STAGES:
    Stage(name)
OUT.write("ready\\n")
"""
GDB = ["set pagination off", "set confirm off", "set debuginfod enabled off", "handle all nostop noprint pass"]


def attach(pid, folder):
    """gdb beside a process, until the process ends; its notes go to a file that holds "ready" once every breakpoint is set."""
    out, script = folder / "calls", folder / "script.py"
    script.write_text(IN_GDB.format(stages=json.dumps(STAGES), threads=json.dumps(THREADS), out=str(out)))
    commands = [f"--eval-command={line}" for line in GDB]
    log = open(folder / "gdb.log", "w")
    return out, subprocess.Popen(["gdb", "--batch", "--quiet", *commands, f"--pid={pid}", f"--command={script}", "--eval-command=continue"],
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def record(folder):
    """The lines of the trace."""
    sys.path.insert(0, str(ROOT / "tests"))
    from lib import made_chain, opp2p
    key, options, envelopes = made_chain.make(folder, 4, BLOCK_SIZE)
    *before, traced_block, after = map(json.loads, envelopes)
    sequencer = made_chain.sequencer(folder / "sequencer", key, options)
    traced = opp2p.Node(folder / "traced", *options, "--p2p.static", sequencer.address).ready()
    peer = opp2p.Node(folder / "peer", *options, "--p2p.static", traced.address).ready()
    nodes, gdb = [sequencer, traced, peer], None
    try:
        opp2p.wait_for(lambda: all(node.status()["mesh"] for node in (sequencer, peer)), 30, "the nodes are in each other's mesh")
        for number, envelope in enumerate(before, 1):
            sequencer.rpc("admin_publishUnsafePayload", envelope)
            opp2p.wait_for(lambda: peer.head() == number, 60, f"block {number} has passed the traced node")
        calls, gdb = attach(traced.process.pid, folder)
        opp2p.wait_for(lambda: calls.is_file() and "ready" in calls.read_text(), 120, "gdb has set its breakpoints")
        sequencer.rpc("admin_publishUnsafePayload", traced_block)
        opp2p.wait_for(lambda: traced.head() == peer.head() == len(before) + 1, 60, "the block has passed the traced node")
        nodes.append(opp2p.Node(folder / "late", *options, "--p2p.static", traced.address).ready())
        opp2p.wait_for(lambda: nodes[-1].status()["mesh"], 60, "the late node is in the mesh")
        sequencer.rpc("admin_publishUnsafePayload", after)
        opp2p.wait_for(lambda: "send_block" in calls.read_text(), 60, "the late node is served")
        return [line for line in calls.read_text().splitlines() if line != "ready"]
    finally:
        for node in nodes:
            node.kill()
        if gdb is not None:
            gdb.wait(30)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        lines = record(pathlib.Path(scratch))
    missing = STAGES.keys() - {line.split("\t")[1] for line in lines}
    for name in sorted(missing):
        print(f"{name} was not called, or the program has no such function")
    if not missing and "--check" in sys.argv[1:]:
        print(f"trace: the block passes all {len(lines)} functions")
    elif not missing:
        TRACE.write_text("\n".join(lines) + "\n")
        print(f"trace: {len(lines)} functions in {TRACE.relative_to(ROOT)}")
    return 1 if missing else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
