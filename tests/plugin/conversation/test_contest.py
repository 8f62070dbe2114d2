"""A correction is proposed, made after a yes, shown as it turned out, and taken back whole."""

from __future__ import annotations

import pytest

from whythis.conversation.assistant import WhyThis
from whythis.conversation.contest import decision, is_order
from whythis.conversation.intents import Route
from whythis.conversation.reply import Reply
from whythis.conversation.session import Session
from whythis.recsys.editing import edited
from whythis.tools.memory import events
from whythis.tools.memory.events import path_of
from whythis.tools.workspace import open_workspace

from .talking import USER, Talk


def state(speak: Talk) -> tuple[object, ...]:
    """Return what an undo must restore: hashes, all lists, and the corrections that hold."""
    rec = speak.rec
    lists = [rec.recommend(user, 40) for user in (USER, "u01", "u02")]
    return dict(rec.hashes), lists, dict(speak.ws.memory)


def places(speak: Talk) -> dict[str, int]:
    return {one.item: one.rank for one in speak.rec.recommend(USER, 99)}


def agrees(reply: Reply, before: dict[str, int], after: dict[str, int]) -> None:
    for change in reply.changes:
        assert change.before == before.get(change.item)
        assert change.after == after.get(change.item)
        assert change.before != change.after


def test_that_is_not_why(speak: Talk) -> None:
    """Why, an objection, a proposal, a yes, another list, an undo: all of it exact."""
    first, before, was = speak.best()[0], places(speak), state(speak)
    why = speak.ask("why", items=(first,))
    behind = next(c.subject.items for c in why.claims if c.kind == "history_effect")

    proposed = speak.ask("contest", "that's not why")
    assert proposed.asks_back
    assert proposed.session.proposal is not None
    assert proposed.session.proposal.items == behind
    assert proposed.sentences[-1].text == "Shall I keep this correction?"
    assert state(speak) == was
    assert not path_of(speak.folder, USER).exists()
    foreseen = edited(speak.rec, USER, withhold=behind)
    after = {one.item: one.rank for one in foreseen.recommend(USER, 99)}
    agrees(proposed, before, after)

    made = speak.ask("help", "Yes, please!")
    assert made.intent == "contest"
    agrees(made, before, places(speak))
    assert places(speak) == after
    assert set(made.predicted) == set(made.changes) == set(proposed.changes)
    assert made.sentences[1].text == (
        "That is what was predicted: the same first 10, in the same order."
    )
    assert not set(behind) & set(speak.best(99))
    kept = events.read(speak.folder, USER)
    assert [(e.act, e.target) for e in kept] == [("reject", item) for item in behind]
    assert made.session.proposal is None

    undone = speak.ask("undo")
    agrees(undone, after, before)
    assert state(speak) == was
    assert speak.ask("undo").text == "There is no correction to take back."
    assert speak.ask("why", items=(first,)).text == why.text


def test_an_order_is_made_at_once_and_can_be_undone(speak: Talk) -> None:
    past, before, was = speak.liked()[-1], places(speak), state(speak)
    made = speak.ask("contest", "Please forget it", items=(past,))
    assert not made.asks_back
    assert speak.rec.item_ids.index(past) not in speak.rec.seen(USER)
    agrees(made, before, places(speak))
    back = next(c for c in made.changes if c.item == past)
    assert back.before is None
    assert back.after == speak.rec.rank(USER, past)
    assert "What is forgotten can be recommended again." in made.text
    assert state(speak)[1][1:] == was[1][1:]  # type: ignore[index]
    speak.ask("undo", "undo that")
    assert state(speak) == was


@pytest.mark.parametrize("intent", ["what_if", "less_of", "contest"])
def test_what_is_unseen_is_left_out_on_order(speak: Talk, intent: str) -> None:
    first, was = speak.best()[0], state(speak)
    made = speak.ask(intent, "never recommend that film", items=(first,))  # type: ignore[arg-type]
    assert made.intent == "contest"
    assert first not in speak.best(99)
    why = speak.ask("why", items=(first,))
    assert why.text == (
        f"You rejected {speak.rec.short_title(first)}, so it is never recommended to you."
    )
    again = speak.ask("contest", "I don't like it", items=(first,))
    assert again.text == why.text
    assert not again.asks_back
    speak.ask("undo")
    assert state(speak) == was


