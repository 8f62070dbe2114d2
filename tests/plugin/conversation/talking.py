"""Script the routes of a conversation, and judge replies with nothing of what made them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from whythis.claims.verify import verify
from whythis.conversation import facts
from whythis.conversation.assistant import WhyThis
from whythis.conversation.fixed import FIXED
from whythis.conversation.ground import Ground
from whythis.conversation.intents import Context, Intent, Route
from whythis.conversation.items import Catalogue
from whythis.conversation.reply import Reply, Sentence
from whythis.conversation.session import Session
from whythis.recsys import artefact
from whythis.text.checker import Draft, check, examine
from whythis.text.language import load_language
from whythis.tools.memory.corrected import corrected
from whythis.tools.memory.summary import summarise
from whythis.tools.workspace import Workspace

USER = "u00"
DIRECTED = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Scripted:
    """Route each question as the test says, whatever its words are."""

    name = "scripted"

    def __init__(self) -> None:
        self.next: Route | None = None
        self.context: Context | None = None

    def route(self, text: str, context: Context, catalogue: Catalogue) -> Route:
        self.context = context
        assert self.next is not None
        return self.next


class Talk:
    """Hold a conversation with an artefact, every reply judged before a test sees it."""

    def __init__(self, folder: Path, user: str = USER) -> None:
        self.router = Scripted()
        self.folder, self.user = folder, user
        self.assistant = WhyThis.open(folder, router=self.router)
        self.session: Session | None = None

    @property
    def ws(self) -> Workspace:
        return self.assistant.ws

    @property
    def rec(self) -> Any:
        return self.ws.recommender

    def ask(self, intent: Intent, text: str = "?", **route: Any) -> Reply:
        self.router.next = Route(intent=intent, **({"confidence": 1.0} | route))
        reply = self.assistant.ask(self.user, text, self.session)
        judge(reply, self.folder, self.ws)
        self.session = reply.session
        return reply

    def liked(self) -> list[str]:
        return [self.rec.item_ids.ids[i] for i in self.rec.history(self.user)]

    def best(self, n: int = 10) -> list[str]:
        return [one.item for one in self.rec.recommend(self.user, n)]


def talk(indexed: Path, folder: Path, user: str = USER) -> Talk:
    """Return a conversation with a copy of an artefact."""
    return Talk(Path(shutil.copytree(indexed, folder / "artefact")), user)


def judge(reply: Reply, folder: Path | None, ws: Workspace) -> None:
    """Insist that every sentence rests on what is found again now, or claims nothing."""
    assert reply.sentences
    assert reply.text == " ".join(sentence.text for sentence in reply.sentences)
    for sentence in reply.sentences:
        assert reply.text[sentence.start : sentence.end] == sentence.text
        if sentence.writer == "fixed":
            assert not sentence.claims
            assert not sentence.facts
            _claims_nothing(sentence.text)
        else:
            assert sentence.claims or sentence.facts, sentence
    cited = [id_ for s in reply.sentences for id_ in (*s.claims, *s.facts)]
    held = [one.id for one in (*reply.claims, *reply.facts)]
    assert sorted(cited) == sorted(held) == sorted(reply.verdicts)
    assert {v.outcome for v in reply.verdicts.values()} <= {"verified"}
    records = {record.id: record for record in reply.evidence}
    assert {id_ for c in (*reply.claims, *reply.facts) for id_ in c.evidence} <= set(records)
    for claim in reply.claims:
        assert claim.subject.user == reply.user
        assert verify(claim, ws).outcome == "verified", claim
    _worded(reply, ws)
    ground = Ground(ws, artefact.load(folder) if folder else ws.recommender, folder)
    remembered = {one.id: one for one in summarise(ws, reply.user).statements}
    worded = {fact.id: fact.text for fact in reply.facts}
    for sentence in reply.sentences:
        assert all(worded[id_] == sentence.text for id_ in sentence.facts)
        assert not (sentence.facts and sentence.claims)
    for fact in reply.facts:
        record = records[fact.evidence[0]]
        assert record.probe.args.get("user", reply.user) == reply.user
        if fact.kind in facts.KINDS:
            assert facts.verify(record, fact, ground).outcome == "verified", fact
        else:
            assert remembered[fact.id].text == fact.text
            assert not remembered[fact.id].contested
    assert Reply.from_json(reply.as_json()) == reply
    assert not DIRECTED.search(reply.text)
    assert reply.session.user == reply.user


def _worded(reply: Reply, ws: Workspace) -> None:
    """Insist that each sentence of claims passes the checks again, word by word."""
    by_id = {claim.id: claim for claim in reply.claims}
    for sentence in reply.sentences:
        if sentence.claims:
            claims = [by_id[id_] for id_ in sentence.claims]
            (item,) = {claim.subject.item for claim in claims}
            # whether a taste is the largest is told beside the user's others
            ledger = examine(claims, item, ws)
            draft = Draft(sentence.draft, sentence.claims)
            (one,) = check([draft], ledger, load_language())
            assert one.text == sentence.text, (one.reason, sentence)


def _claims_nothing(text: str) -> None:
    if text in FIXED.values():
        return
    found = re.fullmatch(r"I could not place “([^“”]{1,60})”\.", text)
    assert found, text


def without_quotes(sentences: Sequence[Sentence]) -> str:
    """Return what sentences say outside quotation marks."""
    return " ".join(re.sub("“[^“”]*”", "", sentence.text) for sentence in sentences)


def as_if(talk: Talk, **events: Any) -> Any:
    """Return the recommender as the memory would have it with other events of the user."""
    return corrected(artefact.load(talk.folder), {talk.user: tuple(events["events"])})
