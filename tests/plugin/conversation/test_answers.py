"""Each intent is answered with what the artefact gives when it is asked directly."""

from __future__ import annotations

import numpy as np
import pytest

from whythis.conversation.assistant import WhyThis
from whythis.conversation.intents import Route
from whythis.explain import explain
from whythis.recsys import effects
from whythis.recsys.editing import edited
from whythis.tools.memory import events
from whythis.tools.memory.summary import summarise
from whythis.tools.similarity import cosines
from whythis.tools.workspace import Workspace

from .talking import USER, Scripted, Talk, judge


@pytest.fixture(autouse=True)
def anew(asked: Talk) -> None:
    asked.session = None


def short(asked: Talk, item: str) -> str:
    return str(asked.rec.short_title(item))


def test_a_list_is_that_of_the_recommender(asked: Talk) -> None:
    reply = asked.ask("recommend")
    best = asked.best()
    assert [one.item for one in reply.items] == best
    assert [one.rank for one in reply.items] == list(range(1, 11))
    first, second, third = (short(asked, item) for item in best[:3])
    assert reply.text == (
        f"For you, {first} comes first of the {asked.rec.unseen(USER)} titles you have not seen, "
        f"then {second} and {third}."
    )
    assert reply.session.shown == tuple(best)
    assert reply.session.focus is None


def test_why_is_the_explanation(asked: Talk) -> None:
    item = asked.best()[0]
    reply = asked.ask("why", items=(item,))
    alone = explain(asked.ws, USER, item)
    assert reply.explanation is not None
    assert reply.text == alone.answer == reply.explanation.answer
    assert reply.claims == alone.claims
    assert reply.session.focus == item
    again = asked.ask("why")  # "why?": what was spoken of last
    assert again.text == reply.text


def test_without_anything_spoken_of_it_asks_which(asked: Talk) -> None:
    asked.ask("recommend")
    reply = asked.ask("why")
    assert reply.asks_back
    assert reply.text == "Which title do you mean?"
    assert [one.item for one in reply.choices] == asked.best(5)


def test_a_bare_name_completes_what_was_asked(asked: Talk) -> None:
    worst = asked.best(99)[-1]
    asked.ask("why_not")
    reply = asked.ask("why", "that one", items=(worst,), confidence=0.25)
    assert reply.intent == "why_not"
    assert not reply.asks_back
    assert reply.session.asked is None


def test_a_taste_completes_what_was_asked_by_its_name(asked: Talk) -> None:
    reply = asked.ask("less_of", confidence=0.3, unclear="which taste")
    assert reply.sentences[0].text.startswith("Your tastes are: ")
    assert reply.sentences[1].text == "Which of your tastes do you mean?"
    assert asked.router.context is not None
    name = next(name for name in asked.router.context.personas if name)
    done = asked.ask("unrelated", name, confidence=0.9)
    assert done.intent == "less_of"
    assert done.text.startswith(f"Without your taste for {name}, your first 10 would ")


def test_another_question_is_no_answer_to_what_was_asked_back(asked: Talk) -> None:
    asked.ask("why_not")
    assert asked.ask("recommend").intent == "recommend"
    asked.ask("why_not")
    assert asked.ask("help", "what?", confidence=0.9).intent == "help"


@pytest.mark.parametrize("intent", ["why", "why_not", "opinions"])
def test_what_was_seen_is_said_to_be_seen(asked: Talk, intent: str) -> None:
    rows = asked.rec.interactions
    row = rows[rows["user"] == USER].iloc[0]
    reply = asked.ask(intent, items=(row["item"],))  # type: ignore[arg-type]
    assert reply.sentences[0].text == (
        f"You have rated {short(asked, row['item'])} {row['rating']:g} of 5: "
        "it is not recommended again."
    )
    assert reply.facts[0].level == "observed"


