"""Make numbers of a sentence false: places, shares, counts, ratings, the length of a list.

Each number that a true sentence tells is the one true number, to the digits told; any other is
false. Numbers inside titles, names and quotations are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from whythis.bench.falsehoods import Lies, Scene
from whythis.bench.ground_truth import GroundTruth
from whythis.bench.mutation_spans import masked
from whythis.bench.paraphrasing import Told, ordinal, ordinal_word

_ORDINAL = re.compile(r"\b(\d[\d,]*)(?:st|nd|rd|th)\b")
_NUMBERED = re.compile(
    r"(?:#|\b(?:number|no\.|position|rank(?: of)?|to|from) )(\d[\d,]*)(?![\d.]| ?%)"
)
_SPELLED = re.compile(
    r"\b(?:first|second|third|(?:four|fif|six|seven|eigh|nin|ten|eleven|twelf|thirteen|fourteen"
    r"|fifteen|sixteen|seventeen|eighteen|nineteen|twentie)th)\b"
)
_PERCENT = re.compile(r"\b(\d+)(?=\s?(?:%|per ?cent))")
_DECIMAL = re.compile(r"\b\d+\.\d+\b")
_TOP = re.compile(r"\btop (\d+)\b")
_WHOLE = re.compile(r"(?<![\d.,#])\b(\d[\d,]*)\b(?![.,]?\d)(?!st|nd|rd|th|\s?%|\s?per ?cent)")


def changed_places(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Change one place by a little and by much."""
    text = told.text
    for start, end, number, form in _places(told, truth):
        for other in {max(1, number + scene.pick((-1, 1))), 3 * number + scene.pick((4, 7, 12))}:
            changed = form(other)
            if other != number and changed is not None:
                yield text[:start] + changed + text[end:], f"the place is {number}, not {other}"


def exchanged_places(told: Told, truth: GroundTruth, _scene: Scene) -> Lies:
    """Exchange the place before and the place after, which differ."""
    found = _places(told, truth)
    numbers = sorted({number for _, _, number, _ in found})
    if (
        len(found) == 2
        and len(numbers) == 2
        and set(told.kinds)
        <= {
            "persona_effect",
            "history_effect",
            "not_about_you",
            "persona_items",
        }
    ):
        (a, b, one, form), (c, d, two, other_form) = found
        first, second = form(two), other_form(one)
        if first is not None and second is not None:
            text = told.text[:a] + first + told.text[b:c] + second + told.text[d:]
            yield text, f"the places {one} and {two} are exchanged"


def changed_shares(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Change a percentage by at least three points, or six where it is told roughly."""
    least = 6 if re.search(r"(?i)roughly|about|around|some |nearly|almost", told.text) else 3
    for found in _PERCENT.finditer(masked(told, truth)):
        share = int(found[1])
        for other in {share + least + int(scene.rng.integers(4)), (share + 47) % 100}:
            if abs(other - share) >= least:
                yield _set(told, found, f"{other}"), f"it is {share} %, not {other} %"


def changed_counts(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Change a whole number that counts something, by a little and by much."""
    if "review_quote" in told.kinds:
        return
    text, places = masked(told, truth), {start for start, _, _, _ in _places(told, truth)}
    tops = {found.start(1) for found in _TOP.finditer(text)}
    for found in _WHOLE.finditer(text):
        if found.start(1) not in places | tops:
            count = int(found[1].replace(",", ""))
            for other in {count + 1, 7 * count + int(scene.rng.integers(2, 40))}:
                yield _set(told, found, f"{other:,}"), f"it is {count}, not {other}"


def changed_ratings(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Change the mean rating by at least 0.2, and a reviewer's rating by at least one."""
    text = masked(told, truth)
    for found in _DECIMAL.finditer(text):
        mean = float(found[0])
        for step in (scene.pick((-0.2, 0.2, 0.3)), scene.pick((-1.3, -0.8, 0.9))):
            other = f"{abs(mean + step):.1f}"
            yield told.text[: found.start()] + other + told.text[found.end() :], f"it is {mean}"
    if "review_quote" in told.kinds and told.quote is not None and told.quote.rating is not None:
        for found in _WHOLE.finditer(text):
            if float(found[1].replace(",", "")) == told.quote.rating:
                other = f"{told.quote.rating % 5 + 1:g}"
                yield _set(told, found, other), f"the reviewer rated it {told.quote.rating:g}"


def smaller_top(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Shorten the list told of until the item is not in it, with the history or without."""
    ranks = [truth.rank, truth.bare]
    ranks += [m.rank_after for m in (*told.tastes, told.removal) if m is not None]
    if (limit := min(ranks) - 1) < 1:
        return
    for found in _TOP.finditer(masked(told, truth)):
        top = int(scene.rng.integers(1, limit + 1))
        yield _set(told, found, str(top)), f"it ranks {truth.rank}, so it is not in the top {top}"


def _set(told: Told, found: re.Match[str], other: str) -> str:
    return told.text[: found.start(1)] + other + told.text[found.end(1) :]


class _Form:
    """Write a number as a place was written."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __call__(self, number: int) -> str | None:
        if self._kind == "spelled":
            return ordinal_word(number)
        return ordinal(number) if self._kind == "ordinal" else f"{number:,}"


def _places(told: Told, truth: GroundTruth) -> list[tuple[int, int, int, _Form]]:
    """Return the places told: start, end, number, and how it is written."""
    text = masked(told, truth)
    found = [(f.start(), f.end(), _number(f[1]), _Form("ordinal")) for f in _ORDINAL.finditer(text)]
    found += [
        (f.start(1), f.end(1), _number(f[1]), _Form("number")) for f in _NUMBERED.finditer(text)
    ]
    true = _true_places(told, truth)
    for f in _SPELLED.finditer(text):
        number = next((n for n in range(1, 21) if ordinal_word(n) == f[0]), 0)
        if number in true and not text.startswith(" of all", f.end()):
            found.append((f.start(), f.end(), number, _Form("spelled")))
    return sorted((f for f in found if f[2] in true), key=lambda f: f[0])


def _true_places(told: Told, truth: GroundTruth) -> set[int]:
    moves: Iterator[int] = (m.rank_after for m in (*told.tastes, told.removal) if m is not None)
    return {truth.rank, truth.bare, truth.facts.place, *moves}


def _number(text: str) -> int:
    return int(text.replace(",", ""))
