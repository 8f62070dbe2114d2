"""Whatever a writer does, the answer is complete and every claim in it holds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from tests.recsys.small import NOBODY, ONCE
from whythis.claims.offer import offer
from whythis.explain import ROUNDS, explain, gather
from whythis.explanation import Explanation
from whythis.recsys.errors import DataError, LanguageModelError, UnknownIdError
from whythis.text.checker import Checked, Draft, Ledger, examine
from whythis.text.language import load_language
from whythis.text.realiser import realise
from whythis.tools import probes
from whythis.tools.workspace import Workspace, open_workspace

from .fakes import Repair, Script, Write, best, silent

KEYS = {
    "schema",
    "user",
    "item",
    "title",
    "question",
    "model_hash",
    "data_hash",
    "code_hash",
    "prompt",
    "llm",
    "llm_error",
    "seed",
    "answer",
    "sentences",
    "claims",
    "evidence",
    "dropped",
    "personas",
    "metrics",
}
LIES = (
    "You will love it, it won 7 Oscars.",
    "{item} is here because of your {a1.persona}.",
    "Against it works your {p1.persona}; {p1.without}.",
    "Critics call it “a masterpiece”.",
    "{item} speaks for your {p1.persona}.",
)


def sound(ws: Workspace, answer: Explanation) -> None:
    """Insist on what holds for every explanation."""
    for sentence in answer.sentences:
        assert answer.answer[sentence.start : sentence.end] == sentence.text
        assert sentence.claims
        assert "{" not in sentence.text
    assert " ".join(s.text for s in answer.sentences) == answer.answer != ""
    told = [c for s in answer.sentences for c in s.claims]
    assert len(set(told)) == len(told)
    assert set(told) == {c.id for c in answer.claims} == set(answer.verdicts)
    assert {v.outcome for v in answer.verdicts.values()} == {"verified"}
    assert {e for c in answer.claims for e in c.evidence} <= {e.id for e in answer.evidence}
    assert 0 <= answer.metrics.coverage <= 1
    assert all(d.reason for d in answer.dropped)
    writers = {s.writer for s in answer.sentences}
    assert (answer.llm == "none") == ("model" not in writers)
    kinds = {c.kind for c in answer.claims}
    found = offer(gather(ws, answer.user, answer.item), answer.user, answer.item)
    must = {"persona_effect", "history_effect", "review_quote"} & {c.kind for c in found}
    if "basis" in kinds:  # then it rests on no effect of the past
        must -= {"persona_effect", "history_effect"}
        assert not {"persona_effect", "history_effect"} & kinds or "model" in writers
    assert must <= kinds, answer.answer
    plain = json.loads(json.dumps(answer.as_json(), allow_nan=False))
    assert set(plain) == KEYS
    for claim in plain["claims"].values():
        assert {"kind", "level", "subject", "value", "verdict", "reason", "evidence"} <= set(claim)
        assert set(claim["evidence"]) <= set(plain["evidence"])


def draft(ledger: Ledger, *letters: str) -> list[Draft]:
    plan = realise(ledger, load_language(), key="another key", style="detailed")
    return [d for d in plan if d.claims[0][0] in letters]


def lies(ledger: Ledger) -> list[Draft]:
    return [
        Draft(text, (id_,)) for text, id_ in zip(LIES, ["p1", "a1", "p1", "q1", "p1"], strict=True)
    ]


def again(ledger: Ledger, refused: Sequence[Checked]) -> list[Draft]:
    return [one.draft for one in refused]


@pytest.fixture(scope="module")
def pair(small_workspace: Workspace) -> tuple[str, str]:
    """Return a user and an item with a taste for it, one against it, and reviews."""
    ws = small_workspace
    for user in ws.recommender.user_ids.ids:
        for item in ("i00", "i01", "i02", "i38"):
            if ws.recommender.item_ids.index(item) in ws.recommender.seen(user):
                continue
            ids = {c.id for c in offer(gather(ws, user, item), user, item)}
            if {"p1", "a1", "h1", "q1"} <= ids:
                return user, item
    raise AssertionError("the small dataset has no such pair")


def test_without_a_writer_the_answer_is_complete(small_workspace: Workspace) -> None:
    ws = small_workspace
    for user, item in [("u00", best(ws, "u00")), ("u00", "i38"), (ONCE, "i00"), (NOBODY, "i38")]:
        answer = explain(ws, user, item)
        sound(ws, answer)
        assert (answer.llm, answer.llm_error, answer.prompt) == ("none", None, None)
        assert answer.metrics.claim_precision_draft is None
        again_ = explain(ws, user, item)
        assert (again_.answer, again_.claims) == (answer.answer, answer.claims)


def test_an_empty_history_is_told_nothing_of_tastes(small_workspace: Workspace) -> None:
    answer = explain(small_workspace, NOBODY, "i00")
    assert answer.personas == ()
    assert answer.metrics.coverage == 1  # nothing speaks for it
    assert "your taste" not in answer.answer


def test_unknown_and_seen_are_refused(small_workspace: Workspace) -> None:
    ws = small_workspace
    for user, item in (("zz", "i00"), ("u00", "zz"), ("\ud800", "i00"), ("", "")):
        with pytest.raises(UnknownIdError):
            explain(ws, user, item)
    seen = ws.recommender.item_ids.ids[ws.recommender.seen("u00")[0]]
    with pytest.raises(DataError, match="already seen"):
        explain(ws, "u00", seen)


def test_without_reviews_nobody_is_quoted(
    small_workspace: Workspace, pair: tuple[str, str]
) -> None:
    answer = explain(Workspace(small_workspace.recommender), *pair)
    assert "review_quote" not in {c.kind for c in answer.claims}
    sound(Workspace(small_workspace.recommender), answer)


def test_a_truthful_writer_is_heard(small_workspace: Workspace, pair: tuple[str, str]) -> None:
    writer = Script(lambda ledger: draft(ledger, "p", "h", "q"))
    answer = explain(small_workspace, *pair, writer=writer)
    sound(small_workspace, answer)
    assert {s.writer for s in answer.sentences} == {"model"}
    assert answer.llm == "script"
    assert answer.dropped == ()
    assert writer.rounds == []
    assert answer.metrics.claim_precision_draft == 1
    assert answer.metrics.tokens == 18


def test_what_a_writer_leaves_out_is_added(
    small_workspace: Workspace, pair: tuple[str, str]
) -> None:
    answer = explain(small_workspace, *pair, writer=Script(lambda ledger: draft(ledger, "h")))
    sound(small_workspace, answer)
    assert {s.writer for s in answer.sentences} == {"model", "realiser"}


def test_a_liar_is_not_released(small_workspace: Workspace, pair: tuple[str, str]) -> None:
    writer = Script(lies, lambda ledger, _: lies(ledger))
    answer = explain(small_workspace, *pair, writer=writer)
    sound(small_workspace, answer)
    assert {s.writer for s in answer.sentences} == {"realiser"}
    assert {d.text for d in answer.dropped} == set(LIES)
    assert answer.metrics.claim_precision_draft == 0
    assert "Oscars" not in answer.answer
    assert "masterpiece" not in answer.answer


def test_a_mended_sentence_is_released(small_workspace: Workspace, pair: tuple[str, str]) -> None:
    def mend(ledger: Ledger, refused: Sequence[Checked]) -> Sequence[Draft]:
        assert all(one.reason for one in refused)
        return [Draft("Worse.", ("p1",))] if not writer.rounds[1:] else draft(ledger, "p", "h", "q")

    writer = Script(lies, mend)
    answer = explain(small_workspace, *pair, writer=writer)
    sound(small_workspace, answer)
    assert len(writer.rounds) == answer.metrics.rounds == ROUNDS
    assert {s.writer for s in answer.sentences} == {"model"}


def raising(*_: object) -> Sequence[Draft]:
    raise LanguageModelError("the language model failed: gone")


def nothing(ledger: Ledger) -> Sequence[Draft]:
    return ()


def unknown(ledger: Ledger) -> Sequence[Draft]:
    return [
        Draft("It fits your {z9.persona}.", ("z9",)),
        Draft("", ()),
        Draft("\x00 \x1b[31m", ("",)),
    ]


def repeated(ledger: Ledger) -> Sequence[Draft]:
    return draft(ledger, "p") * 3 + draft(ledger, "h") * 2


def huge(ledger: Ledger) -> Sequence[Draft]:
    return [Draft("so " * 40_000, ("p1",)), Draft("{" * 100_000, ("h1",))]


@pytest.mark.parametrize("write", [raising, nothing, unknown, repeated, huge])
@pytest.mark.parametrize("repair", [raising, again, silent])
def test_a_failing_writer_does_not_harm_the_answer(
    small_workspace: Workspace, pair: tuple[str, str], write: Write, repair: Repair
) -> None:
    answer = explain(small_workspace, *pair, writer=Script(write, repair))
    sound(small_workspace, answer)
    if write is raising:
        assert "gone" in str(answer.llm_error)


def test_a_writer_that_fails_to_look_up_is_not_asked_to_write(
    small_workspace: Workspace, pair: tuple[str, str]
) -> None:
    writer = Script(lies, fails_at=LanguageModelError("no answer"))
    answer = explain(small_workspace, *pair, writer=writer)
    sound(small_workspace, answer)
    assert answer.llm_error == "no answer"
    assert answer.dropped == ()


def test_evidence_a_writer_found_is_offered_and_checked(
    small_workspace: Workspace, pair: tuple[str, str]
) -> None:
    user, item = pair
    ws = small_workspace
    past = ws.recommender.item_ids.ids[ws.recommender.history(user)[0]]
    true = probes.what_if(ws, user, item, [past])
    # a record that says what the model does not
    false = [e.model_copy(update={"value": {**e.value, "rank_after": 39}}) for e in true]
    ledgers: list[Ledger] = []

    def write(ledger: Ledger) -> Sequence[Draft]:
        ledgers.append(ledger)
        return draft(ledger, "p", "h", "q")

    sound(ws, explain(ws, user, item, writer=Script(write, found=true)))
    sound(ws, explain(ws, user, item, writer=Script(write, found=false)))
    assert len(ledgers[1].refused) >= 1


def test_a_ledger_of_other_weights_is_refused(
    small_workspace: Workspace, small_indexed: Path, pair: tuple[str, str], tmp_path: Path
) -> None:
    user, item = pair
    claims = offer(gather(small_workspace, user, item), user, item)
    other = open_workspace(shutil.copytree(small_indexed, tmp_path / "other"))
    try:
        with torch.no_grad():
            other.recommender.model.bias.add_(torch.linspace(-1, 1, 40, dtype=torch.float64))
            other.recommender.model.scale.mul_(1.6)
        ledger = examine(claims, item, other)
        assert {"p1", "h1"} <= set(ledger.refused)
        assert "q1" in ledger.verified  # a fact of the data, whatever the weights
        sound(other, explain(other, user, item))
    finally:
        other.store().close()


def test_the_record_is_frozen_and_names_its_sources(
    small_workspace: Workspace, pair: tuple[str, str]
) -> None:
    answer = explain(small_workspace, *pair, seed=3)
    assert answer.seed == 3
    hashes = small_workspace.recommender.hashes
    assert (answer.model_hash, answer.data_hash) == (hashes["model"], hashes["data"])
    with pytest.raises(ValueError, match="frozen"):
        answer.answer = "another"  # type: ignore[misc]