def test_a_question_is_no_order(speak: Talk) -> None:
    past = speak.liked()[-1]
    for text in ("forget that film for a moment", "what if I forget it?", "should I delete it?"):
        assert not is_order(text)
        speak.ask("what_if", text, items=(past,))
    assert events.read(speak.folder, USER) == ()


def test_a_taste_is_contested_by_what_weighs_most_in_it(speak: Talk) -> None:
    reply = speak.ask("contest", "I don't like drama", personas=(0,))
    assert reply.asks_back
    assert reply.session.proposal is not None
    behind = reply.session.proposal.items
    assert set(behind) <= set(speak.liked())
    assert 1 <= len(behind) <= 5
    was = state(speak)
    speak.ask("help", "ok")
    assert len(events.read(speak.folder, USER)) == len(behind)
    speak.ask("undo")  # what was made at once is taken back at once
    assert state(speak) == was


def test_a_no_leaves_everything(speak: Talk) -> None:
    was = state(speak)
    speak.ask("contest", "I never liked it", items=(speak.liked()[0],))
    reply = speak.ask("contest", "no, thanks")
    assert reply.text == "Nothing was changed."
    assert reply.session.proposal is None
    assert state(speak) == was


def test_a_proposal_lapses_with_another_question(speak: Talk) -> None:
    speak.ask("contest", "I never liked it", items=(speak.liked()[0],))
    assert speak.ask("recommend").session.proposal is None
    speak.ask("help", "yes")
    assert events.read(speak.folder, USER) == ()


def test_a_yes_to_what_was_proposed_on_other_data_changes_nothing(speak: Talk) -> None:
    past = speak.liked()
    waiting = speak.ask("contest", "I never liked it", items=(past[0],)).session
    speak.session = None
    speak.ask("contest", "forget it", items=(past[1],))
    held = events.read(speak.folder, USER)
    speak.session = waiting
    assert speak.ask("help", "yes").text == (
        "The data have changed since I asked: please say it again."
    )
    assert events.read(speak.folder, USER) == held


def test_a_forged_proposal_cannot_do_more_than_its_user_may(speak: Talk) -> None:
    data_hash = speak.rec.hashes["data"]
    unseen = speak.best()[0]
    for items in (["i99"], [unseen]):
        proposal = {"act": "forget", "items": items, "data_hash": data_hash}
        speak.session = Session.from_json({"user": USER, "proposal": proposal})
        speak.ask("help", "yes")
    assert events.read(speak.folder, USER) == ()


def test_corrections_hold_for_who_opens_the_artefact_next(speak: Talk) -> None:
    speak.ask("contest", "forget it", items=(speak.liked()[0],))
    hashes = dict(speak.rec.hashes)
    speak.assistant.close()
    ws = open_workspace(speak.folder)
    assert dict(ws.recommender.hashes) == hashes
    ws.store().close()
    again = Talk(speak.folder)
    undone = again.ask("undo")  # a correction of an earlier conversation
    assert undone.facts[0].kind == "edited"
    assert dict(again.rec.hashes) != hashes
    again.assistant.close()


def test_without_a_folder_nothing_is_kept(speak: Talk) -> None:
    bare = WhyThis(speak.ws, router=speak.router)
    for text in ("I never liked it", "forget it"):
        speak.router.next = Route(intent="contest", items=(speak.liked()[0],), confidence=1)
        reply = bare.ask(USER, text)
        assert reply.sentences[-1].text == "Corrections cannot be kept here."
        assert reply.session.proposal is None
    assert events.read(speak.folder, USER) == ()


@pytest.mark.parametrize("text", ["yes", " Yes. ", "OK, do it", "go ahead!", "sure", "yes please"])
def test_a_yes(text: str) -> None:
    assert decision(text) == "yes"


@pytest.mark.parametrize("text", ["no", "No thanks.", "don’t", "never mind", "cancel"])
def test_a_no(text: str) -> None:
    assert decision(text) == "no"


@pytest.mark.parametrize(
    "text", ["yes but why?", "no idea", "yesterday", "", "why not?", "yes " * 99, "not yes"]
)
def test_neither(text: str) -> None:
    assert decision(text) is None
