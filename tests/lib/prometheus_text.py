"""Reads and checks Prometheus's text format 0.0.4, and runs Debian's Prometheus in tests."""

import contextlib
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import unittest
import urllib.error
import urllib.parse
import urllib.request

from lib import opp2p

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


class Family:
    def __init__(self, name, kind, about):
        self.name, self.kind, self.about = name, kind, about
        self.samples = {}  # (name, labels in order of their names) -> value


def labels_of(text):
    """The labels of a sample; an error where the text has anything else."""
    out, at = {}, 0
    while at < len(text):
        found = LABEL.match(text, at)
        if not found or found.group(1) in out:
            raise ValueError(f"no labels: {text}")
        out[found.group(1)], at = found.group(2), found.end()
    return tuple(sorted(out.items()))


def read(text):
    """The families by name. An error for each breach of the format: a sample before its HELP and TYPE, a family or a sample that
    comes twice, a line that is none, a histogram that does not add up."""
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    families, current, about = {}, None, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, about = line[7:].split(" ", 1)
            continue
        if line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            if name in families or kind not in ("counter", "gauge", "histogram"):
                raise ValueError(f"a second family, or no type: {line}")
            current = families[name] = Family(name, kind, about)
            continue
        found = SAMPLE.match(line)
        if not found or current is None:
            raise ValueError(f"no sample: {line}")
        name, labels, value = found.group(1), labels_of(found.group(2) or ""), float(found.group(3))
        suffixes = ("_bucket", "_sum", "_count") if current.kind == "histogram" else ("",)
        if name not in [current.name + suffix for suffix in suffixes] or (name, labels) in current.samples:
            raise ValueError(f"not of {current.name}, or a second time: {line}")
        if current.kind == "counter" and value < 0:
            raise ValueError(f"a counter below zero: {line}")
        current.samples[name, labels] = value
    for family in families.values():
        if family.kind == "histogram":
            check_histogram(family)
    return families


def check_histogram(family):
    series = {}
    for (name, labels), value in family.samples.items():
        plain = tuple(label for label in labels if label[0] != "le")
        if name.endswith("_bucket"):
            series.setdefault(plain, []).append((float(dict(labels)["le"]), value))
    for labels, buckets in series.items():
        buckets.sort()
        counts = [count for _, count in buckets]
        if buckets[-1][0] != float("inf") or counts != sorted(counts) or counts[-1] != family.samples[family.name + "_count", labels]:
            raise ValueError(f"the buckets of {family.name} {labels} do not add up")


def value(families, name, **labels):
    """The value of one sample; a failure without it."""
    family = families.get(name) or families.get(re.sub(r"_(bucket|sum|count)$", "", name))
    wanted = (name, tuple(sorted(labels.items())))
    if family is None or wanted not in family.samples:
        raise AssertionError(f"there is no {name} {labels}")
    return family.samples[wanted]


def needed(program):
    path = shutil.which(program)
    if path is None:
        raise unittest.SkipTest(f"there is no {program} (apt-get install prometheus, or tools/setup full)")
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Prometheus:
    """A Prometheus of its own, with its data in `folder`, that scrapes the ports every second. It listens on loopback."""

    def __init__(self, folder, ports):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.port = free_port()
        targets = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
        config = self.folder / "prometheus.yml"
        config.write_text(f"""global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: opp2p
    static_configs:
      - targets: [{targets}]
""")
        log = open(self.folder / "log.txt", "ab")
        self.process = subprocess.Popen(
            [needed("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={self.folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{self.port}", "--web.console.libraries=", "--web.console.templates="],
            stdout=log, stderr=log, cwd=self.folder)
        log.close()
        opp2p.wait_for(self.is_ready, 20, "Prometheus is ready")

    def log(self):
        return (self.folder / "log.txt").read_text(errors="replace")

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"Prometheus ended with {self.process.returncode}:\n{self.log()[-2000:]}")
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return answer.status == 200
        return False

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            told = json.loads(answer.read())
        if told["status"] != "success":
            raise AssertionError(f"{url}: {told}")
        return told["data"]

    def query(self, expression):
        """The vector that an expression gives: values by their labels, as a list of (labels, value)."""
        return [(one["metric"], float(one["value"][1])) for one in self.ask("query", query=expression)["result"]]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
