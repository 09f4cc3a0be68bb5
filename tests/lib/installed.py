"""An installed copy of build/, made once for a run of the tests, and the list of the public headers (cmake/public_headers.txt)."""

import functools
import pathlib
import re
import shutil
import subprocess
import threading

from lib import opp2p

LIST = opp2p.ROOT / "cmake" / "public_headers.txt"
HOUSE_INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
OTHER_INCLUDE = re.compile(r"^#include <([^>]+)>", re.MULTILINE)


MAKING = threading.Lock()


def prefix():
    with MAKING:  # the tests compile headers in threads
        return made_prefix()


@functools.cache
def made_prefix():
    """Always the same folder, so that ccache knows what was compiled with it before."""
    folder = opp2p.ROOT / "build" / "installed"
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(["cmake", "--install", str(opp2p.ROOT / "build"), "--prefix", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def headers():
    return prefix() / "include" / "opp2p"


def lines():
    """The list's two parts: what users work with, and what is there because that includes it."""
    parts = LIST.read_text().split("# Included by those above.")
    return tuple([line for line in part.splitlines() if line and not line.startswith("#")] for part in parts)


def listed():
    """The same two parts as headers, each `*` resolved."""
    source = opp2p.ROOT / "src"
    return tuple(sorted({path.relative_to(source).as_posix() for line in part for path in source.glob(line)}) for part in lines())


def compile_alone(compiler, header):
    """What the compiler says about a file that includes the installed header and nothing else; empty when it is content."""
    ccache = ["ccache"] if shutil.which("ccache") else []
    folder = prefix().parent / "headers-alone" / pathlib.Path(compiler).name
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / (header.replace("/", "_") + ".cpp")
    source.write_text(f'#include "{header}"\n')
    done = subprocess.run([*ccache, compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-O0", f"-I{headers()}", "-c", str(source), "-o",
                           str(source.with_suffix(".o"))], capture_output=True, text=True)
    return "" if done.returncode == 0 else f"{header}: {done.stderr[:2000]}"
