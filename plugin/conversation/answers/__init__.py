"""Answer a routed question: one small module for each family of intents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from whythis.conversation import contest
from whythis.conversation.answers import about_you, lists, opinions, what_if, why
from whythis.conversation.answers.help import ask_back, help_, unrelated, unsure
from whythis.conversation.contest import Correct
from whythis.conversation.intents import Intent
from whythis.conversation.reply import Event
from whythis.conversation.turn import Turn
from whythis.recsys.errors import WhyThisError

_ANSWERS: Mapping[Intent, Callable[[Turn], Iterator[Event]]] = MappingProxyType(
    {
        "why": why.why,
        "why_not": why.why_not,
        "why_over": why.why_over,
        "what_if": what_if.what_if,
        "opinions": opinions.opinions,
        "profile": about_you.profile,
        "recommend": lists.recommend,
        "more_like": lists.more_like,
        "less_of": lists.less_of,
        "help": help_,
        "unrelated": unrelated,
    }
)


def answer(turn: Turn, correct: Correct) -> Iterator[Event]:
    """Answer the turn's question; `correct` keeps corrections, after a yes or a plain order."""
    turn.intent = turn.route.intent
    if turn.intent in ("what_if", "less_of") and turn.route.items and contest.is_order(turn.text):
        turn.intent = "contest"
    try:
        if (said := contest.decision(turn.text)) is not None and turn.session.proposal is not None:
            yield from contest.decided(turn, correct, said)
        elif unsure(turn):
            yield from ask_back(turn)
        elif turn.intent == "contest":
            yield from contest.contest(turn, correct)
        elif turn.intent == "undo":
            yield from contest.undo(turn, correct)
        else:
            yield from _ANSWERS[turn.intent](turn)
    except WhyThisError as error:
        turn.note = str(error)
        yield turn.fixed("cannot")
    if not turn.sentences:
        yield turn.fixed("nothing")
