"""Network namespaces for tests that need more addresses than loopback has: a hub at 10.77.0.1 and fd77::1, and any number of places, each
with an address of its own, behind one bridge. They need root and iproute2; without them the test is skipped. What is made is removed."""

import ctypes
import os
import shutil
import subprocess
import threading
import unittest

CLONE_NEWNET = 0x40000000


def available():
    """Why there can be no namespaces here, or None."""
    if shutil.which("ip") is None:
        return "network namespaces need iproute2 (apt-get install iproute2)"
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"opp2p-{os.getpid()}-probe"
    made = subprocess.run(["ip", "netns", "add", name], stderr=subprocess.PIPE, text=True)
    if made.returncode != 0:
        return f"this machine gives no network namespaces: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], check=True)
    return None


class Namespaces:
    """The hub is place 0; place i has 10.77.0.(i + 1) and, in a /56 of its own, fd77:0:0:i00::1."""

    def __init__(self, places):
        reason = available()
        if reason is not None:
            raise unittest.SkipTest(reason)
        self.names = [f"opp2p-{os.getpid()}-{i}" for i in range(places + 1)]
        try:
            self._make()
        except Exception:
            self.remove()
            raise

    def _make(self):
        hub = self.names[0]
        for name in self.names:
            subprocess.run(["ip", "netns", "add", name], check=True)
            self._ip(name, ["link set lo up"])
        self._ip(hub, ["link add bridge type bridge", "addr add 10.77.0.1/16 dev bridge",
                       "addr add fd77::1/32 dev bridge nodad", "link set bridge up"])
        for i, name in enumerate(self.names[1:], 1):
            self._ip(name, [f"link add eth0 type veth peer name p{i} netns {hub}", f"addr add {self.ip4(i)}/16 dev eth0",
                            f"addr add {self.ip6(i)}/32 dev eth0 nodad", "link set eth0 up"])
            self._ip(hub, [f"link set p{i} master bridge", f"link set p{i} up"])

    @staticmethod
    def _ip(name, lines):
        subprocess.run(["ip", "-n", name, "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)

    @staticmethod
    def ip4(place):
        return f"10.77.0.{place + 1}"

    @staticmethod
    def ip6(place):
        return f"fd77:0:0:{place:x}00::1" if place else "fd77::1"

    def within(self, place=0):
        """The command prefix that runs a program at a place. It keeps its process id."""
        return ["ip", "netns", "exec", self.names[place]]

    def enter(self, place):
        """From now on the sockets that the calling thread makes are of that place."""
        with open(f"/var/run/netns/{self.names[place]}", encoding="ascii") as handle:
            if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def at(self, place, function, *arguments):
        """Calls a function whose sockets are of that place."""
        answer = {}

        def call():
            try:
                self.enter(place)
                answer["value"] = function(*arguments)
            except BaseException as error:
                answer["error"] = error

        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        if "error" in answer:
            raise answer["error"]
        return answer["value"]

    def remove(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)
