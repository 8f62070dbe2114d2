"""Load `whythis serve` on this machine: time, requests a second, memory, and who waits for whom."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from whythis.bench.load import HOST, Connection, Load, closed
from whythis.bench.prepared import prepared
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.recsys import artefact

_AT_ONCE = 3  # requests under way while the server is loaded
_TOP = 20  # what is asked about: the items that rank highest for each user
_WARM, _FAIR = 3.0, 10
_QUESTIONS = 8
_PLAIN = (
    Target("p50 ms", "<=", 25.0),
    Target("p99 ms", "<=", 250.0),
    Target("requests a second", ">=", 150.0),
    Target("failed", "==", 0.0),
    Target("memory, end over start", "<=", 1.1),
    Target("fairness of ten users (Jain)", ">=", 0.95),
)
_WRITTEN = (
    Target("first sentence p50 s", "<=", 3.0),
    Target("whole answer p50 s", "<=", 8.0),
    Target("failed", "==", 0.0),
)


def main(argv: Sequence[str]) -> int:
    """Serve a data set and ask, for a minute; with a language model, some questions in turn."""
    parser = arguments(__doc__, "ml-100k")
    parser.add_argument("--llm", default="none", help="none, local or openai")
    parser.add_argument("--model", help="the language model's name or file")
    parser.add_argument("--base-url", help="where --llm openai asks")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--reviews", type=Path, help="JSON lines of sample reviews")
    options = parser.parse_args(argv)
    folder, _ = prepared(options.data, options.work, options.reviews)
    extra = ["--llm", options.llm]
    extra += ["--model", options.model] if options.model else []
    extra += ["--base-url", options.base_url] if options.base_url else []
    if options.llm == "none":
        seconds = 10.0 if options.quick else 60.0
        result = loaded(folder, options.data, options.seed, options.workers, seconds)
    else:
        asked = 3 if options.quick else _QUESTIONS
        result = conversed(folder, options.data, options.seed, extra, asked)
    return report(result, options)


def loaded(folder: Path, data: str, seed: int, workers: int, seconds: float) -> Result:
    """Return the figures of a server without a language model, asked for so long."""
    tell("choosing users and items ...")
    asked = questions(folder, seed)
    with server(folder, ["--workers", str(workers)]) as (port, pid):
        asyncio.run(_explained(port, asked, _AT_ONCE, _WARM))
        start = memory(pid)
        tell(f"asking for {seconds:g} s ...")
        load = asyncio.run(_explained(port, asked, _AT_ONCE, seconds))
        end = memory(pid)
        tell(f"{_FAIR} users at once ...")
        fair = asyncio.run(_explained(port, asked, _FAIR, min(seconds, 10.0)))
    p50, p99 = (1e3 * np.percentile(load.all, [50, 99])).tolist()
    waits = 1e3 * np.percentile(fair.all, 50)
    figures = {
        "p50 ms": p50,
        "p99 ms": p99,
        "requests a second": len(load.all) / load.took,
        "requests": float(len(load.all)),
        "failed": float(len(load.failed) + len(fair.failed)),
        "memory at start MB": start,
        "memory at end MB": end,
        "memory, end over start": end / start,
        "fairness of ten users (Jain)": jain([len(one) for one in fair.seconds.values()]),
        "ten users p50 ms": float(waits),
    }
    notes = [f"{workers} processes, {_AT_ONCE} requests at once, no pair of user and item twice"]
    notes += sorted(set(load.failed + fair.failed))[:3]
    return Result("serve", data, seed, figures, _PLAIN, notes=notes)


def conversed(folder: Path, data: str, seed: int, extra: Sequence[str], count: int) -> Result:
    """Return the figures of a server with a language model: alone, then ten users at once."""
    rec = artefact.load(folder)
    pairs = [
        {"user": one["user"], "text": f"Why is {rec.title(one['item'])} recommended to me?"}
        for one in islice(questions(folder, seed), count + _FAIR)
    ]
    with server(folder, extra) as (port, _):
        alone = [asyncio.run(_streamed(port, one)) for one in pairs[:count]]
        tell(f"{_FAIR} users at once ...")
        crowd = asyncio.run(_together(port, pairs[count:]))
    first = [at for one in alone for at in _first(one, "sentence")]
    whole = [at for one in alone for at in _first(one, "done")]
    waited = sorted(at for one in crowd for at in _first(one, "done"))
    figures = {
        "first sentence p50 s": float(np.median(first)) if first else float("nan"),
        "whole answer p50 s": float(np.median(whole)) if whole else float("nan"),
        "failed": float(len(alone) + len(crowd) - len(whole) - len(waited)),
        "ten users, last answer s": waited[-1] if waited else float("nan"),
    }
    return Result("serve", data, seed, figures, _WRITTEN)


def questions(folder: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Yield pairs of a user and an item that ranks high, in no order, none twice."""
    rec = artefact.load(folder)
    pairs = [
        (user, one.item)
        for user in rec.user_ids.ids
        if len(rec.history(user))
        for one in rec.recommend(user, _TOP)
    ]
    for n in np.random.default_rng(seed).permutation(len(pairs)):
        user, item = pairs[n]
        yield {"user": user, "item": item}


def jain(counts: Sequence[float]) -> float:
    """Return Jain's index of fairness, 1/n..1: (Σx)² / (n Σx²) (Jain, Chiu and Hawe, 1984)."""
    return sum(counts) ** 2 / (len(counts) * sum(x * x for x in counts))


def memory(pid: int) -> float:
    """Return the memory that a process and its children hold, in MB."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return own / 1024 + sum(memory(int(child)) for child in listed)


@contextmanager
def server(folder: Path, extra: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Run `whythis serve` on a free port; yield the port and the process."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        port = int(found.getsockname()[1])
    command = [sys.executable, "-c", "from whythis.cli import main; main()", "serve", str(folder)]
    command += ["--host", HOST, "--port", str(port), "--no-page", *extra]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise RuntimeError(f"`whythis serve` ended with {process.returncode}")
            try:
                with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=5):
                    break
            except OSError:
                time.sleep(0.2)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


async def _explained(
    port: int, asked: Iterator[dict[str, Any]], at_once: int, seconds: float
) -> Load:
    # One iterator for all: no question is asked twice, whoever asks.
    return await closed(port, "/v1/explain", {str(n): asked for n in range(at_once)}, seconds)


async def _streamed(port: int, asked: dict[str, Any]) -> list[tuple[str, float]]:
    connection = await Connection.open(port)
    return await connection.events("/v1/ask", asked)


async def _together(port: int, asked: Sequence[dict[str, Any]]) -> list[list[tuple[str, float]]]:
    return await asyncio.gather(*(_streamed(port, one) for one in asked))


def _first(events: Sequence[tuple[str, float]], name: str) -> list[float]:
    return [at for said, at in events if said == name][:1]
