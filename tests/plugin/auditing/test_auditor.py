"""What is true is supported, what is false is refuted, and the rest is called what it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recsys.small import small_dataset
from whythis.auditing import Auditor, audit
from whythis.auditing.ground import Ground
from whythis.auditing.sentences import LONGEST
from whythis.explain import explain
from whythis.explanation import Explanation
from whythis.recsys.blackbox import black_box
from whythis.recsys.errors import DataError, LanguageModelError, UnknownIdError
from whythis.text.wording import ordinal
from whythis.tools.workspace import Workspace


@pytest.fixture(scope="module")
def answer(small_workspace: Workspace) -> Explanation:
    """Return an explanation in which a taste and past likes are told with ranks."""
    for user in small_workspace.recommender.user_ids.ids:
        for one in small_workspace.recommender.recommend(user, 3):
            found = explain(small_workspace, user, one.item, style="detailed")
            kinds = {c.kind for c in found.claims}
            falls = any(c.kind == "history_effect" and c.value.rank_after for c in found.claims)
            if kinds >= {"persona_effect", "review_quote", "rating"} and falls:
                return found
    raise AssertionError("no such explanation in the small data set")


def verdicts(ws: Workspace, about: Explanation, text: str) -> list[str]:
    return [s.verdict for s in audit(text, user=about.user, item=about.item, ws=ws).sentences]


def test_our_own_answers_are_supported(small_workspace: Workspace) -> None:
    auditor, checked = Auditor(small_workspace), 0
    for user in small_workspace.recommender.user_ids.ids[:6]:
        item = small_workspace.recommender.recommend(user, 1)[0].item
        for style in ("short", "plain", "detailed"):
            text = explain(small_workspace, user, item, style=style).answer  # type: ignore[arg-type]
            found = auditor.audit(text, user=user, item=item)
            wrong = [(s.text, s.reason) for s in found.sentences if s.verdict != "supported"]
            assert not wrong
            assert found.summary.precision == 1.0
            assert " ".join(s.text for s in found.sentences) == text
            checked += len(found.sentences)
    assert checked > 20


def test_a_changed_rank_is_refuted_with_the_right_one(
    small_workspace: Workspace, answer: Explanation
) -> None:
    [claim] = [c for c in answer.claims if c.kind == "history_effect"]
    titles = [small_workspace.recommender.short_title(i) for i in claim.subject.items]
    assert claim.value.rank_after is not None
    right = f"Without {' and '.join(titles)} it would be {ordinal(claim.value.rank_after)}."
    wrong = f"Without {' and '.join(titles)} it would be {ordinal(claim.value.rank_after + 1)}."
    assert verdicts(small_workspace, answer, right) == ["supported"]
    [judged] = audit(wrong, user=answer.user, item=answer.item, ws=small_workspace).sentences
    assert judged.verdict == "refuted"
    assert f"{ordinal(claim.value.rank_after)} place, not" in judged.reason
    assert judged.findings[0].found["rank_without"] == claim.value.rank_after


def test_a_part_of_a_sentence_and_a_part_of_the_cause_cannot_be_checked(
    small_workspace: Workspace, answer: Explanation
) -> None:
    [quote] = [c for c in answer.claims if c.kind == "review_quote"]
    words = quote.value.quote.split()
    part = f"One reviewer writes: “{' '.join(words[: len(words) // 2 + 1])}”"
    [judged] = audit(part, user=answer.user, item=answer.item, ws=small_workspace).sentences
    assert (judged.verdict, "only a part" in judged.reason) == ("uncheckable", True)
    [claim] = [c for c in answer.claims if c.kind == "history_effect"]
    titles = [small_workspace.recommender.short_title(i) for i in claim.subject.items]
    text = f"It is recommended mostly because you liked {' and '.join(titles)}."
    [judged] = audit(text, user=answer.user, item=answer.item, ws=small_workspace).sentences
    assert (judged.verdict, "how much of all this" in judged.reason) == ("uncheckable", True)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("It is a masterpiece that critics adore.", "uncheckable"),
        ("People like you love it.", "uncheckable"),
        ("", None),
        ("!!!", "uncheckable"),
        ("One reviewer writes: “I never wrote this sentence anywhere.”", "refuted"),
        ("It is rated 0.3 of 5.", "refuted"),
        ("It ranks 999th for you.", "refuted"),
        ("It ranks 999th for you, and critics adore it.", "refuted"),
        ("It does not rank 999th for you.", "uncheckable"),
        ("If it ranked 999th for you, you would not see it.", "uncheckable"),
        ("x" * (LONGEST + 1), "uncheckable"),
    ],
)
def test_verdicts(
    small_workspace: Workspace, answer: Explanation, text: str, verdict: str | None
) -> None:
    assert verdicts(small_workspace, answer, text) == ([] if verdict is None else [verdict])


def test_a_like_that_never_was_is_refuted(small_workspace: Workspace, answer: Explanation) -> None:
    ground = Ground(small_workspace, answer.user, answer.item)
    rec = small_workspace.recommender
    strange = next(i for i in rec.item_ids.ids if i not in {*ground.history, answer.item})
    text = f"Because you liked {rec.title(strange)}, it is here."
    [judged] = audit(text, user=answer.user, item=answer.item, ws=small_workspace).sentences
    assert (judged.verdict, "not among the user's likes" in judged.reason) == ("refuted", True)


def test_the_users_own_review_of_the_item_is_no_voice(
    small_workspace: Workspace, answer: Explanation, monkeypatch: pytest.MonkeyPatch
) -> None:
    [claim] = [c for c in answer.claims if c.kind == "review_quote"][:1]
    text = f"One reviewer writes: “{claim.value.quote}”."
    assert verdicts(small_workspace, answer, text) == ["supported"]
    store = small_workspace.store()
    stored = store.of_item(answer.item)
    mine = tuple(s.model_copy(update={"user": answer.user}) for s in stored)
    monkeypatch.setattr(store, "of_item", lambda _item: mine)
    assert verdicts(small_workspace, answer, text) == ["refuted"]


def test_a_part_of_a_quotation_is_not_the_quotation(
    small_workspace: Workspace, answer: Explanation
) -> None:
    [claim] = [c for c in answer.claims if c.kind == "review_quote"][:1]
    part = " ".join(claim.value.quote.split()[1:])
    assert "supported" not in verdicts(small_workspace, answer, f"From the reviews: “{part}”.")


def test_that_taste_is_the_one_named_before(
    small_workspace: Workspace, answer: Explanation
) -> None:
    [claim] = [c for c in answer.claims if c.kind == "persona_effect"][:1]
    rank = ordinal(claim.value.rank_after)
    text = f"Without that taste it would be {rank}."
    assert verdicts(small_workspace, answer, text) == ["uncheckable"]
    both = f"As to your taste for {claim.value.name}: without that taste it would be {rank}."
    assert verdicts(small_workspace, answer, both) == ["supported"]


def test_unknown_ids_and_seen_items_are_errors(
    small_workspace: Workspace, answer: Explanation
) -> None:
    with pytest.raises(UnknownIdError):
        audit("x", user="no such user", item=answer.item, ws=small_workspace)
    seen = Ground(small_workspace, answer.user, answer.item).history[0]
    with pytest.raises(DataError, match="already seen"):
        audit("x", user=answer.user, item=seen, ws=small_workspace)


def test_the_json_form_is_json_and_counts(small_workspace: Workspace, answer: Explanation) -> None:
    found = audit(
        "It ranks 999th for you. Hm.", user=answer.user, item=answer.item, ws=small_workspace
    )
    plain = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert plain["schema"] == "whythis/audit/1"
    assert plain["summary"] == {
        "sentences": 2,
        "supported": 0,
        "refuted": 1,
        "uncheckable": 1,
        "precision": 0.0,
    }


@dataclass
class Scripted:
    """Restate every sentence by the next line of a script."""

    lines: Sequence[str | None]
    name: str = "script"
    asked: list[str] = field(default_factory=list)

    def restate(self, sentence: str) -> str | None:
        self.asked.append(sentence)
        return self.lines[len(self.asked) - 1]


def test_a_reader_can_refute_and_never_support(
    small_workspace: Workspace, answer: Explanation
) -> None:
    [claim] = [c for c in answer.claims if c.kind == "rank"]
    place = ordinal(claim.value.rank)
    true, false = f"Folks, it sits pretty at {place}!", "Folks, it sits pretty at 999th!"
    reader = Scripted([f"It ranks {place} for you.", "It ranks 999th for you."])
    found = audit(
        f"{true} {false}", user=answer.user, item=answer.item, ws=small_workspace, reader=reader
    )
    assert [s.verdict for s in found.sentences] == ["uncheckable", "refuted"]
    assert reader.asked == [true, false]
    assert found.sentences[1].reading == "It ranks 999th for you."


@pytest.mark.parametrize(
    "line",
    [None, "It ranks 3rd for you.", "Nonsense.", "It does not rank 999th for you.", "?" * 50],
)
def test_a_restatement_that_is_not_faithful_decides_nothing(
    small_workspace: Workspace, answer: Explanation, line: str | None
) -> None:
    found = audit(
        "Folks, it sits pretty at 999th!",
        user=answer.user,
        item=answer.item,
        ws=small_workspace,
        reader=Scripted([line]),
    )
    assert [s.verdict for s in found.sentences] == ["uncheckable"]


def test_a_reader_that_fails_leaves_the_verdict(
    small_workspace: Workspace, answer: Explanation
) -> None:
    class Broken(Scripted):
        def restate(self, sentence: str) -> str | None:
            raise LanguageModelError(f"gone at {sentence[:4]!r}")

    [judged] = audit(
        "Folks, hello!", user=answer.user, item=answer.item, ws=small_workspace, reader=Broken([])
    ).sentences
    assert judged.verdict == "uncheckable"
    assert "gone" in judged.reason


def test_a_black_box_is_asked_for_what_it_shows(small_workspace: Workspace) -> None:
    rec = small_workspace.recommender
    dataset = small_dataset()

    def scores(history: Sequence[str]) -> np.ndarray:
        liked = rec.item_ids.indices(history)
        return np.asarray(rec.scores(liked), dtype=np.float64)

    box = replace(
        small_workspace, recommender=black_box(dataset, scores, name="box", window=rec.window)
    )
    user = rec.user_ids.ids[0]
    item = box.recommender.recommend(user, 1)[0].item
    rank, bare = Ground(box, user, item).place.rank, Ground(box, user, item).bare.rank
    text = f"It ranks {ordinal(rank)} for you. "
    text += f"With nothing known about you it would be {ordinal(bare)}."
    text += " Your taste for drama speaks for it."
    found = audit(text, user=user, item=item, ws=box)
    assert [s.verdict for s in found.sentences] == ["supported", "supported", "uncheckable"]


_WORDS = (
    "your taste for drama speaks it because of without that would be 3rd 9th “ ” the a reviewer "
    "writes never not and , . ; : ( ) {item} Heat \u202e \u200b rated 4.1 of 5 people {p1.persona} "
    "liked recommended top 10 history had you falls from to % 1900 １ ³ Ⅷ <b> \x00 \n"
)
WORDS = st.sampled_from(_WORDS.split(" "))


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=40))
def test_no_text_breaks_the_audit_and_every_word_is_judged(
    small_workspace: Workspace, words: list[str]
) -> None:
    user = small_workspace.recommender.user_ids.ids[0]
    item = small_workspace.recommender.recommend(user, 1)[0].item
    text = " ".join(words)
    found = audit(text, user=user, item=item, ws=small_workspace)
    judged = "".join(s.text for s in found.sentences)
    assert "".join(judged.split()) == "".join(text.split())
    for sentence in found.sentences:
        assert text[sentence.start : sentence.end] == sentence.text
        if sentence.verdict == "supported":
            assert sentence.findings
            assert all(f.outcome == "supported" for f in sentence.findings)
