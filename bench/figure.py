"""Draw curves with intervals as one SVG that reads on light and on dark pages.

The same curves give the same bytes: fixed ids, no date, text kept as text. The ground is clear, and
every colour has a contrast of at least 3 to white and to near-black.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from whythis.bench.case import Floats
from whythis.bench.explainers import needed

_GREY = "#808080"
_STRONG = "#0080c8"
# Mid-tones that stay apart under the common kinds of colour blindness; markers differ as well.
_COLOURS = ("#d55e00", "#009e73", "#b0609a", "#8a7d00", _GREY)
_MARKERS = ("s", "^", "D", "v", "P", "X", "<", ">", "d", "h")
_STYLE = {
    "svg.hashsalt": "whythis",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _GREY,
    "axes.labelcolor": _GREY,
    "axes.edgecolor": _GREY,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
}


@dataclass(frozen=True, eq=False)
class Curve:
    """Hold one line: means at Ke = 1, 2, ... and the ends of their intervals; a panel a title."""

    name: str
    title: str
    mean: Floats
    low: Floats
    high: Floats


def draw(path: Path, curves: Sequence[Curve], about: str, ours: Sequence[str] = ()) -> None:
    """Write the curves as an SVG, a panel for each title, names beside the lines' ends.

    `ours`: the names drawn strongly. Raises `MissingPartError` where matplotlib is not installed.
    """
    matplotlib = needed("matplotlib")
    figures = needed("matplotlib.figure")
    titles = list(dict.fromkeys(curve.title for curve in curves))
    with matplotlib.rc_context(_STYLE):
        figure = figures.Figure(figsize=(5.6 * len(titles), 5.2), layout="constrained")
        for axes, title in zip(
            figure.subplots(1, len(titles), squeeze=False)[0], titles, strict=True
        ):
            _panel(axes, [c for c in curves if c.title == title], ours)
            axes.set_title(f"{title} (lower is better)", loc="left")
        figure.suptitle(about, fontsize=9, x=0.01, ha="left")
        _write(figure, path)


def draw_shares(
    path: Path,
    places: Sequence[int],
    shares: Mapping[str, Sequence[float]],
    line: Sequence[float],
    about: str,
) -> None:
    """Write stacked bars of shares at each place, and a dashed line of marks, as an SVG.

    Raises `MissingPartError` where matplotlib is not installed.
    """
    matplotlib = needed("matplotlib")
    figures = needed("matplotlib.figure")
    with matplotlib.rc_context(_STYLE):
        figure = figures.Figure(figsize=(6.4, 4.2), layout="constrained")
        axes = figure.subplots()
        base, x = np.zeros(len(places)), np.arange(len(places))
        colours = (_STRONG, *_COLOURS)
        for (name, heights), colour in zip(shares.items(), colours, strict=False):
            axes.bar(x, heights, 0.62, bottom=base, color=colour, label=name.replace("_", " "))
            base = base + np.asarray(heights)
        axes.plot(
            x, line, ls="--", color=_GREY, marker="o", ms=5, label="effects of the past alone"
        )
        axes.set_xticks(x, [str(place) for place in places])
        axes.set_xlabel("likes left to the user")
        axes.set_ylabel("part of the recommendations answered")
        axes.set_ylim(0, 1.02)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        figure.suptitle(about, fontsize=9, x=0.01, ha="left")
        _write(figure, path)


def _write(figure: Any, path: Path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    part = path.with_name(path.name + ".part")
    part.write_bytes(buffer.getvalue())
    part.replace(path)


def _panel(axes: Any, curves: Sequence[Curve], ours: Sequence[str]) -> None:
    looks = _looks([curve.name for curve in curves], ours)
    sizes = np.arange(1, len(curves[0].mean) + 1)
    shifts = np.linspace(-0.18, 0.18, len(curves))  # so that the intervals stand side by side
    for curve, shift in zip(curves, shifts, strict=True):
        look = looks[curve.name]
        x = sizes + shift
        axes.vlines(x, curve.low, curve.high, color=look["color"], lw=0.8, alpha=0.45)
        axes.plot(x, curve.mean, **look)
    axes.set_xticks(sizes)
    axes.set_xlabel("Ke, past items removed")
    axes.set_xlim(0.7, sizes[-1] + 1.75)
    axes.spines["bottom"].set_bounds(0.7, sizes[-1] + 0.3)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    ends = np.asarray([curve.mean[-1] for curve in curves])
    for curve, shift, end, y in zip(
        curves, shifts, ends, spread(ends, 0.042 * (high - low)), strict=True
    ):
        look = looks[curve.name]
        weight = "bold" if curve.name in ours else "normal"
        axes.plot(
            [sizes[-1] + shift, sizes[-1] + 0.3, sizes[-1] + 0.4],
            [end, y, y],
            color=look["color"],
            lw=0.5,
            alpha=0.7,
        )
        axes.text(
            sizes[-1] + 0.45, y, curve.name, color=look["color"], va="center", weight=weight, size=9
        )


def _looks(names: Sequence[str], ours: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    colours, markers = cycle(_COLOURS), cycle(_MARKERS)
    looks: dict[str, Mapping[str, Any]] = {}
    for name in names:
        if name in ours:
            dash = "-" if name == ours[0] else "--"
            looks[name] = {"color": _STRONG, "marker": "o", "ms": 5, "lw": 2.2, "ls": dash}
        else:
            looks[name] = {"color": next(colours), "marker": next(markers), "ms": 4, "lw": 1.0}
    return looks


def spread(wanted: Floats, gap: float) -> Floats:
    """Return places at least `gap` apart, in the same order and near where they are wanted.

    Least squares by pooling: neighbours that would overlap share one run around their mean.
    """
    order = np.argsort(wanted, kind="stable")
    runs: list[list[float]] = []
    for place, value in enumerate(wanted[order]):
        runs.append([value - place * gap])
        while len(runs) > 1 and np.mean(runs[-2]) > np.mean(runs[-1]):
            runs[-2:] = [runs[-2] + runs[-1]]
    level = np.concatenate([np.full(len(run), np.mean(run)) for run in runs])
    placed = np.empty(len(wanted))
    placed[order] = level + gap * np.arange(len(wanted))
    return placed
