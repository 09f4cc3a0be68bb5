"""Runs the programs of interop tests, which talk in JSON lines (interop/README.md): waits have a time limit, and no process is
left behind. What a program writes to stderr lies in build/interop-logs."""

import contextlib
import functools
import json
import os
import pathlib
import queue
import subprocess
import threading
import time
import unittest

from lib import opp2p

CACHE = pathlib.Path(os.environ.get("OPP2P_CACHE") or opp2p.ROOT / ".cache") / "interop"
LOGS = opp2p.ROOT / "build" / "interop-logs"
OURS = opp2p.ROOT / "build" / "tests" / "libp2p_peer"


@functools.cache
def built(name):
    """The path of a real peer, built when its sources have changed, and why it is not there: one of the two is None."""
    done = subprocess.run([str(opp2p.ROOT / "interop" / "build"), name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace")
    if done.returncode != 0:
        raise AssertionError(f"interop/build {name} failed:\n{done.stdout[-3000:]}")
    skipped = [line for line in done.stdout.splitlines() if "skipping" in line]
    return (None, skipped[-1]) if skipped else (CACHE / name, None)


def needed(name):
    """The path of a real peer; without the tools that build it the test is skipped."""
    path, missing = built(name)
    if path is None:
        raise unittest.SkipTest(missing)
    return path


class Peer:
    """A child process; its stdout is read line by line on a thread, so that waits can be bounded."""

    def __init__(self, name, *arguments):
        self.name = name
        self.seen = []  # every JSON object so far
        self._queue = queue.Queue()
        LOGS.mkdir(parents=True, exist_ok=True)
        self._log = open(LOGS / f"{name}.log", "w", encoding="utf-8")
        self._process = subprocess.Popen([str(argument) for argument in arguments], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=self._log, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def wait_for(self, condition, seconds, what):
        """The first JSON line from now on for which condition(object) holds; others are kept in `seen`."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"{self.name}: no {what} within {seconds:.0f} s; last line: {self._last()}")
            try:
                line = self._queue.get(timeout=left)
            except queue.Empty:
                continue
            if line is None:
                self._queue.put(None)  # so that later waits see the end as well
                raise AssertionError(f"{self.name}: ended while a test waited for {what}; last line: {self._last()}")
            try:
                item = json.loads(line)
            except ValueError:
                continue
            self.seen.append(item)
            if condition(item):
                return item

    def _last(self):
        return json.dumps(self.seen[-1])[:500] if self.seen else "none"

    def next_line(self, seconds):
        """The next line of stdout, whatever it is."""
        try:
            line = self._queue.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"{self.name}: no line within {seconds:.0f} s") from None
        if line is None:
            self._queue.put(None)
            raise AssertionError(f"{self.name}: ended without a line")
        return line

    def take_waiting(self):
        """Takes the lines that have come, without waiting for more."""
        while True:
            try:
                line = self._queue.get_nowait()
            except queue.Empty:
                return
            if line is None:
                self._queue.put(None)
                raise AssertionError(f"{self.name}: ended; last line: {self._last()}")
            with contextlib.suppress(ValueError):
                self.seen.append(json.loads(line))

    def drain(self):
        """Takes the lines that are left of a program that has ended."""
        self._reader.join(timeout=10)
        while not self._queue.empty():
            line = self._queue.get()
            with contextlib.suppress(ValueError, TypeError):  # a line of no JSON, the end
                self.seen.append(json.loads(line))

    def wait_event(self, event, seconds, **fields):
        """The next line of that event whose fields have these values."""
        return self.wait_for(
            lambda item: item.get("event") == event and all(item.get(k) == v for k, v in fields.items()),
            seconds, f"{event} {fields or ''}".strip())

    def command(self, **fields):
        self._process.stdin.write(json.dumps(fields) + "\n")
        self._process.stdin.flush()

    def ask(self, event, seconds=60, **fields):
        """Sends a command and waits for the line of that event."""
        self.command(**fields)
        return self.wait_event(event, seconds)

    def finished(self, seconds):
        """Waits for the end and answers the exit code."""
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name}: still running after {seconds:.0f} s") from None

    def stop(self, seconds=20):
        """SIGTERM, then SIGKILL: answers the exit code; a program that had to be killed is a failure."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"{self.name}: did not stop within {seconds:.0f} s of SIGTERM") from None
        finally:
            self.drain()
            self._close()

    def _close(self):
        self._reader.join(timeout=5)
        for stream in (self._process.stdin, self._process.stdout, self._log):
            with contextlib.suppress(OSError):
                stream.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._close()
        return False
