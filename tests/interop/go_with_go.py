#!/usr/bin/env python3
"""Proves the real peers against each other, so that a failing test against our program tells about our program."""

import os
import sys
import tempfile
import time

from chain import FORKS, SEQUENCER_KEY, TOPIC_OF_FORK, write_config
from peers import Failure, Peer, program, run_tests


def golibp2p(security, muxer):
    def test():
        binary = program("golibp2p")
        if not binary:
            return "golibp2p is not built"
        transport = ["--security", security, "--mux", muxer]
        with Peer("golibp2p-listen", [binary, "listen", *transport]) as listener:
            address = listener.wait_for(lambda item: "addr" in item, 20, "address")["addr"]
            with Peer("golibp2p-dial", [binary, "dial", address, "--test", "all", *transport]) as dialer:
                if dialer.finished(120) != 0:
                    raise Failure(f"the dialer failed against {address}")
            listener.stop()
        return None
    return test


def opnode(fork):
    def test():
        binary = program("opnode-peer")
        if not binary:
            return "opnode-peer is not built"
        with tempfile.TemporaryDirectory() as folder:
            config = write_config(os.path.join(folder, "rollup.json"), chain_id=901, fork=fork,
                                  genesis_time=int(time.time()) - 20, block_time=1)
            return sequence_and_follow(binary, config, fork)
    return test


def sequence_and_follow(binary, config, fork):
    common = [binary, "--rollup.config", config]
    with Peer("opnode-sequencer", [*common, "--sequencer.key", SEQUENCER_KEY, "--produce"]) as sequencer:
        ready = sequencer.wait_event("ready", 20)
        with Peer("opnode-follower", [*common, "--signer", ready["signer"], "--static", ready["addr"]]) as follower, \
                Peer("opnode-stranger", [*common, "--signer", "0x" + "12" * 20]) as stranger:
            follower.wait_event("connected", 20, peer=ready["peer_id"])
            first = sequencer.wait_event("published", 20)["number"]
            for number in range(first + 2, first + 5):
                theirs = sequencer.wait_event("published", 20, number=number)
                ours = follower.wait_event("payload", 20, number=number)
                if ours["hash"] != theirs["hash"] or ours["peer"] != ready["peer_id"]:
                    raise Failure(f"block {number}: {ours} is not {theirs}")
            # A node that expects another signer takes nothing.
            stranger.wait_event("ready", 20)
            if not stranger.ask("result", connect=ready["addr"])["ok"]:
                raise Failure("the stranger could not connect")
            sequencer.wait_event("published", 20, number=first + 7)
            stats = stranger.ask("stats", stats=True)
            if stats["accepted"] != 0 or stats["gossip"].get("REJECT_MESSAGE", 0) == 0:
                raise Failure(f"the stranger did not reject: {stats}")
            topics = follower.ask("stats", stats=True)["topic_peers"]
            if topics[TOPIC_OF_FORK[fork]] < 1:
                raise Failure(f"no peer in the topic of {fork}: {topics}")
            for peer in (stranger, follower):
                peer.stop()
        sequencer.stop()
    return None


def old_client(fork):
    def test():
        server, client = program("opnode-peer"), program("opnode-sync-client")
        if not server or not client:
            return "opnode-sync-client is not built"
        with tempfile.TemporaryDirectory() as folder:
            config = write_config(os.path.join(folder, "rollup.json"), chain_id=901, fork=fork,
                                  genesis_time=int(time.time()) - 100, block_time=2)
            with Peer("opnode-server", [server, "--rollup.config", config, "--sequencer.key", SEQUENCER_KEY,
                                        "--produce"]) as sequencer:
                ready = sequencer.wait_event("ready", 20)
                with Peer("opnode-old-client", [client, "--rollup.config", config, "--connect", ready["addr"],
                                                "--signer", ready["signer"]]) as syncer:
                    done = syncer.wait_event("done", 120)
                    if not done["ok"] or done["blocks"] < 49 or syncer.finished(20) != 0:
                        raise Failure(f"the gap was not filled: {done}")
                sequencer.stop()
        return None
    return test


TESTS = [(f"golibp2p {security} {muxer}", golibp2p(security, muxer))
         for security in ("noise", "tls", "plaintext") for muxer in ("yamux", "mplex")]
TESTS += [(f"op-node {fork}", opnode(fork)) for fork in FORKS]
TESTS += [(f"op-node v1.19.0 client {fork}", old_client(fork)) for fork in FORKS]

if __name__ == "__main__":
    run_tests([(name, test) for name, test in TESTS if all(word in name for word in sys.argv[1:])])