def test_why_not_says_where_it_stands_and_what_comes_first(asked: Talk) -> None:
    worst, first = asked.best(99)[-1], asked.best()[0]
    rank = asked.rec.rank(USER, worst)
    reply = asked.ask("why_not", items=(worst,))
    of = asked.rec.unseen(USER)
    ordinal = reply.sentences[0].text.split(" ranks ")[1]
    assert ordinal.startswith(f"{rank}")
    assert ordinal.endswith(f" of the {of} you have not seen.")
    kinds = [claim.kind for claim in reply.claims]
    assert kinds[0] == "rank"
    assert "item_comparison" in kinds
    beside = next(c for c in reply.claims if c.kind == "item_comparison")
    assert (beside.subject.item, beside.subject.other_item) == (first, worst)
    against = [c for c in reply.claims if c.kind == "persona_effect" and c.subject.item == worst]
    for claim in against:
        assert claim.value.effect < 0
    assert reply.session.other == first


def test_why_not_of_what_is_in_the_list_says_so(asked: Talk) -> None:
    second = asked.best()[1]
    reply = asked.ask("why_not", items=(second,))
    assert f"{short(asked, second)} ranks 2nd of the " in reply.sentences[0].text
    assert not [c for c in reply.claims if c.kind == "item_comparison"]


@pytest.mark.parametrize("turned", [False, True])
def test_why_over_tells_the_upper_one_first(asked: Talk, turned: bool) -> None:
    one, other = asked.best()[0], asked.best()[4]
    items = (other, one) if turned else (one, other)
    reply = asked.ask("why_over", items=items)
    beside = reply.claims[0]
    assert beside.kind == "item_comparison"
    assert (beside.subject.item, beside.subject.other_item) == (one, other)
    assert (beside.value.rank, beside.value.other_rank) == (1, 5)
    assert (reply.session.focus, reply.session.other) == items


def test_why_over_needs_two(asked: Talk) -> None:
    best = asked.best()
    assert asked.ask("why_over", items=(best[0],)).asks_back
    asked.ask("why", items=(best[0],))
    reply = asked.ask("why_over", items=(best[3],))  # "why is it above that one?"
    assert reply.claims[0].subject.item == best[0]


def test_what_if_is_executed_for_the_item_and_the_list(asked: Talk) -> None:
    item, past = asked.best()[0], asked.liked()[-1]
    asked.ask("why", items=(item,))
    reply = asked.ask("what_if", items=(past,))
    (done,) = effects.remove(asked.rec, USER, item, [[past]])
    (claim,) = reply.claims
    assert claim.kind == "history_effect"
    assert claim.subject.items == (past,)
    assert (claim.value.rank_before, claim.value.rank_after) == (done.rank_before, done.rank_after)
    # an edit of the data that keeps the item from coming back gives the same list
    without = edited(asked.rec, USER, withhold=[past])
    after = {one.item: one.rank for one in without.recommend(USER, 99)}
    before = {one.item: one.rank for one in asked.rec.recommend(USER, 99)}
    for change in reply.changes:
        assert (change.before, change.after) == (before[change.item], after[change.item])
    moved = {i for i in {*list(before)[:10], *list(after)[:10], item} if before[i] != after[i]}
    assert {change.item for change in reply.changes} == moved
    assert events.read(asked.folder, USER) == ()


def test_several_past_items_and_tastes_at_once(asked: Talk) -> None:
    item, past = asked.best()[0], asked.liked()[-2:]
    reply = asked.ask("what_if", items=(*past, item))
    (claim,) = [c for c in reply.claims if c.kind == "history_effect"]
    assert set(claim.subject.items) == set(past)
    both = asked.ask("what_if", items=(past[0], item), personas=(0, 1))
    placed = next(e.value for e in both.evidence if e.kind == "would_place")
    keep = np.array([[p not in (0, 1) for p in range(asked.rec.model.k)]])
    history = asked.rec.history(USER)
    mask = (history != asked.rec.item_ids.index(past[0]))[None]
    scores = asked.rec.mixture(history, mask, keep).scores[0].numpy()
    target = asked.rec.item_ids.index(item)
    place = asked.rec.place_in(scores, target, asked.rec.seen(USER))
    assert placed["after"] == place.rank


