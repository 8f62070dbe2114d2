"""Say who the user is to the recommender: the statements of the memory, each found again."""

from __future__ import annotations

from collections.abc import Iterator

from whythis.claims.kinds import Level
from whythis.conversation.reply import Event, Fact
from whythis.conversation.turn import Turn
from whythis.explanation import Verdict
from whythis.tools.memory import summary

_TOLD = (
    (("past",), 1),
    (("taste", "typical"), 8),
    (("rated_low",), 2),
    (("rejected",), 3),
    (("own_aspect",), 3),
)
"""What is told, in this order, and how much of each."""


def profile(turn: Turn) -> Iterator[Event]:
    """Say what is known of the user, without what the user contests."""
    yield turn.step("memory", "Looking at what is known of you")
    for kinds, most in _TOLD:
        yield from _recalled(turn, kinds, most)
    turn.suggest("list", "not_why")


def _recalled(turn: Turn, kinds: tuple[str, ...], most: int) -> Iterator[Event]:
    """Say up to `most` uncontested statements of these kinds, each found again."""
    told = summary.summarise(turn.ws, turn.user)
    held = {one.statement for one in summary.check(told, turn.ws) if one.outcome == "holds"}
    wanted = [one for one in told.statements if one.evidence.kind in kinds and not one.contested]
    for one in [one for one in wanted if one.id in held][:most]:
        yield from turn.found([one.evidence])
        level: Level = "exact" if one.evidence.kind in ("taste", "typical") else "observed"
        fact = Fact(
            id=one.id,
            kind=one.evidence.kind,
            level=level,
            text=one.text,
            evidence=(one.evidence.id,),
        )
        yield turn.hold(fact, Verdict(outcome="verified", reason="found again in the memory"))
