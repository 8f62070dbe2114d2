"""Test sentences on causes: what moves the item, to where, and by which of the user's likes."""

from __future__ import annotations

from collections.abc import Sequence

from whythis.auditing.causes import (
    NO_CAUSE,
    Cause,
    Talk,
    Tested,
    Values,
    causes,
    change_of,
    number,
    strange,
)
from whythis.auditing.grammar import Reading
from whythis.auditing.ground import Change, Ground
from whythis.auditing.tastes import rests
from whythis.claims.offer import NOTICEABLE
from whythis.claims.traits import SMALL
from whythis.recsys.errors import MissingPartError
from whythis.text.wording import clean, ordinal

UNMEASURED = "how much of all this is cannot be said of past likes"


def effect(reading: Reading, talk: Talk) -> Tested:
    """Test that a taste or past likes move the item as is said; one meaning is enough."""
    answer: Tested = (NO_CAUSE, {})
    for cause in causes(reading, talk):
        talk.cause = cause
        answer = _of_cause(reading, cause, talk.ground)
        if answer[0] is None:
            break
    return answer


def lead(reading: Reading, talk: Talk) -> Tested:
    """Test what only announces: the next assertion must be a fall for want of past likes."""
    after = next((r for r in talk.following if r.reads == "effect"), None)
    ground = talk.ground
    likes = [c for c in (causes(after, talk) if after else ()) if c.items]
    known = [c for c in likes if strange(c, ground) is None]
    if not known:
        falls = ground.bare.rank > ground.place.rank
        bare: Values = {"rank": ground.place.rank, "rank_without_history": ground.bare.rank}
        return (None if falls else "without any history it would stand no lower"), bare
    change = max((change_of(c, ground) for c in known), key=lambda c: c.beyond)
    values: Values = {"rank": change.before, "rank_without": change.after}
    if "single" in reading.flags and len(known[0].items) != 1:
        return "it is not a single like", values
    wrong = None if change.beyond > change.before else "without these likes it would stand no lower"
    return wrong, values


def _of_cause(reading: Reading, cause: Cause, ground: Ground) -> Tested:
    if wrong := strange(cause, ground):
        return wrong, {}
    change = change_of(cause, ground)
    values: Values = {
        "rank": change.before,
        "rank_without": change.after,
        "effect": change.effect if change.effect == change.effect else None,
    }
    values |= (
        {"persona": cause.persona} if cause.persona is not None else {"items": list(cause.items)}
    )
    wrong = (
        _ranks(reading, change)
        or _moves(reading, change, ground)
        or _signs(reading, cause, change, ground)
        or (rests(reading, cause.persona, ground) if cause.persona is not None else None)
        or _also(reading, ground)
    )
    return wrong, values


def _ranks(reading: Reading, change: Change) -> str | None:
    parts = reading.parts
    if (said := number(parts.get("before"))) is not None and said != change.before:
        return f"it stands in {ordinal(change.before)} place, not {ordinal(int(said))}"
    if (said := number(parts.get("after"))) is not None and said != change.after:
        return f"without that it would stand in {_after(change)} place, not {ordinal(int(said))}"
    if (said := number(parts.get("places"))) is not None:
        moved = None if change.after is None else abs(change.after - change.before)
        if said != moved:
            return f"it would move by {moved} places, not {int(said)}"
    return None


def _standing(change: Change) -> str:
    if change.after == change.before:
        return f"without that it would still stand in {ordinal(change.before)} place"
    return f"without that it would stand in {_after(change)} place, now in {ordinal(change.before)}"


def _after(change: Change) -> str:
    return f"{ordinal(change.beyond)} or a lower" if change.after is None else ordinal(change.after)


def _moves(reading: Reading, change: Change, ground: Ground) -> str | None:
    after = change.beyond
    down, up = after > change.before, after < change.before
    there = _standing(change)
    flags = reading.flags
    if ("falls" in flags and not down) or ("rises" in flags and not up):
        return there
    if ("stays" in flags and after != change.before) or (
        "far" in flags and abs(after - change.before) < ground.top
    ):
        return there
    top = int(number(reading.parts.get("top")) or ground.top)
    if "leaves" in flags and not change.before <= top < after:
        return there
    if "inside" in flags and (change.after is None or max(change.before, after) > top):
        return there
    if "in_top" in flags and change.before > top:
        return f"it stands in {ordinal(change.before)} place, outside the top {top}"
    if "first" in flags and change.before != 1:
        return f"it stands in {ordinal(change.before)} place"
    if "because" in flags and not down:
        return f"it is not because of that: {there}"
    return None


def _signs(reading: Reading, cause: Cause, change: Change, ground: Ground) -> str | None:
    flags, effect = reading.flags, change.effect
    low, high = (change.before, change.beyond)
    if flags & {"helps", "because"}:
        # likes share their weight with the others, so a rank can fall though the score does not
        lifts = effect > 0 and high >= low
        if not lifts and not (cause.items and high > low):
            return "it does not speak for the item: without it the score would not be lower"
        if cause.items and (idle := _idle(cause.items, ground)):
            return f"{idle} has no part in it: without it alone the score would be no lower"
    if "hurts" in flags and (effect >= 0 or high > low):
        return "it does not speak against the item: without it the score would not be higher"
    if ("score_falls" in flags and effect <= 0) or ("score_rises" in flags and effect >= 0):
        return f"without it the score would {'rise' if effect < 0 else 'fall or stay'}"
    if "small" in flags or "most" in flags:
        if cause.persona is None:
            return UNMEASURED
        known = {p: ground.whole.personas[p].effect for p in ground.cards}
        largest = max(known.values()) if effect > 0 else min(known.values())
        if "most" in flags and effect != largest:
            return "another of the user's tastes does more"
        if "small" in flags and abs(effect) >= SMALL * max(abs(e) for e in known.values()):
            return "that is one of the larger effects"
    return None


def _idle(items: Sequence[str], ground: Ground) -> str | None:
    """Return the title of a member of a set that adds nothing to its effect."""
    whole = ground.without_items(tuple(items))
    for item in items:
        rest = tuple(i for i in items if i != item)
        others = ground.without_items(rest) if rest else None
        if others is None or whole.beyond > others.beyond:
            continue
        if whole.effect != whole.effect:  # NaN: no scores are shown, and the ranks are alike
            raise MissingPartError("needs its scores: its ranks do not tell which like did it")
        if not whole.effect - others.effect > NOTICEABLE:
            return str(clean(ground.ws.recommender.title(item)))
    return None


def _also(reading: Reading, ground: Ground) -> str | None:
    """Test a second cause of the same sentence, past likes or a taste that speaks against."""
    if "also" in reading.parts:
        cause = Cause(items=reading.parts["also"].values)
        change = None if (wrong := strange(cause, ground)) else change_of(cause, ground)
        if change is None or change.effect <= 0 or change.beyond <= change.before:
            return wrong or "the likes named do not move it up"
    for label in ("also_a", "also_b"):
        if label in reading.parts:
            cause = Cause(persona=int(reading.parts[label].values[0]))
            if wrong := strange(cause, ground):
                return wrong
            change = change_of(cause, ground)
            if change.effect <= 0 or change.beyond < change.before:
                return "not every taste named speaks for the item"
    if "other" in reading.parts:
        cause = Cause(persona=int(reading.parts["other"].values[0]))
        if wrong := strange(cause, ground):
            return wrong
        change = change_of(cause, ground)
        if change.effect >= 0 or change.beyond > change.before:
            return "the second taste does not speak against the item"
    return None
