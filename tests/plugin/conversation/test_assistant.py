"""The one object of every surface: streams, threads, sessions, a language model."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

import whythis
from tests.plugin.fakes import Script
from whythis.conversation.assistant import WhyThis
from whythis.conversation.intents import Route
from whythis.conversation.local_router import LocalRouter
from whythis.conversation.reply import Done, EvidenceFound, Reply, Said, Step
from whythis.conversation.session import Session
from whythis.explain import explain
from whythis.recsys.errors import DataError, LanguageModelError, UnknownIdError
from whythis.text.checker import Draft, Ledger
from whythis.tools.workspace import Workspace

from .talking import USER, Talk, judge

QUESTIONS = ("what do you recommend?", "why the second one?", "who am I?", "why not Film B01?")


def told(reply: Reply) -> object:
    plain = reply.as_json()
    if plain["explanation"]:
        plain["explanation"]["metrics"].pop("ms")
    return plain


def test_it_is_found_at_the_root() -> None:
    assert whythis.WhyThis is WhyThis
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = whythis.nothing_such


def test_a_stream_ends_with_what_it_told(small_workspace: Workspace) -> None:
    assistant = WhyThis(small_workspace)
    session = None
    for question in QUESTIONS:
        *steps, done = assistant.stream(USER, question, session)
        assert isinstance(steps[0], Step)
        assert isinstance(done, Done)
        said = [one.sentence for one in steps if isinstance(one, Said)]
        assert tuple(said) == done.reply.sentences
        found = {one.record.id: n for n, one in enumerate(steps) if isinstance(one, EvidenceFound)}
        assert {record.id for record in done.reply.evidence} <= set(found)
        held = {c.id: c.evidence for c in (*done.reply.claims, *done.reply.facts)}
        for n, one in enumerate(steps):
            if isinstance(one, Said):
                for id_ in (*one.sentence.claims, *one.sentence.facts):
                    assert all(found[record] < n for record in held[id_])
        assert told(assistant.ask(USER, question, session)) == told(done.reply)
        session = done.reply.session
    assert session is not None
    assert session.turns == len(QUESTIONS)


def test_a_session_is_of_one_user_and_survives_json(small_workspace: Workspace) -> None:
    assistant = WhyThis(small_workspace)
    first = assistant.ask(USER, QUESTIONS[0])
    back = Session.from_json(first.as_json()["session"])
    assert back == first.session
    with pytest.raises(DataError, match="the session is of user 'u00', not of 'u01'"):
        assistant.stream("u01", "why?", back)
    with pytest.raises(UnknownIdError):
        assistant.stream("stranger", "why?")
    with pytest.raises(DataError, match="no session: at 'shown'"):
        Session.from_json({"user": USER, "shown": ["i00"] * 101})
    with pytest.raises(DataError, match="no session"):
        Session.from_json("u00")


def test_threads_get_the_answers_that_one_gets(small_workspace: Workspace) -> None:
    asked = [(user, q) for user in ("u00", "u01", "u02", "once") for q in QUESTIONS]
    alone = [told(WhyThis(small_workspace).ask(*one)) for one in asked]
    assistant = WhyThis(small_workspace)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: told(assistant.ask(*one)), asked * 2))
    assert together == alone * 2


class Alone(Script):
    """Notice when two answers are worded at the same time."""

    def __init__(self) -> None:
        super().__init__(self.drafts)
        self.lock = threading.Lock()
        self.worded = 0

    def drafts(self, ledger: Ledger) -> Sequence[Draft]:
        assert self.lock.acquire(blocking=False), "two at once"
        time.sleep(0.02)
        self.worded += 1
        self.lock.release()
        return [Draft("{item} won 7 Oscars.", ("p1",))]


def test_the_language_model_words_one_answer_at_a_time(small_workspace: Workspace) -> None:
    writer = Alone()
    assistant = WhyThis(small_workspace, writer=writer)
    item = assistant.recommend(USER, 1)[0].item
    title = small_workspace.recommender.title(item)

    def one(n: int) -> str:
        if n % 2:
            return assistant.explain(USER, item).answer
        return assistant.ask(USER, f"why {title}?").text

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(one, range(12)))
    assert writer.worded == 12
    assert answers == {explain(small_workspace, USER, item).answer}
    assert assistant.explain(USER, item, written=False).llm == "none"
    assistant.ask(USER, f"why {title}?", written=False)
    assert writer.worded == 12


def test_a_language_model_that_fails_is_said_and_code_answers(small_workspace: Workspace) -> None:
    def fails(ledger: Ledger) -> Sequence[Draft]:
        raise LanguageModelError("the endpoint is gone")

    assistant = WhyThis(small_workspace, writer=Script(fails))
    item = assistant.recommend(USER, 1)[0]
    reply = assistant.ask(USER, f"why {item.title}?")
    assert reply.note == "the endpoint is gone"
    assert reply.text == explain(small_workspace, USER, item.item).answer
    judge(reply, None, small_workspace)


def test_a_model_that_runs_here_helps_to_route(small_workspace: Workspace) -> None:
    class Chooses:
        asked = 0

        def choose(self, system: str, question: str, options: Sequence[str]) -> Sequence[float]:
            self.asked += 1
            return [float(option == "profile") for option in options]

    class Local(Script):
        model = Chooses()

    assistant = WhyThis(small_workspace, writer=Local(lambda _: ()))
    assert isinstance(assistant._routing, LocalRouter)
    reply = assistant.ask(USER, "so, um, like that then")
    assert (reply.intent, Local.model.asked) == ("profile", 1)
    assert assistant.ask(USER, "sprich mit mir bitte", written=False).intent != "profile"
    assert Local.model.asked == 1


def test_lists_and_audits_are_those_of_the_parts(small_workspace: Workspace) -> None:
    assistant = WhyThis(small_workspace)
    best = assistant.recommend(USER, 3)
    assert [(o.item, o.rank, o.score) for o in best] == [
        (o.item, o.rank, o.score) for o in small_workspace.recommender.recommend(USER, 3)
    ]
    judged = assistant.audit(USER, best[0].item, f"{best[0].title} won 7 Oscars.")
    assert judged.summary.supported == 0


def test_what_a_router_makes_up_is_left_out(asked: Talk) -> None:
    asked.session = None
    reply = asked.ask("why", items=("i99", "../x"), personas=(-1, 99), choices=("nobody",))
    assert reply.asks_back
    asked.router.next = Route(intent="help", confidence=1, note="routed by rules")
    assert asked.assistant.ask(USER, "x" * 100_000).note == "routed by rules"


def test_a_reply_is_read_back_to_the_last_field(small_workspace: Workspace) -> None:
    plain = WhyThis(small_workspace).ask(USER, "what do you recommend?").as_json()
    assert Reply.from_json(plain).as_json() == plain
    for wrong in (
        None,
        {},
        {**plain, "schema": "whythis/explanation/2"},
        {**plain, "more": 1},
        {**plain, "facts": []},
        {**plain, "text": None},
        {name: value for name, value in plain.items() if name != "items"},
    ):
        with pytest.raises(DataError, match="this is no reply"):
            Reply.from_json(wrong)