def test_one_taste_is_deleted_as_a_claim_has_it(asked: Talk) -> None:
    item = asked.best()[0]
    asked.ask("why", items=(item,))
    reply = asked.ask("what_if", personas=(0,))
    done = effects.without_persona(asked.rec, USER, item, 0)
    told = {c.kind: c for c in reply.claims}
    if "persona_effect" in told:
        assert told["persona_effect"].value.rank_after == done.rank_after
    else:
        assert asked.rec.short_title(item) in reply.text
    assert reply.facts[-1].kind == "would_list"


def test_what_was_never_liked_cannot_be_forgotten(asked: Talk) -> None:
    unseen = asked.best()[0]
    rows = asked.rec.interactions
    low = rows[(rows["user"] == USER) & (rows["rating"] < 4)]["item"].iloc[0]
    reply = asked.ask("what_if", items=(low, unseen))
    assert reply.text == (
        f"{short(asked, low)} does not count as one of your likes, so no score rests on it. "
        f"{short(asked, unseen)} is not in your past, so no score rests on it."
    )


def newcomer(asked: Talk, item: str) -> str:
    """Return a user who has not seen an item."""
    index = asked.rec.item_ids.index(item)
    return next(u for u in asked.rec.user_ids.ids if index not in asked.rec.seen(u))


def test_opinions_are_quoted_word_for_word_and_counted(asked: Talk) -> None:
    asked.user = newcomer(asked, "i02")
    try:
        reply = asked.ask("opinions", items=("i02",), about="the tension")
        quotes = [c.value.quote for c in reply.claims if c.kind == "review_quote"]
        assert quotes[0] == "The tension never drops."
        assert "“The tension never drops.” (sample review, rated 5)" in reply.text
    finally:
        asked.user = USER


def test_where_nobody_speaks_of_it_that_is_said(asked: Talk) -> None:
    asked.user = newcomer(asked, "i00")
    try:
        reply = asked.ask("opinions", items=("i00",), about="zeppelins")
        (claim,) = reply.claims
        assert claim.kind == "mentions"
        assert claim.value.sentences == 0
        assert "stands in none of the" in reply.text
        bare = asked.ask("opinions", items=("i00",))
        quotes = [c for c in bare.claims if c.kind == "review_quote"]
        assert {c.value.rating for c in quotes} == {5.0, 2.0}
    finally:
        asked.user = USER


def test_an_item_without_reviews_has_none(asked: Talk) -> None:
    item = next(i for i in asked.best(99) if not asked.ws.item_sentences(USER, i))
    reply = asked.ask("opinions", items=(item,))
    assert reply.text == f"Nobody else has reviewed {short(asked, item)} here."


def test_without_an_index_it_is_said_what_cannot_be_known(asked: Talk) -> None:
    router = Scripted()
    bare = WhyThis(Workspace(asked.rec), router=router)
    router.next = Route(intent="opinions", items=(asked.best()[0],), confidence=1)
    reply = bare.ask(USER, "?")
    assert [c.kind for c in reply.claims] == ["cannot_know"]
    judge(reply, None, bare.ws)


def test_the_profile_is_the_memory_without_what_is_contested(speak: Talk) -> None:
    told = {one.text for one in summarise(speak.ws, USER).statements}
    reply = speak.ask("profile")
    assert {sentence.text for sentence in reply.sentences} <= told
    assert reply.sentences[0].text.endswith("choices count as liked.")
    taste = next(f for f in reply.facts if f.kind == "taste")
    speak.assistant.close()
    events.append(speak.folder, USER, "contest", taste.id, time=1.0)
    again = Talk(speak.folder)
    texts = [sentence.text for sentence in again.ask("profile").sentences]
    again.assistant.close()
    assert taste.text not in texts
    assert len(texts) == len(reply.sentences) - 1


