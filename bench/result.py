"""Report what a benchmark measured, in the one form all benchmarks share."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Target:
    """Hold what a figure must reach."""

    figure: str
    op: Literal[">=", "<=", "=="]
    value: float

    def met(self, got: float) -> bool:
        """Return whether a measured value reaches it; NaN never does."""
        return {">=": got >= self.value, "<=": got <= self.value, "==": got == self.value}[self.op]


@dataclass(frozen=True)
class Result:
    """Hold the figures of one run; `rows` is a table for people, first row the headings."""

    bench: str
    data: str
    seed: int
    figures: Mapping[str, float]
    targets: Sequence[Target] = ()
    rows: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        """Return the public JSON form, machine and date included; what is no number is null."""
        targets = {
            t.figure: {
                "op": t.op,
                "value": t.value,
                "got": _known(self.figures[t.figure]),
                "ok": t.met(self.figures[t.figure]),
            }
            for t in self.targets
        }
        return {
            "bench": self.bench,
            "data": self.data,
            "seed": self.seed,
            "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, "
            f"{platform.system()}, Python {platform.python_version()}",
            "date": datetime.now(UTC).date().isoformat(),
            "figures": {name: _known(value) for name, value in self.figures.items()},
            "targets": targets,
            "notes": list(self.notes),
        }


def arguments(about: str | None, data: str) -> argparse.ArgumentParser:
    """Return the options every benchmark takes."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--data", default=data, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="a sample, at most about a minute")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--out", type=Path, help="also write the JSON to this file")
    return parser


def report(result: Result, options: argparse.Namespace) -> int:
    """Print a result; return 1 where a target falls short.

    In text, a result with a table shows only the figures that have a target; JSON has all of them.
    """
    plain = result.as_json()
    text = json.dumps(plain, indent=2)
    if options.out is not None:
        part = options.out.with_name(options.out.name + ".part")
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(options.out)
    if options.json:
        print(text)
    else:
        _print_rows(result.rows)
        print(f"{plain['bench']} on {plain['data']}, {plain['machine']}, {plain['date']}")
        for name, value in result.figures.items():
            mark = plain["targets"].get(name)
            if mark is None and result.rows:
                continue
            judged = f"   ({mark['op']} {mark['value']:g}: {_ok(mark['ok'])})" if mark else ""
            print(f"  {name:<48} {value:.4g}{judged}")
        for note in result.notes:
            print(f"  {note}")
    return 0 if all(t["ok"] for t in plain["targets"].values()) else 1


def tell(line: str) -> None:
    """Say on stderr what a benchmark is doing."""
    print(line, file=sys.stderr, flush=True)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _ok(met: bool) -> str:
    return "reached" if met else "MISSED"


def _print_rows(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
