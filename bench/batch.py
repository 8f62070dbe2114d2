"""Time `whythis batch`: processes, an endpoint of 50 ms, memory; and kill it again and again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from whythis.bench.loopback import endpoint
from whythis.bench.prepared import prepared
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.recsys import artefact
from whythis.recsys.errors import ModelError

PROCESSES = (1, 2)
CONCURRENCY = (1, 8, 32)
LATENCY = 0.05  # seconds
_SHARD = 20
_TARGETS = (
    Target("rows lost", "==", 0),
    Target("rows doubled", "==", 0),
    Target("rows that differ", "==", 0),
)


def main(argv: Sequence[str]) -> int:
    """Explain the first recommendations of some users of an artefact or a known data set."""
    parser = arguments(__doc__, "ml-100k")
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    options = parser.parse_args(argv)
    options.work.mkdir(exist_ok=True)
    folder, _ = prepared(options.data, options.work, None)
    return report(measure(folder, 100 if options.quick else 600, options.seed), options)


def measure(folder: Path, rows: int, seed: int, kills: int = 4) -> Result:
    """Return rows a second, memory in MB, and what killing did; `rows` are asked each time.

    A rate counts from the first shard to the last, so that starting is left out.
    """
    figures: dict[str, float] = {}
    table: list[tuple[str, ...]] = [("run", "rows/s", "MB after the first shard", "MB at the end")]
    with tempfile.TemporaryDirectory() as place:
        asked = _asked(Path(place), folder, rows)

        def timed(name: str, *options: str, part: Path = asked) -> Path:
            out = Path(place) / f"{name.replace(' ', '-')}.jsonl"
            tell(name)
            memory = _ran(folder, part, out, *options)
            rate = _rate(out)
            figures[f"{name} rows/s"] = rate
            figures[f"{name} MB at start"], figures[f"{name} MB at end"] = memory
            table.append((name, f"{rate:.1f}", *(f"{mb:.0f}" for mb in memory)))
            return out

        outs = [timed(f"processes {n}", "--processes", str(n)) for n in PROCESSES]
        few = _asked(Path(place), folder, max(3 * _SHARD, rows // 3))
        for width in CONCURRENCY:
            with endpoint(LATENCY) as served:
                llm = ("--llm", "openai", "--model", "scripted", "--base-url", served.url)
                name = f"concurrency {width}"
                timed(name, *llm, "--concurrency", str(width), part=few)
                figures[f"{name} requests at once"] = served.most
        figures |= _killed(folder, asked, Path(place) / "killed.jsonl", outs[0], kills, seed)
    notes = (f"{rows} rows each, a third with the endpoint; killed {kills} times",)
    return Result("batch", folder.name, seed, figures, _TARGETS, table, notes)


def _asked(place: Path, folder: Path, rows: int) -> Path:
    rec = artefact.load(folder)
    users = [user for user in rec.user_ids.ids if len(rec.history(user))]
    path = place / f"asked-{rows}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for n in range(rows):
            user, nth = users[n % len(users)], n // len(users)
            best = rec.recommend(user, nth + 1)[-1].item
            file.write(json.dumps({"user": user, "item": best}) + "\n")
    return path


def _started(folder: Path, asked: Path, out: Path, *options: str) -> subprocess.Popen[bytes]:
    words = (folder, asked, out, "--shard-size", _SHARD, *options)
    main = "from whythis.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", main, "batch", *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _ran(folder: Path, asked: Path, out: Path, *options: str) -> tuple[float, float]:
    """Run to the end; return the MB of the driving process after the first shard and at the end."""
    first = last = 0.0
    with _started(folder, asked, out, *options) as running:
        while running.poll() is None:
            last = _memory(running.pid) or last
            if not first and (out / "part-000000.jsonl").exists():
                first = last
            time.sleep(0.05)
    if running.returncode not in (0, 1):
        raise ModelError(f"whythis batch ended with code {running.returncode}: run it by hand")
    return first, last


def _memory(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _rate(out: Path) -> float:
    parts = sorted(out.glob("part-*"))
    times = [path.stat().st_mtime for path in parts]
    rows = sum(len(path.read_bytes().splitlines()) for path in parts[1:])
    return rows / (times[-1] - times[0]) if len(parts) > 1 else float("nan")


def _killed(
    folder: Path, asked: Path, out: Path, whole: Path, kills: int, seed: int
) -> dict[str, float]:
    """Kill the driving process at random moments, the others end with it; let a last run end."""
    draw = random.Random(seed)
    interrupted = 0
    for n in range(kills):
        tell(f"kill {n + 1}")
        with _started(folder, asked, out, "--processes", "2") as running:
            before = len(list(out.glob("part-*")))
            until = time.monotonic() + 60
            while running.poll() is None and time.monotonic() < until:
                if len(list(out.glob("part-*"))) > before:
                    break
                time.sleep(0.01)
            time.sleep(draw.random())
            if running.poll() is None:
                os.kill(running.pid, signal.SIGKILL)
                interrupted += 1
    _ran(folder, asked, out)
    rows, wanted = _rows(out), _rows(whole)
    numbers = [row["row"] for row in rows]
    return {
        "kills that met it at work": float(interrupted),
        "rows lost": float(len({row["row"] for row in wanted} - set(numbers))),
        "rows doubled": float(len(numbers) - len(set(numbers))),
        "rows that differ": float(sum(a != b for a, b in zip(rows, wanted, strict=False))),
    }


def _rows(out: Path) -> list[dict[str, object]]:
    parts = sorted(out.glob("part-*"))
    return [json.loads(line) for path in parts for line in path.read_bytes().splitlines()]