def test_more_like_an_item_is_nearest_by_the_model(asked: Talk) -> None:
    past = asked.liked()[0]
    reply = asked.ask("more_like", items=(past,))
    near = cosines(asked.rec, past)
    seen = set(asked.rec.seen(USER).tolist())
    unseen = [i for i in range(len(near)) if i not in seen]
    best = sorted(unseen, key=lambda i: -round(near[i], 6))[:10]
    assert [one.item for one in reply.items] == [asked.rec.item_ids.ids[i] for i in best]
    assert [one.score for one in reply.items] == [round(float(near[i]), 6) for i in best]
    assert reply.facts[0].level == "illustrative"


def test_more_of_a_taste_is_ranked_by_it_alone(asked: Talk) -> None:
    reply = asked.ask("more_like", personas=(1,))
    keep = np.array([[p == 1 for p in range(asked.rec.model.k)]])
    scores = next(iter(asked.rec.with_personas(asked.rec.history(USER), keep)))
    scores[asked.rec.seen(USER)] = -np.inf
    assert reply.items[0].item == asked.rec.item_ids.ids[int(np.argmax(scores))]


def test_less_of_a_taste_or_an_item_is_a_list_ranked_again(asked: Talk) -> None:
    of_taste = asked.ask("less_of", personas=(0,))
    keep = np.array([[p != 0 for p in range(asked.rec.model.k)]])
    scores = next(iter(asked.rec.with_personas(asked.rec.history(USER), keep)))
    scores[asked.rec.seen(USER)] = -np.inf
    assert of_taste.items[0].item == asked.rec.item_ids.ids[int(np.argmax(scores))]
    past = asked.liked()[-1]
    of_past = asked.ask("less_of", items=(past,))
    without = edited(asked.rec, USER, withhold=[past])
    assert [o.item for o in of_past.items] == [o.item for o in without.recommend(USER, 10)]
    unseen = asked.ask("less_of", items=(asked.best()[0],))
    assert "would_list" in {fact.kind for fact in unseen.facts}
    assert "persona_effect" in {claim.kind for claim in unseen.claims}


def test_help_and_what_is_unrelated_claim_nothing(asked: Talk) -> None:
    for intent in ("help", "unrelated"):
        reply = asked.ask(intent)  # type: ignore[arg-type]
        assert {sentence.writer for sentence in reply.sentences} == {"fixed"}
        assert reply.evidence == ()


def test_below_the_threshold_it_asks_back(asked: Talk) -> None:
    best = asked.best()
    reply = asked.ask("why", confidence=0.2, unclear="film\u202e ”x\x1b", choices=(best[1], "?"))
    assert reply.asks_back
    assert [one.item for one in reply.choices] == [best[1]]
    assert reply.sentences[0].text == "I could not place “film 'x\ufffd”."
    assert not reply.claims
    assert not reply.facts


def test_what_was_shown_and_spoken_of_is_handed_to_the_router(asked: Talk) -> None:
    asked.ask("recommend")
    asked.ask("why", items=(asked.best()[2],))
    asked.ask("help")
    context = asked.router.context
    assert context is not None
    assert context.shown == tuple(asked.best())
    assert context.focus == asked.best()[2]
    assert context.user == USER


def test_users_about_whom_nothing_is_known(asked: Talk) -> None:
    for user in ("nobody", "once"):
        asked.user = user
        try:
            for intent in ("recommend", "why", "why_not", "profile", "less_of", "more_like"):
                asked.ask(intent, items=(asked.best()[0],))  # type: ignore[arg-type]
                asked.ask(intent, items=(asked.best(99)[-1],))  # type: ignore[arg-type]
            asked.ask("contest")
            asked.ask("undo")
        finally:
            asked.user, asked.session = USER, None
