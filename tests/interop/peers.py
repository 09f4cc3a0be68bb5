"""Runs a program that talks in JSON lines (interop/README.md) or, for ours, in plain lines: each test driver starts its
peers through this, waits for lines with a time limit, and never leaves a process behind."""

import json
import os
import queue
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.path.join(os.environ.get("OPP2P_CACHE") or os.path.join(ROOT, ".cache"), "interop")


class Failure(Exception):
    """A test that did not hold; its text says what was expected and what came."""


class Peer:
    """A child process; its stdout is read line by line on a thread, so that waits can be bounded."""

    def __init__(self, name, arguments, env=None):
        self.name = name
        self.seen = []  # every JSON object so far
        self._queue = queue.Queue()
        self._log = open(os.path.join(log_folder(), name + ".log"), "w", encoding="utf-8")
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, env=env)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def next_line(self, seconds):
        """The next line of stdout, or None when the program has ended."""
        try:
            return self._queue.get(timeout=max(0, seconds))
        except queue.Empty:
            raise Failure(f"{self.name}: no line within {seconds:.0f} s") from None

    def wait_for(self, condition, seconds, what):
        """The first JSON line from now on for which condition(object) holds; others are kept in `seen`."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise Failure(f"{self.name}: no {what} within {seconds:.0f} s; last lines: {self.seen[-3:]}")
            try:
                line = self._queue.get(timeout=left)
            except queue.Empty:
                continue
            if line is None:
                raise Failure(f"{self.name}: ended while a test waited for {what}")
            try:
                item = json.loads(line)
            except ValueError:
                continue
            self.seen.append(item)
            if condition(item):
                return item

    def wait_event(self, event, seconds, **fields):
        """The next line of that event whose fields have these values."""
        return self.wait_for(
            lambda item: item.get("event") == event and all(item.get(k) == v for k, v in fields.items()),
            seconds, f"{event} {fields or ''}".strip())

    def command(self, **fields):
        self._process.stdin.write(json.dumps(fields) + "\n")
        self._process.stdin.flush()

    def ask(self, event, seconds=15, **fields):
        """Sends a command and waits for the line of that event."""
        self.command(**fields)
        return self.wait_event(event, seconds)

    def finished(self, seconds):
        """Waits for the end and answers the exit code."""
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name}: still running after {seconds:.0f} s") from None

    def stop(self, seconds=10):
        """SIGTERM, then SIGKILL: answers the exit code; a program that had to be killed is a failure."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise Failure(f"{self.name}: did not stop within {seconds:.0f} s of SIGTERM") from None
        finally:
            self._close()

    def _close(self):
        self._reader.join(timeout=5)
        for stream in (self._process.stdin, self._process.stdout, self._log):
            try:
                stream.close()
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._close()
        return False


def log_folder():
    folder = os.path.join(ROOT, "build", "interop-logs")
    os.makedirs(folder, exist_ok=True)
    return folder


def program(name):
    """The path of one of the Go peers, or None when it has not been built (no Go here)."""
    path = os.path.join(CACHE, name)
    return path if os.access(path, os.X_OK) else None


def run_tests(tests):
    """Runs (name, function) pairs; a function answers None, or a text to say why it was skipped. The last line counts."""
    passed = failed = skipped = 0
    for name, test in tests:
        start = time.monotonic()
        try:
            reason = test()
        except Failure as failure:
            failed += 1
            print(f"FAIL {name}: {failure}", flush=True)
            continue
        if reason:
            skipped += 1
            print(f"SKIP {name}: {reason}", flush=True)
        else:
            passed += 1
            print(f"ok   {name} ({time.monotonic() - start:.1f} s)", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    sys.exit(1 if failed else 0)
