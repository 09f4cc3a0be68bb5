"""What the devnet shows on a terminal: the program runs in a pseudo-terminal of a known size, and its output is put on a screen."""

import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import tempfile
import termios
import time
import unittest

from lib import opp2p

WHOLE_ID = re.compile(r"16Uiu2[1-9A-HJ-NP-Za-km-z]{40}")
SHORT_ID = re.compile(r"/p2p/16Uiu2\.\.[1-9A-HJ-NP-Za-km-z]{6}")
SEQUENCE = re.compile(r"\x1b\[(\d*)([A-Za-z])")
LIMIT = 60


class Screen:
    """As much of a terminal as the program may use: anything else is a failure. Rows without an end; colours are remembered by text."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.lines, self.row, self.column = [""], 0, 0
        self.coloured = set()
        self.colour = 0
        self.wrapped = 0

    def feed(self, text):
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                found = SEQUENCE.match(text, at)
                assert found, f"not a sequence that is known: {text[at:at + 10]!r}"
                self.control(found[2], found[1])
                at = found.end()
                continue
            self.put(text[at])
            at += 1

    def control(self, letter, number):
        if letter == "A":
            # Beyond the top of the window the cursor cannot go.
            top = max(0, len(self.lines) - self.rows)
            assert self.row - int(number) >= top, f"up {number} lines, of which {self.row - top} are in the window"
            self.row -= int(number)
        elif letter == "J":
            assert number in ("", "0")
            self.lines[self.row] = self.lines[self.row][:self.column]
            del self.lines[self.row + 1:]
        elif letter == "m":
            self.colour = int(number or 0)
        else:
            raise AssertionError(f"not a sequence that is known: ESC[{number}{letter}")

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            if self.row == len(self.lines):
                self.lines.append("")
        else:
            assert character >= " ", repr(character)
            if self.column == self.columns:
                self.wrapped += 1
                self.put("\r")
                self.put("\n")
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + character + line[self.column + 1:]
            self.column += 1
            if self.colour:
                self.coloured.add((self.colour, self.lines[self.row][:self.column].split(" ")[0]))


class Terminal:
    """The devnet in a terminal of its own. `interrupt`: ^C when the screen matches. `shell`: what runs it there."""

    def __init__(self, columns, rows, options, environment, interrupt=None, shell=()):
        self.screen = Screen(columns, rows)
        self.raw = ""
        self.interrupt = interrupt
        self.interrupted = False
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # The size is there before the program looks.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            keep = {name: value for name, value in os.environ.items() if name not in ("TERM", "NO_COLOR")}
            command = [*shell, str(opp2p.PROGRAM), "devnet", *options]
            os.execvpe(command[0], command, {**keep, **environment})

    def read(self):
        """False when nothing more comes."""
        try:
            data = os.read(self.fd, 65536).decode()
        except OSError:  # EIO: nobody has the terminal open any more
            data = ""
        self.raw += data
        self.screen.feed(data)
        if self.interrupt and not self.interrupted and re.search(self.interrupt, "\n".join(self.screen.lines)):
            self.interrupted = True
            os.write(self.fd, b"\x03")
        return data != ""

    def end(self):
        os.close(self.fd)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def run(terminals):
    """All at the same time, each to its end."""
    open_ones = list(terminals)
    until = time.monotonic() + LIMIT
    while open_ones:
        ready = select.select([one.fd for one in open_ones], [], [], max(0, until - time.monotonic()))[0]
        for one in [one for one in open_ones if one.fd in ready or not ready]:
            if not ready:
                os.kill(one.pid, signal.SIGKILL)
            if not ready or not one.read():
                one.end()
                open_ones.remove(one)
    return terminals


class Devnet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        short = ["--for", "5", "--block-time", "1", "--nodes", "1"]
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.kept = pathlib.Path(scratch.name) / "kept"
        cls.plain, cls.unnamed, cls.colourless, cls.narrow, cls.wide = run([
            Terminal(80, 24, short, {"TERM": "dumb"}),
            Terminal(80, 24, short, {}),
            Terminal(80, 24, [*short, "--keep", "--data-dir", str(cls.kept)], {"TERM": "xterm", "NO_COLOR": "1"}),
            Terminal(80, 24, ["--for", "8", "--block-time", "1", "--nodes", "2"], {"TERM": "xterm"}),
            Terminal(120, 40, ["--block-time", "1", "--nodes", "1"], {"TERM": "xterm-256color"},
                     interrupt=r"(?s)block [2-9] after.* rejected, all nodes"),
        ])

    def test_when_its_shell_is_killed_it_ends_in_order_and_leaves_nothing(self):
        with tempfile.TemporaryDirectory() as scratch:
            terminal = Terminal(80, 24, ["--nodes", "1", "--block-time", "1"], {"TERM": "xterm", "TMPDIR": scratch},
                                shell=("bash", "-c", '"$@"; true', "shell"))
            while "block 1 after" not in "\n".join(terminal.screen.lines):
                self.assertTrue(terminal.read(), terminal.raw)
            devnet, = opp2p.children(terminal.pid)
            members = opp2p.children(devnet)
            self.assertEqual(len(members), 4)  # the sequencer, the standby, the follower and the intruder
            os.kill(terminal.pid, signal.SIGKILL)
            os.waitpid(terminal.pid, 0)
            opp2p.wait_for(lambda: not any(map(opp2p.runs, [devnet, *members])), 30, "all have ended")
            os.close(terminal.fd)
            self.assertEqual(os.listdir(scratch), [])

    def text(self, terminal):
        return "\n".join(terminal.screen.lines)

    def test_all_end_in_order(self):
        for terminal in (self.plain, self.unnamed, self.colourless, self.narrow, self.wide):
            self.assertEqual(terminal.status, 0, terminal.raw)

    def test_a_terminal_that_says_nothing_of_itself_gets_plain_lines_with_whole_peer_ids(self):
        for terminal in (self.plain, self.unnamed):
            self.assertNotIn("\x1b", terminal.raw)
            self.assertIn("--- 0 s, block ", terminal.raw)
            self.assertGreaterEqual(len(WHOLE_ID.findall(terminal.raw)), 2)
            self.assertNotRegex(terminal.raw, SHORT_ID)
            self.assertRegex(terminal.raw, r"sequencer +rpc=http://127\.0\.0\.1:\d+ p2p=/ip4/\S+ log=/\S+/sequencer/log\.txt")

    def test_without_colours_the_area_is_drawn_in_place_all_the_same(self):
        self.assertNotRegex(self.colourless.raw, r"\x1b\[\d*m")
        self.assertRegex(self.colourless.raw, r"\x1b\[\d+A")
        self.assertEqual(self.text(self.colourless).count("node            head"), 1)
        self.assertIn(f"data and logs: {self.kept}", self.text(self.colourless).replace("\n", ""))

    def test_80_columns_hold_everything(self):
        text = self.text(self.narrow)
        self.assertRegex(text, r"(?m)^node +head +lag +peers +mesh +accepted +rejected +fetched +p50 ms +p99 ms$")
        self.assertRegex(text, r"(?m)^follower-1 .* \d+\.\d +\d+\.\d$")
        self.assertEqual(self.narrow.screen.wrapped, 0, text)

    def test_rpc_addresses_and_logs_are_shown_and_peer_ids_are_short(self):
        text = self.text(self.narrow)
        for name in ("sequencer", "follower-1", "follower-2", "late-joiner"):
            self.assertRegex(text, rf"(?m)^{name} +http://127\.0\.0\.1:\d+ +/ip4/\S+{SHORT_ID.pattern}$")
        self.assertRegex(text, r"(?m)^logs +/\S+/NODE/log\.txt$")
        self.assertNotRegex(text, WHOLE_ID)
        about = json.loads((self.kept / "devnet.json").read_text())
        for address in (*about["addresses"], *(node["address"] for node in about["nodes"])):
            self.assertRegex(address, WHOLE_ID)
        self.assertTrue(pathlib.Path(about["nodes"][0]["log"]).exists())

    def test_the_late_joiner_and_what_the_intruder_sent_in_vain_stand_out(self):
        text = self.text(self.narrow)
        self.assertRegex(text, r"(?m)^after \d+ s: late-joiner joined at block \d+$")
        self.assertRegex(text, r"(?m)^after \d+ s: late-joiner has all \d+ blocks, \d+ of them fetched$")
        self.assertRegex(text, r"(?m)^intruder +[1-9]\d* rejected, all nodes together(; banned by .*)?$")
        self.assertLess(text.index("rejected, all nodes"), text.index("node            head"))
        self.assertIn((35, "intruder"), self.narrow.screen.coloured)
        self.assertIn((1, "block"), self.narrow.screen.coloured)

    def test_the_area_is_drawn_over_cleanly_also_after_an_interrupt(self):
        for terminal in (self.narrow, self.wide):
            text = self.text(terminal)
            self.assertEqual(len(re.findall(r"(?m)^block \d+ after \d+ s, sequenced by \w+ +Ctrl-C ends it$", text)), 1, text)
            self.assertEqual(text.count("Ctrl-C"), 1, text)
            self.assertIn("Every node has exactly the sequencer's chain.", text)
        self.assertIn("^C", self.wide.raw)
        self.assertNotIn("^C", self.text(self.wide))


if __name__ == "__main__":
    unittest.main()
