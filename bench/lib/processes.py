"""Starts and ends the measured programs, with their input and output on pipes and pinned to cores where asked. Reads their CPU time and
memory from the kernel."""

import contextlib
import json
import os
import pathlib
import select
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))

from lib import opp2p  # noqa: E402


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A child that talks in lines. `core`: the one that it may run on; None: all."""

    def __init__(self, *command, core=None, log=None):
        words = [str(word) for word in command]
        if core is not None:
            words = ["taskset", "-c", str(core), *words]
        self.started = time.monotonic()
        self.log = open(log, "ab") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, bufsize=0)
        self.name = pathlib.Path(words[-1] if core is None else words[3]).name
        self._rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def line(self, seconds=60):
        """The next line of its output."""
        until = time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise RuntimeError(f"{self.process.args}: no line within {seconds} s")
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            if not part:
                raise RuntimeError(f"{self.process.args} ended with {self.process.wait()}")
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def json(self, seconds=60):
        while True:
            with contextlib.suppress(ValueError):
                return json.loads(self.line(seconds))

    def say(self, text=""):
        self.process.stdin.write(text.encode() + b"\n")

    def cpu_seconds(self):
        return opp2p.cpu_seconds(self.process.pid)

    def memory_mib(self, what="VmRSS"):
        return opp2p.memory_mib(self.process.pid, what)

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        if self.log is not subprocess.DEVNULL:
            self.log.close()


def run(*command, core=None, seconds=180):
    """A program from start to end; answers its last line of JSON."""
    return run_lines(*command, core=core, seconds=seconds)[-1]


def run_lines(*command, core=None, seconds=180):
    """All its lines of JSON."""
    words = [str(word) for word in command]
    if core is not None:
        words = ["taskset", "-c", str(core), *words]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-500:]}")
    return [json.loads(line) for line in done.stdout.strip().splitlines()]
