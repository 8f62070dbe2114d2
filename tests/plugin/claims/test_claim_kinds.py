"""Each further kind of claim is offered where it is true, refuted where not, and said in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plugin.claims.test_access import listed, scored
from tests.plugin.claims.test_verify import altered
from tests.plugin.fakes import best
from tests.recsys.small import ONCE
from whythis.claims.kinds import CLAIM, NEED_REVIEWS, NEEDS, Claim, PersonaComparison
from whythis.claims.offer import offer
from whythis.claims.slots import slots, titled
from whythis.claims.unknowable import ASKED
from whythis.claims.verify import verify
from whythis.explain import gather
from whythis.recsys import effects
from whythis.text.wording import in_words
from whythis.tools import catalogue, likes, mentions, similarity
from whythis.tools.evidence import Evidence
from whythis.tools.workspace import Workspace

USER = "u00"


def offered(found: tuple[Evidence, ...], user: str, item: str, kind: str) -> list[Claim]:
    return [c for c in offer(found, user, item) if c.kind == kind]


def said(claim: Claim, ws: Workspace) -> str:
    (phrase,) = slots(claim, titled(claim, ws.recommender)).values()
    return phrase


def refused(claim: Claim, ws: Workspace) -> str:
    verdict = verify(claim, ws)
    assert verdict.outcome == "refuted", claim
    return verdict.reason


def test_tastes_are_compared_by_their_executed_effects(small_workspace: Workspace) -> None:
    ws, item = small_workspace, best(small_workspace, USER)
    (claim,) = offered(gather(ws, USER, item), USER, item, "persona_comparison")
    assert isinstance(claim, PersonaComparison)
    runs = [
        effects.without_persona(ws.recommender, USER, item, p)
        for p in (claim.subject.persona or 0, claim.subject.other_persona or 0)
    ]
    wanted = [run.score_before - run.score_after for run in runs]
    assert [claim.value.effect, claim.value.other_effect] == pytest.approx(wanted, abs=1e-8)
    turned = altered(
        claim,
        subject__persona=claim.subject.other_persona,
        subject__other_persona=claim.subject.persona,
        value__name=claim.value.other_name,
        value__other_name=claim.value.name,
        value__effect=claim.value.other_effect,
        value__other_effect=claim.value.effect,
    )
    assert "which is no less" in refused(turned, ws)
    same = altered(
        claim,
        subject__other_persona=claim.subject.persona,
        value__other_name=claim.value.name,
        value__other_effect=claim.value.effect,
    )
    assert "which is no less" in refused(same, ws)


@given(st.floats(-9, 9), st.floats(-9, 9))
def test_a_comparison_says_the_signs_as_they_are(one: float, other: float) -> None:
    value = {"name": "a", "effect": one, "other_name": "b", "other_effect": other}
    record = {"kind": "persona_comparison", "id": "v1", "value": value, "evidence": ("e",)}
    subject = {"user": "u", "item": "i", "persona": 0, "other_persona": 1}
    phrase = slots(CLAIM.validate_python(record | {"subject": subject}), {})["more"]
    if one > other:  # what is verified
        assert ("raises its score by more" in phrase) == (other > 0)
        assert ("lowers its score by less" in phrase) == (one < 0 and other <= 0)


def test_contributions_are_parts_of_the_sum(small_workspace: Workspace) -> None:
    ws, item = small_workspace, best(small_workspace, USER)
    whole = effects.decompose(ws.recommender, USER, item)
    assert whole.contributions is not None
    found = likes.contributions(ws, USER, item, 50)
    claims = offered(found, USER, item, "contribution")
    assert len(claims) == len(whole.history)
    total = sum(c.value.contribution for c in claims if c.kind == "contribution")
    assert total + whole.bias == pytest.approx(whole.score, abs=1e-5)
    for claim in claims:
        assert claim.kind == "contribution"
        assert verify(claim, ws).outcome == "verified"
        assert " its score, " in said(claim, ws)
        if claim.value.share is not None:
            dropped = altered(claim, value__share=None)
            assert "and left out" in refused(dropped, ws)
    assert refused(altered(claims[0], subject__items=("i38",)), ws)
    two = tuple(c.subject.items[0] for c in claims[:2])
    assert refused(altered(claims[0], subject__items=two), ws) == "it names more than one past item"


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=9), st.data())
def test_a_part_of_the_sum_is_told_only_where_parts_make_sense(
    parts: list[float], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(parts) - 1))
    one = likes.contribution(np.array(parts), at)
    assert 1 <= one.place <= one.of == len(parts)
    if one.share is None:
        assert min(parts) < 0 or sum(parts) <= 0 or abs(min(parts)) < 1e-9
    else:
        assert -1e-6 <= one.share <= 1 + 1e-6


def test_what_is_recent_is_in_order_and_the_last(small_workspace: Workspace) -> None:
    ws, item = small_workspace, best(small_workspace, USER)
    (claim,) = offered(likes.recent(ws, USER, 3), USER, item, "recent")
    rows = ws.recommender.interactions.query("user == @USER and rating >= 4").sort_values("time")
    assert list(claim.subject.items) == list(rows["item"])[::-1][:3]
    assert verify(claim, ws).outcome == "verified"
    a, b, c = claim.subject.items
    for items in ((b, a, c), (a, b), (b, c), (a, c, b), (a, b, "i38")):
        verdict = verify(altered(claim, subject__items=items), ws)
        assert (verdict.outcome == "verified") == (items == (a, b))
    assert "the newest first" in said(claim, ws)
    (one,) = offered(likes.recent(ws, USER, 1), USER, item, "recent")
    assert said(one, ws).startswith("your latest like is ")


def test_a_similar_item_is_an_example_and_no_cause(small_workspace: Workspace) -> None:
    ws, item = small_workspace, best(small_workspace, USER)
    claims = offered(similarity.similar(ws, USER, item), USER, item, "similarity")
    assert len(claims) == 3
    for claim in claims:
        assert claim.level == "illustrative"
        assert verify(claim, ws).reason == "compared again; an example, not a cause"
        assert said(claim, ws).endswith("which is an example and no cause")
        assert "never liked" in refused(altered(claim, subject__items=("i38",)), ws)


def test_words_in_reviews_are_counted_again(small_workspace: Workspace) -> None:
    ws = small_workspace
    (claim,) = offered(mentions.mentions(ws, ONCE, "i00", "DRAMA"), ONCE, "i00", "mentions")
    assert claim.value.model_dump() == {
        "word": "drama",
        "sentences": 2,
        "favourable": 2,
        "critical": 0,
        "of": 6,
        "source": "sample",
    }
    assert said(claim, ws) == (
        "the word “drama” stands in 2 of the 6 sentences of its sample reviews, 2 in favourable "
        "and 0 in critical ones"
    )
    for word in ("dramas", "Drama", "two words", "", "tender"):
        assert refused(altered(claim, value__word=word), ws)
    (none,) = offered(mentions.mentions(ws, ONCE, "i00", "zombie"), ONCE, "i00", "mentions")
    assert "stands in none of the 6 sentences" in said(none, ws)
    assert verify(none, ws).outcome == "verified"


def test_a_users_own_words_are_of_other_items(small_workspace: Workspace) -> None:
    ws, item = small_workspace, best(small_workspace, "u05")
    (claim,) = offered(mentions.own_words(ws, "u05", item, "drama"), "u05", item, "own_words")
    assert claim.value.model_dump() == {"word": "drama", "sentences": 1, "of": 2}
    assert said(claim, ws).endswith("stands in 1 of the 2 sentences you wrote on other titles")
    assert verify(claim, ws).outcome == "verified"
    assert refused(altered(claim, subject__user="u00", subject__item="i16"), ws)


def test_the_catalogue_is_told_as_it_is(small_workspace: Workspace) -> None:
    ws = small_workspace
    year, genres = offered(catalogue.details(ws, "i16"), USER, "i16", "metadata")
    assert [said(c, ws) for c in (year, genres)] == [
        "it is from 1976",
        "it is listed under Comedy",
    ]
    assert refused(altered(year, value__entries=("1977",)), ws).endswith("1976")
    assert refused(altered(year, value__field="genres"), ws)
    unknown = altered(year, subject__user=ONCE, subject__item="i17")
    assert refused(unknown, ws) == "the catalogue has no year of the item"


def test_one_item_stands_above_another_by_rank_and_score(small_workspace: Workspace) -> None:
    ws = small_workspace
    first, second = (r.item for r in ws.recommender.recommend(USER, 2))
    (claim,) = offered(catalogue.compare(ws, USER, first, second), USER, first, "item_comparison")
    assert said(claim, ws) == (
        f"it stands in 1st place for you and {ws.recommender.short_title(second)} in 2nd"
    )
    assert offered(catalogue.compare(ws, USER, second, first), USER, second, "rank") == []
    turned = altered(
        claim,
        subject__item=second,
        subject__other_item=first,
        value__rank=2,
        value__other_rank=1,
        value__score=claim.value.other_score,
        value__other_score=claim.value.score,
    )
    for comparator in "<>":
        assert verify(altered(claim, comparator=comparator), ws).outcome == "verified"
        assert refused(altered(turned, comparator=comparator), ws)
    seen = ws.recommender.item_ids.ids[ws.recommender.seen(USER)[0]]
    assert "already seen" in refused(altered(claim, subject__other_item=seen), ws)
    assert "with itself" in refused(altered(claim, subject__other_item=first), ws)


def test_a_list_compares_by_rank_alone(small_workspace: Workspace) -> None:
    box = listed(small_workspace, 12)
    lines = small_workspace.recommender.recommend(USER, 20)
    near, far = lines[1].item, lines[-1].item
    for other, rank in ((near, 2), (far, None)):
        (claim,) = offered(
            catalogue.compare(box, USER, lines[0].item, other),
            USER,
            lines[0].item,
            "item_comparison",
        )
        assert claim.value.model_dump() == {
            "rank": 1,
            "other_rank": rank,
            "score": None,
            "other_score": None,
        }
        assert verify(claim, box).outcome == "verified"
        by_score = verify(altered(claim, comparator=">"), box)
        assert by_score.outcome == "uncheckable"
        assert by_score.reason.startswith("needs its scores")
    assert said(claim, box).endswith("further down than the list goes")
    assert catalogue.compare(box, USER, far, lines[-2].item) == ()


def unknowable(wanted: str, needs: str, shows: str) -> Claim:
    record: dict[str, Any] = {
        "kind": "cannot_know",
        "id": "u1",
        "subject": {"user": USER, "item": "i16"},
        "value": {"wanted": wanted, "needs": needs, "shows": shows},
        "evidence": ("e-1",),
    }
    return CLAIM.validate_python(record)


def test_what_cannot_be_known_is_said_only_where_it_cannot(small_workspace: Workspace) -> None:
    ws = small_workspace
    places = {"owned": ws, "scores": scored(ws), "top_n": listed(ws, 12)}
    for shows, here in places.items():
        for wanted, needs in NEEDS.items():
            for told in ("top_n", "scores", "owned", "reviews"):
                for shown in places:
                    true = shown == shows and told == needs == "owned" != shows
                    verdict = verify(unknowable(wanted, told, shown), here)
                    assert verdict.outcome == ("verified" if true else "refuted")
    assert "no kind of claim" in refused(unknowable("destiny", "owned", "scores"), places["scores"])
    assert refused(unknowable("persona_effect", "owned", "owned"), ws) == "that can be known here"


def test_without_reviews_what_they_say_cannot_be_known(small_workspace: Workspace) -> None:
    bare = Workspace(small_workspace.recommender)
    for wanted in NEEDS:
        verdict = verify(unknowable(wanted, "reviews", "owned"), bare)
        assert (verdict.outcome == "verified") == (wanted in NEED_REVIEWS)
        assert verify(unknowable(wanted, "reviews", "owned"), small_workspace).outcome == "refuted"
    (claim,) = offered(catalogue.access(bare), USER, "i16", "cannot_know")
    assert said(claim, bare) == (
        "what its reviews say cannot be known here: there are no reviews to look into"
    )


def test_a_black_box_is_said_not_to_show_tastes(small_workspace: Workspace) -> None:
    for box, shows in ((scored(small_workspace), "its scores"), (listed(small_workspace, 12), "")):
        item = best(box, USER)
        (claim,) = offered(gather(box, USER, item), USER, item, "cannot_know")
        assert verify(claim, box).outcome == "verified"
        assert said(claim, box) == (
            "what each of your tastes does for it cannot be known here: that takes the model "
            f"itself, and this recommender shows {shows or 'its best items'} only"
        )
    assert offered(gather(small_workspace, USER, item), USER, item, "cannot_know") == []
    assert set(ASKED) == {k for k, need in NEEDS.items() if need != "none"} | NEED_REVIEWS


@pytest.mark.parametrize(
    ("kind", "subject", "value", "words"),
    [
        (
            "persona_comparison",
            {"persona": 0, "other_persona": 1},
            {"name": "war", "effect": 0.5, "other_name": "love", "other_effect": -0.25},
            "The taste for war (▲ +0.50) does more for its score than the taste for love (▼ −0.25)",
        ),
        (
            "necessary_set",
            {"items": ("x", "y")},
            {"minimal": "proven", "top": 10, "rank_before": 3, "rank_after": 12},
            (
                "Without X and item y: rank goes from 3rd to 12th, out of the top 10; no "
                "smaller set does"
            ),
        ),
        (
            "necessary_set",
            {"items": ("x",)},
            {"minimal": "found", "top": 5, "rank_before": 3, "rank_after": None},
            (
                "Without X: rank goes from 3rd to one that is not listed, out of the top 5; none "
                "of them can be spared"
            ),
        ),
        (
            "sufficient_set",
            {"items": ("x",)},
            {"minimal": "proven", "top": 10, "rank_alone": 2},
            "With nothing but X: ranks 2nd, within the top 10; no smaller set does",
        ),
        (
            "contribution",
            {"items": ("x",)},
            {"contribution": -0.25, "place": 3, "of": 3, "share": None},
            "X counts ▼ −0.25 in the score, 3rd of 3 past items",
        ),
        (
            "contribution",
            {"items": ("x",)},
            {"contribution": 0.5, "place": 1, "of": 1, "share": 1.0},
            "X counts ▲ +0.50 in the score, 1st of 1 past item, 100 % of the sum",
        ),
        ("recent", {"items": ("x", "y")}, {"of": 7}, "Liked last: X and item y (of 7 likes)"),
        (
            "similarity",
            {"items": ("x",)},
            {"cosine": -0.5},
            "Similarity to X: −0.50 (−1 to 1), an example and no cause",
        ),
        (
            "mentions",
            {},
            {"word": "joy", "sentences": 2, "favourable": 1, "critical": 0, "of": 9}
            | {"source": "web"},
            "“joy” stands in 2 of 9 review sentences: 1 favourable, 0 critical · from web",
        ),
        (
            "own_words",
            {},
            {"word": "joy", "sentences": 1, "of": 1},
            "“joy” stands in 1 of 1 sentence the user wrote on other items",
        ),
        ("metadata", {}, {"field": "genres", "entries": ("War", "Love")}, "Genres: War and Love"),
        (
            "item_comparison",
            {"other_item": "x"},
            {"rank": 1, "other_rank": 4, "score": 2.0, "other_score": 1.0},
            "Ranks 1st, above X (4th)",
        ),
        (
            "basis",
            {},
            {"rung": "own_reviews", "seen": 4, "likes": 1, "reviews": 2},
            "Rests on own reviews (1 like, 2 own reviews)",
        ),
        (
            "circle",
            {},
            {"size": 50, "liked": 12, "everyone": 41, "users": 892},
            "Liked by 12 of 50 users with similar likes, by 41 of 892 other users",
        ),
        (
            "personal_effect",
            {},
            {"effect": 0.02, "low": -0.01, "high": 0.05, "refits": 20, "raised": 15},
            (
                "All past likes over 20 models fitted again: +2.00 % of the places "
                "(95 % interval −1.00 % to 5.00 %), raised in 15"
            ),
        ),
        (
            "cannot_know",
            {},
            {"wanted": "contribution", "needs": "owned", "shows": "scores"},
            (
                "What each of your past likes adds to its score cannot be known here: that takes "
                "the model itself, and this recommender shows its scores only"
            ),
        ),
    ],
)
def test_each_kind_is_said_with_its_value(
    kind: str, subject: dict[str, Any], value: dict[str, Any], words: str
) -> None:
    record = {"kind": kind, "id": "z1", "value": value, "evidence": ("e",)}
    claim = CLAIM.validate_python(record | {"subject": {"user": "u", "item": "i", **subject}})
    assert "".join(in_words(claim, {"x": "X"})) == words
