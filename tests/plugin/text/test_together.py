"""Several tastes may share a sentence where each of them bears every word of it."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plugin.cited import (
    ALSO,
    BASIS,
    CON,
    CONTRA,
    FALLS,
    FIRM,
    PRAISE,
    PRO,
    SHARE,
    THIRD,
    UNSURE,
    by_id,
    cited,
)
from whythis.text.language import load_language
from whythis.text.words import Cited, objection

ENGLISH = load_language()
SECOND = replace(ALSO, traits=ALSO.traits | {"top"})
BESIDE = cited("persona_items", "t2", {"name": "war"}, persona=1, items=("x",))


def why(draft: str, *claims: Cited) -> str | None:
    return objection(draft, by_id(*claims), ENGLISH)


@pytest.mark.parametrize(
    ("draft", "claims"),
    [
        ("Your {p2.persona} and your {p3.persona} work in its favour too.", [ALSO, THIRD]),
        ("It also fits your {p1.persona}, your {p2.persona} and your {p3.persona}.", None),
        ("{item} fits your {p1.persona}, {t1.where}, and your {p2.persona}.", [PRO, BASIS, ALSO]),
        ("Because of your {p1.persona} and your {p2.persona}, it is here.", [PRO, SECOND]),
        ("Your {a1.persona} and your {a2.persona} speak against it.", [CON, CONTRA]),
        ("Despite your {a1.persona} and also your {a2.persona}, this is it.", [CON, CONTRA]),
    ],
)
def test_tastes_that_point_the_same_way_share_a_sentence(
    draft: str, claims: list[Cited] | None
) -> None:
    assert why(draft, *(claims or [PRO, ALSO, THIRD])) is None


@pytest.mark.parametrize(
    ("draft", "claims", "reason"),
    [
        # one for it and one against
        ("Your {p1.persona} and your {a1.persona} speak for it.", [PRO, CON], "all speak for"),
        ("Your {p1.persona} and your {a1.persona} speak against it.", [PRO, CON], "all against"),
        ("It is in its way, your {p1.persona} and your {a1.persona}.", [PRO, CON], "mixes"),
        ("Your {p2.persona} and your {p1.persona} add to it.", [ALSO, UNSURE], "mixes"),
        # one of another size, one that moves nothing, one outside the list
        ("It fits above all your {p1.persona} and your {p2.persona}.", [PRO, ALSO], "size:largest"),
        (
            "The main reason is your {p1.persona} and your {p2.persona}.",
            [PRO, ALSO],
            "size:largest",
        ),
        ("The reason is your {p1.persona} and your {p2.persona}.", [PRO, ALSO], "reason"),
        ("It owes its place to your {p2.persona} and your {p3.persona}.", [ALSO, THIRD], "moves"),
        ("Thanks to your {p2.persona} and your {p3.persona} it is.", [ALSO, THIRD], "moves:down"),
        ("Your {p2.persona} and your {p3.persona} bring it.", [ALSO, THIRD], "moves:down"),
        ("It is here with your {p1.persona} and your {p2.persona}.", [PRO, ALSO], "top"),
        ("Your {a1.persona} and your {a2.persona} slightly hold it back.", [CON, CONTRA], "small"),
        # one made the cause, the part or the fruit of the other
        ("Your {p1.persona} speaks for your {p2.persona}.", [PRO, ALSO], "between"),
        ("It fits your {p1.persona} because of your {p2.persona}.", [PRO, SECOND], "between"),
        ("Your {p1.persona} owes much to your {p2.persona}.", [PRO, ALSO], "between"),
        ("Your {p1.persona} is your {p2.persona}.", [PRO, ALSO], "between"),
        ("It fits your {p1.persona}, your {p2.persona}.", [PRO, ALSO], "between"),
        ("It fits your {p1.persona} and your {p2.persona}, your {p3.persona}.", None, "between"),
        ("Your {p1.persona} fits your {p2.persona}.", [PRO, ALSO], "between"),
        ("It fits your {p1.persona} as well as your {p2.persona}.", [PRO, ALSO], "between"),
        # what belongs to one alone
        ("It fits your {p1.persona} and your {p2.persona}: {p1.without}.", [PRO, ALSO], "several"),
        ("It fits your {p1.persona} and your {p2.persona}: {p2.without}.", [PRO, ALSO], "several"),
        (
            "It fits your {p1.persona}, {t2.where}, and your {p2.persona}.",
            [PRO, ALSO, BESIDE],
            "right after the taste",
        ),
        (
            "It fits your {p1.persona} and your {p2.persona}, {t1.where}.",
            [PRO, ALSO, BASIS],
            "right after the taste",
        ),
        ("One taste is your {p1.persona} and your {p2.persona}.", [PRO, ALSO], "number:one"),
        ("Your {p1.persona} and your {p2.persona} speaks for it.", [PRO, ALSO], "number:one"),
        ("Your {p1.persona} speak for it.", [PRO], "number:several"),
        # one that is cited and not told, or told by the way
        ("It fits your {p1.persona}.", [PRO, ALSO], "does not show"),
        ("It fits your {p1.persona} and your {p2.persona}.", [PRO], "without citing"),
        ("It fits your {p1.persona} and your {p1.persona}.", [PRO], "twice"),
        # other things than tastes
        ("It fits your {p1.persona}: {h1.had}.", [PRO, FALLS], "mixes"),
        ("It fits your {p1.persona}: {q1.quote}.", [PRO, PRAISE], "mixes"),
        ("It fits your {p1.persona} and has {w1.weight}.", [PRO, SHARE], "mixes"),
        ("It fits your {p1.persona} and your {p9.persona}.", None, "p9"),
    ],
)
def test_what_is_not_true_of_each_is_refused(
    draft: str, claims: list[Cited] | None, reason: str
) -> None:
    told = claims or [PRO, ALSO, THIRD]
    assert reason in (why(draft, *told) or "it passes"), why(draft, *told)


def test_one_taste_cannot_be_told_as_two() -> None:
    again = replace(FIRM, claim=FIRM.claim.model_copy(update={"id": "p2"}))
    assert "mixes" in str(why("It fits your {p1.persona} and your {p2.persona}.", PRO, again))


TASTES = [PRO, ALSO, THIRD, UNSURE, CON, CONTRA]
MIDDLES = st.lists(
    st.sampled_from(
        [
            "and",
            "your",
            ",",
            "and your",
            "{item}",
            "speak for",
            "fits",
            "because of",
            "it",
            "above all",
        ]
    ),
    max_size=4,
).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(MIDDLES, min_size=4, max_size=4), st.permutations(TASTES), st.integers(2, 3))
def test_whatever_stands_around_tastes_of_both_signs_they_are_not_told_together(
    middles: list[str], tastes: list[Cited], size: int
) -> None:
    chosen = tastes[:size]
    slots = [f"your {{{c.claim.id}.persona}}" for c in chosen]
    pieces = itertools.chain.from_iterable(itertools.zip_longest(middles, slots, fillvalue=""))
    draft = re.sub(r"\s+", " ", " ".join(pieces)).strip() + "."
    if len(by_id(*chosen)) == size and why(draft, *chosen) is None:
        signs = [{t for t in c.traits if t.startswith("sign:")} for c in chosen]
        assert signs[0]
        assert all(sign == signs[0] for sign in signs)
