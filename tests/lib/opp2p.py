"""Runs opp2p in tests: nodes with their JSON-RPC, and single commands. Everything listens on loopback, and every process is ended."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("OPP2P_PROGRAM", ROOT / "build" / "opp2p"))


def run(*arguments, timeout=60, **options):
    """Runs the program to its end and answers the finished process, its output as text."""
    return subprocess.run([str(PROGRAM), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout, **options)


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def wait_for(condition, seconds, what):
    """Polls until the condition answers something true, and answers that."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= until:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def has_ipv6_loopback():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def memory_mib(pid, what="VmRSS"):
    """What the kernel counts of the process under that name: resident now (VmRSS), at most (VmHWM), its own (RssAnon), of files (RssFile)."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{what}:\s+(\d+) kB", status, re.M).group(1)) / 1024


def cpu_seconds(pid):
    """User and system time so far of all its threads: the clock of another process, as clock_getcpuclockid names it."""
    return time.clock_gettime(~pid << 3 | 2)


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def children(pid):
    """The processes that a process has started and that still run."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def runs(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]


ANSWER_LIMIT = 10  # seconds; a test that measures how long answers take sets a longer one


def http(port, body, path="/", method="POST", content_type="application/json", token=None):
    headers = {"Content-Type": content_type, **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=ANSWER_LIMIT) as answer:
        return answer.read()


def rpc(port, name, *params, token=None):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": name, "params": params}).encode()
    answer = json.loads(http(port, body, token=token))
    if "error" in answer:
        raise RpcError(answer["error"])
    return answer["result"]


class Node:
    """`opp2p node` in a folder of its own. `within` is a command that runs it somewhere else, which listens on `ip`; `program` is
    another build of it."""

    def __init__(self, folder, *options, environment=None, within=(), ip="127.0.0.1", listen_port=0, program=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.options = [str(option) for option in options]
        self.environment = environment
        self.within, self.ip, self.listen_port = list(within), ip, listen_port
        self.program = program
        self.process = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(10)

    def start(self):
        (self.folder / "node.json").unlink(missing_ok=True)
        log = open(self.folder / "log.txt", "ab")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*self.within, str(self.program or PROGRAM), "node", "--data-dir", str(self.folder), "--p2p.listen.ip", self.ip,
             "--p2p.listen.tcp", str(self.listen_port), "--p2p.priv.path", str(self.folder / "key.txt"), "--rpc.addr", "127.0.0.1",
             "--rpc.port", "0", *self.options],
            stdout=log, stderr=log, env=self.environment)
        log.close()
        return self

    def log(self):
        return (self.folder / "log.txt").read_text(errors="replace")

    def ready(self, seconds=10):
        def up():
            if self.process.poll() is not None:
                raise AssertionError(f"the node ended with {self.process.returncode}:\n{self.log()[-2000:]}")
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                return json.loads((self.folder / "node.json").read_text())
            return None

        about = wait_for(up, seconds, "the node is up")
        self.port = about["rpcPort"]
        self.metrics_port = about.get("metricsPort")  # None without --metrics.enabled
        self.address = about["addresses"][0]
        self.peer_id = about["peerId"]
        return self

    def token(self):
        """What methods that change something want; none with --rpc.unsafe-open."""
        file = self.folder / "rpc.token"
        return file.read_text() if file.exists() else None

    def rpc(self, name, *params):
        return rpc(self.port, name, *params, token=self.token())

    def metrics(self, path="/metrics"):
        """What Prometheus would scrape, as text."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}{path}", timeout=ANSWER_LIMIT) as answer:
            return answer.read().decode()

    def status(self):
        return self.rpc("opp2p_status")

    def head(self):
        return self.status()["head"]["number"]

    def memory_mib(self, what="VmRSS"):
        return memory_mib(self.process.pid, what)

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def stop(self, seconds=5):
        """Asks it to end and answers its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the node did not end within {seconds} s of SIGTERM:\n{self.log()[-2000:]}") from None

    def kill(self):
        self.process.kill()
        self.process.wait()
