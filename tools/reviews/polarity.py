"""Tell whether a word judges, and how: VADER's lexicon, and negation read from the parse.

Hutto & Gilbert, VADER, ICWSM 2014. Its lexicon was made for social media; the words by which goods
are judged are added below, and those that mostly describe them are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.tokens import Token


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_GOOD = """
accurate affordable balanced blazing clearly compact consistent consistently convenient cool crisp
decent durable effortless effortlessly fast favourite firmly handy hydrated inexpensive intuitive
lightweight lush mellow moisturizing nicely portable precise precisely punchy quick quickly quiet
reasonable reasonably refreshing reliable reliably responsive rugged securely silky smooth smoothly
snug snugly soft softer solidly stable sturdy tender thoughtful top-notch transparent unbeatable
versatile vivid well-built well-made
"""
_BAD = """
beat bland breaks brittle buzzes buzzy cheaply clumsy clunky crackly cumbersome damaging defective
drying faulty finicky fizzy flaky flimsy fragile greasy harsh hiss inaccurate inconsistent itchy
junky leaks leaky leaking loosens malfunctioned muddy noisier overpriced peeled rattles rattly
rusted scratchy smelly snapped sticky streaky thinner tinny unreliable unstable unusable wobbly wore
"""
# Praise and blame in general, but here mostly the name of a part, a kind or a quantity.
_PLAIN = """
alone clean cut cuts drop fire free hard kind low lower natural number original play playing please
pressure serious sharp share stop super top want wants yeah yes novel demand natural kinda
"""
_FAINT = 0.5
_NEGATIONS = _set(
    "not n't nt no never hardly barely scarcely rarely neither nor nothing none without zero"
)
_RAISING = _set("think believe say find feel expect know")
_MODALS = _set("could should would might")
_BETTER = _set("better nicer happier improved more easier longer stronger cheaper")
_CONTRAST = _set("but yet although though")


@lru_cache(maxsize=1)
def _lexicon() -> Mapping[str, float]:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    known = {word: float(x) for word, x in SentimentIntensityAnalyzer().lexicon.items()}
    known |= dict.fromkeys(_GOOD.split(), 1.5) | dict.fromkeys(_BAD.split(), -1.5)
    return known | dict.fromkeys(_PLAIN.split(), 0.0)


def may_judge(text: str) -> bool:
    """Tell whether a text holds any word that can judge; if not, parsing it is of no use."""
    known = _lexicon()
    return any(known.get(word) or word in ("too", "enough") for word in _words(text))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", text.lower())


def valence(word: Token) -> float:
    """Return how a word judges by itself: above 0 well, below 0 badly, 0 not at all; -4..4.

    "Too heavy" is bad and "loud enough" good, whatever the adjective.
    """
    found = _lexicon().get(word.lower_, 0.0)
    if abs(found) < _FAINT:
        found = 0.0
    if not word.tag_.startswith(("JJ", "RB")):
        return found
    before = word.nbor(-1).lower_ if word.i else ""
    if word.lower_ == "well" and before == "as":
        return 0.0
    if before == "too":
        return -1.0
    after = word.nbor(1).lower_ if word.i + 1 < len(word.doc) else ""
    return 1.0 if after == "enough" and not found else found


def polarity(opinion: Token, role: Token, target: Token) -> int:
    """Return 1 where the opinion speaks well of the target, -1 badly, 0 where it judges nothing.

    role: the word of the opinion's list that stands in the sentence's frame; `opinion` itself, or
    the first of "clear and loud".
    """
    found = valence(opinion)
    sign = (found > 0) - (found < 0)
    frame = [opinion, *_frame(role, target, own=_contrasts(opinion, role))]
    negations = {t.i for word in frame for t in _negating(word)}
    if len(negations) % 2:
        sign = -sign
    return -sign if opinion.lower_ in _BETTER and _is_wished(frame) else sign


def _frame(role: Token, target: Token, own: bool) -> Iterator[Token]:
    """Yield the words whose negation reaches the opinion: its head, the target, their verb."""
    if own:
        return
    yield role
    word = target if role.dep_ in ("amod", "nmod") else role
    if word is target:
        yield target
        if role.head.i != target.i:  # "nothing wrong with the case"
            yield role.head
    while word.dep_ in ("attr", "dobj", "acomp", "oprd", "advmod", "xcomp", "pobj", "prep", "conj"):
        if word.dep_ == "conj" and (
            word.tag_.startswith("VB") or _contrasts(word, word.head) or any(_negating(word))
        ):
            return
        word = word.head
        yield word
        if word.tag_.startswith(("VB", "MD")) and word.dep_ != "xcomp":
            break
    if word.dep_ == "ccomp" and word.head.lower_ in _RAISING:
        yield word.head


def _negating(word: Token) -> Iterator[Token]:
    for child in (*word.children, *([word] if word.lower_ in ("nothing", "without") else [])):
        if child.lower_ in _NEGATIONS and not _is_only(child):
            yield child


def _is_only(word: Token) -> bool:
    """Tell whether "not" goes on to "only": that denies nothing."""
    after = word.i + 1
    return after < len(word.doc) and word.doc[after].lower_ in ("only", "just")


def _contrasts(opinion: Token, role: Token) -> bool:
    """Tell whether a "but" stands between the opinion and the head of its list."""
    word = opinion
    while word.i != role.i and word.dep_ == "conj":
        word = word.head
        if any(child.dep_ == "cc" and child.lower_ in _CONTRAST for child in word.children):
            return True
    return False


def _is_wished(frame: Iterable[Token]) -> bool:
    words = {child.lower_ for word in frame for child in word.children}
    return bool(_MODALS & words)
