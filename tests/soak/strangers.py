"""Connections that never become peers: some say nothing, some send half of a first message or rubbish, some hang up at once. A third of them goes
with a reset. They keep coming to one address from a thread of their own, as those of port scans and of broken peers do."""

import random
import select
import socket
import struct
import threading
import time

# Multistream's greeting: whole, cut off, followed by a protocol that nobody speaks, and other protocols altogether.
FIRST_WORDS = (b"", b"\x13/multistream/1.0.0\n", b"\x13/multistr", b"\x13/multistream/1.0.0\n\x07/tls/0\n", b"GET / HTTP/1.1\r\n\r\n", bytes(200))


class Strangers(threading.Thread):
    def __init__(self, address, places, stay, seed=17):
        """`address` is a multiaddr with /ip4 and /tcp; `stay` in seconds, at most."""
        super().__init__(daemon=True)
        words = address.split("/")
        self.where = words[2], int(words[4])
        self.places, self.stay = places, stay
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.came = self.thrown_out = 0
        self.present = {}  # socket -> when it goes

    def run(self):
        while not self.stopping.wait(0.05):
            now = time.monotonic()
            for one in [one for one, until in self.present.items() if now >= until]:
                self.go(one)
            self.read()
            if len(self.present) < self.places:
                self.come(now)
        for one in list(self.present):
            self.go(one)

    def come(self, now):
        try:
            one = socket.create_connection(self.where, 2)
            one.sendall(self.random.choice(FIRST_WORDS))
        except OSError:
            return
        self.came += 1
        self.present[one] = now + self.random.random() * self.stay

    def read(self):
        """Whom the node has hung up on leaves its place."""
        for one in select.select(list(self.present), [], [], 0)[0] if self.present else []:
            try:
                if one.recv(4096):
                    continue
            except OSError:
                pass
            self.thrown_out += 1
            self.go(one)

    def go(self, one):
        del self.present[one]
        if self.random.random() < 1 / 3:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()

    def leave(self):
        self.stopping.set()
        self.join()
