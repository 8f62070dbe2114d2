"""A saved explanation holds only as it was made; whatever is changed in it is found."""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugin.fakes import Script
from tests.recsys.small import NOBODY, ONCE
from whythis.auditing.replay import Replay, replay
from whythis.claims.offer import offer
from whythis.explain import explain, gather
from whythis.explanation import SCHEMA, Explanation, coverage
from whythis.text.checker import Draft
from whythis.tools.evidence import evidence
from whythis.tools.workspace import Workspace, open_workspace

Saved = dict[str, Any]
Forgery = Callable[[Saved], object]


class Quiet(dict):  # type: ignore[type-arg]
    """Be a dict that hypothesis does not write out for every example."""

    def __repr__(self) -> str:
        return "<a saved explanation>"


def saved_form(explanation: Explanation) -> Saved:
    return Quiet(json.loads(json.dumps(explanation.as_json(), allow_nan=False)))


@pytest.fixture(scope="module")
def pair(small_workspace: Workspace) -> tuple[str, str]:
    """Return a user and an item with a taste for it, one against it, and reviews."""
    ws = small_workspace
    for user in ws.recommender.user_ids.ids:
        for item in ("i00", "i01", "i02"):
            if ws.recommender.item_ids.index(item) not in ws.recommender.seen(user):
                kinds = {c.id for c in offer(gather(ws, user, item), user, item)}
                if {"p1", "a1", "h1", "q1"} <= kinds:
                    return user, item
    raise AssertionError("the small dataset has no such pair")


@pytest.fixture(scope="module")
def honest(small_workspace: Workspace, pair: tuple[str, str]) -> Saved:
    return saved_form(explain(small_workspace, *pair, style="detailed"))


@pytest.fixture(scope="module")
def other(small_indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Give the same data with other weights, under another hash."""
    folder = tmp_path_factory.mktemp("drift") / "other"
    ws = open_workspace(shutil.copytree(small_indexed, folder))
    with torch.no_grad():
        model = ws.owned().model
        model.bias.add_(torch.linspace(-1, 1, 40, dtype=torch.float64))
        model.scale.mul_(1.6)
    object.__setattr__(ws.recommender, "hashes", {**ws.recommender.hashes, "model": "0" * 64})
    yield ws
    ws.store().close()


# What a forger who knows the format does after a change, so that the record fits itself again.


def rejoin(saved: Saved) -> None:
    at = 0
    for sentence in saved["sentences"]:
        sentence["start"], sentence["end"] = at, at + len(sentence["text"])
        at = sentence["end"] + 1
    saved["answer"] = " ".join(s["text"] for s in saved["sentences"])


def rehash(saved: Saved) -> None:
    ids = {}
    for id_, one in list(saved["evidence"].items()):
        probe = one["probe"]
        new = evidence(
            one["kind"], one["value"], source=one["source"], probe=probe["name"], **probe["args"]
        ).id
        ids[id_] = new
        del saved["evidence"][id_]
        saved["evidence"][new] = one
    for claim in saved["claims"].values():
        claim["evidence"] = [ids.get(e, e) for e in claim["evidence"]]


def proof(saved: Saved, claim: str) -> Saved:
    return saved["evidence"][saved["claims"][claim]["evidence"][0]]  # type: ignore[no-any-return]


def telling(saved: Saved, claim: str) -> Saved:
    return next(s for s in saved["sentences"] if claim in s["claims"])


# Forgeries: each changes a record that holds.


def more_fall(saved: Saved) -> None:
    saved["claims"]["p1"]["value"]["rank_after"] += 3


def more_fall_and_its_evidence(saved: Saved) -> None:
    more_fall(saved)
    proof(saved, "p1")["value"]["rank_without"] += 3
    rehash(saved)


def more_fall_everywhere(saved: Saved) -> None:
    more_fall_and_its_evidence(saved)
    text = telling(saved, "p1")
    text["text"] = re.sub(r"to \d+", "to 39", text["text"])
    rejoin(saved)


def flipped_sign(saved: Saved) -> None:
    saved["claims"]["p1"]["value"]["effect"] *= -1


def tiny_change(saved: Saved) -> None:
    saved["claims"]["p1"]["value"]["effect"] += 1e-4


def wide_tolerance(saved: Saved) -> None:
    saved["claims"]["p1"]["tolerance"] = 100.0


def wide_tolerance_and_another_number(saved: Saved) -> None:
    saved["claims"]["p1"] |= {"tolerance": 100.0}
    saved["claims"]["p1"]["value"]["effect"] += 2


def higher_level(saved: Saved) -> None:
    saved["claims"]["p1"]["level"] = "exact"


def refit_level(saved: Saved) -> None:
    saved["claims"]["h1"]["level"] = "refit"


def exact_level_of_the_past(saved: Saved) -> None:
    saved["claims"]["h1"]["level"] = "exact"


def another_reason(saved: Saved) -> None:
    saved["claims"]["p1"]["reason"] = "confirmed by three universities"


def edited_text(saved: Saved) -> None:
    saved["sentences"][0]["text"] = "You will love it."
    rejoin(saved)


def edited_text_and_draft(saved: Saved) -> None:
    saved["sentences"][0] |= {"text": "You will love it.", "draft": "You will love it."}
    rejoin(saved)


def edited_draft(saved: Saved) -> None:
    saved["sentences"][0]["draft"] = saved["sentences"][0]["draft"].replace("{item}", "It")


def a_word_more(saved: Saved) -> None:
    one = saved["sentences"][0]
    one["text"], one["draft"] = "Wonderful: " + one["text"], "Wonderful: " + one["draft"]
    rejoin(saved)


def a_space_more(saved: Saved) -> None:
    saved["sentences"][0]["text"] += " "
    rejoin(saved)


def a_hidden_character(saved: Saved) -> None:
    saved["sentences"][0]["text"] = "\u200b" + saved["sentences"][0]["text"]
    rejoin(saved)


def added_without_a_claim(saved: Saved) -> None:
    told = {"text": "It won seven Oscars.", "draft": "It won seven Oscars.", "claims": []}
    saved["sentences"].append({**told, "start": 0, "end": 0, "writer": "realiser"})
    rejoin(saved)


def added_with_a_told_claim(saved: Saved) -> None:
    saved["sentences"].append(copy.deepcopy(saved["sentences"][0]))
    rejoin(saved)


def added_to_the_answer(saved: Saved) -> None:
    saved["answer"] += " It won seven Oscars."


def offsets(saved: Saved) -> None:
    saved["sentences"][0]["end"] -= 1


def overlapping(saved: Saved) -> None:
    saved["sentences"][1]["start"] = 0


def cites_nothing_known(saved: Saved) -> None:
    saved["sentences"][0]["claims"].append("z9")


def cites_another(saved: Saved) -> None:
    saved["sentences"][0]["claims"] = ["k1"]


def an_untold_claim(saved: Saved) -> None:
    saved["claims"]["x1"] = copy.deepcopy(saved["claims"]["k1"])


def verdict(outcome: str) -> Forgery:
    return lambda saved: saved["claims"]["p1"].update(verdict=outcome)


def claim_of(**subject: str) -> Forgery:
    return lambda saved: saved["claims"]["p1"]["subject"].update(subject)


def probe_of(**args: str) -> Forgery:
    def forge(saved: Saved) -> None:
        proof(saved, "p1")["probe"]["args"].update(args)
        rehash(saved)

    return forge


def whole_record_of(key: str, value: str) -> Forgery:
    """Hand a whole record to another user or item, in all its parts."""

    def forge(saved: Saved) -> None:
        saved[key] = value
        for claim in saved["claims"].values():
            claim["subject"][key] = value
        for one in saved["evidence"].values():
            if key in one["probe"]["args"]:
                one["probe"]["args"][key] = value
        rehash(saved)

    return forge


def source(of: str) -> Forgery:
    def forge(saved: Saved) -> None:
        proof(saved, "p1")["source"] = of
        rehash(saved)

    return forge


def evidence_changed(saved: Saved) -> None:
    proof(saved, "p1")["value"]["share"] = 0.99


def evidence_changed_and_hashed(saved: Saved) -> None:
    proof(saved, "p1")["value"]["mass"] = 0.99
    rehash(saved)


def reviewer_changed(saved: Saved) -> None:
    proof(saved, "q1")["value"]["reviewer"] = "a famous critic"
    rehash(saved)


def tone_changed(saved: Saved) -> None:
    proof(saved, "q1")["value"]["tone"] = "critical"
    rehash(saved)


def evidence_lost(saved: Saved) -> None:
    del saved["evidence"][saved["claims"]["p1"]["evidence"][0]]


def evidence_swapped(saved: Saved) -> None:
    saved["claims"]["p1"]["evidence"] = saved["claims"]["k1"]["evidence"]


def evidence_of_nothing(saved: Saved) -> None:
    args = {"user": saved["user"], "item": saved["item"]}
    source_ = f"data:{saved['data_hash']}"
    one = evidence("facts", {"oscars": 7}, source=source_, probe="facts", **args)
    saved["evidence"][one.id] = {k: v for k, v in one.model_dump().items() if k != "id"}


def no_probe(saved: Saved) -> None:
    proof(saved, "p1")["probe"]["name"] = "__import__"
    rehash(saved)


def probe_arguments(saved: Saved) -> None:
    proof(saved, "p1")["probe"]["args"]["source"] = "x"


def a_taste_hidden(saved: Saved) -> None:
    cited = {e for c in saved["claims"].values() for e in c["evidence"]}
    tastes = [id_ for id_, e in saved["evidence"].items() if e["kind"] == "persona_effect"]
    hidden = saved["evidence"].pop(next(id_ for id_ in tastes if id_ not in cited))["value"]
    saved["personas"] = [bar for bar in saved["personas"] if bar["name"] != hidden["name"]]
    left = Explanation.from_json(saved)
    saved["metrics"]["coverage"] = coverage(left.evidence, left.claims)


def bar(**change: object) -> Forgery:
    return lambda saved: saved["personas"][0].update(change)


def bar_and_its_evidence(saved: Saved) -> None:
    saved["personas"][0]["share"] = 0.99
    for one in saved["evidence"].values():
        if one["value"].get("name") == saved["personas"][0]["name"]:
            one["value"]["share"] = 0.99
    rehash(saved)


def covers(saved: Saved) -> None:
    saved["metrics"]["coverage"] = 0.123


def quote(saved: Saved) -> None:
    claim = saved["claims"]["q1"]
    told = telling(saved, "q1")
    old = claim["value"]["quote"]
    claim["value"]["quote"] = proof(saved, "q1")["value"]["text"] = old.replace(" ", " not ", 1)
    told["text"] = told["text"].replace(old, claim["value"]["quote"])
    rehash(saved)
    rejoin(saved)


def title(saved: Saved) -> None:
    old, saved["title"] = saved["title"], "Casablanca"
    for one in saved["sentences"]:
        one["text"] = one["text"].replace(old.rpartition(" (")[0], "Casablanca")
    rejoin(saved)


def writer_changed(saved: Saved) -> None:
    saved["sentences"][0]["writer"] = "model"


def huge_number(saved: Saved) -> None:
    saved["claims"]["p1"]["value"]["rank_after"] = 10**400


def huge_evidence(saved: Saved) -> None:
    proof(saved, "p1")["value"]["effect"] = 10**400
    rehash(saved)


def strange_evidence(saved: Saved) -> None:
    proof(saved, "p1")["value"]["persona"] = {"a": [None]}
    rehash(saved)


def field(name: str, value: object) -> Forgery:
    return lambda saved: saved.update({name: value})


def nested(saved: Saved) -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    proof(saved, "p1")["value"]["mass"] = deep


def long_text(saved: Saved) -> None:
    saved["sentences"][0]["text"] = "x" * 10_000_000
    saved["sentences"][0]["draft"] = "x" * 10_000_000
    rejoin(saved)


def many(of: str) -> Forgery:
    def forge(saved: Saved) -> None:
        if of == "sentences":
            saved["sentences"] = saved["sentences"] * 1000
            rejoin(saved)
        else:
            one = next(iter(saved[of].values()))
            saved[of] |= {f"x{n}": copy.deepcopy(one) for n in range(5000)}

    return forge


NONSENSE: dict[str, Forgery] = {
    "no schema": lambda s: s.pop("schema"),
    "another schema": field("schema", "whythis/explanation/1"),
    "schema is a list": field("schema", [SCHEMA]),
    "a field more": field("proved", True),
    "the field of the class": field("schema_", SCHEMA),
    "verdicts apart": field("verdicts", {}),
    "no sentences": lambda s: s.pop("sentences"),
    "sentences as text": field("sentences", "It is good."),
    "claims as list": field("claims", []),
    "claims of nothing": field("claims", {"p1": None}),
    "evidence as list": field("evidence", []),
    "a number as text": lambda s: s["claims"]["p1"]["value"].update(effect="0.1"),
    "a truth value as number": lambda s: s["claims"]["p1"]["value"].update(rank_after=True),
    "a fraction as rank": lambda s: s["claims"]["p1"]["value"].update(rank_after=3.5),
    "no number": lambda s: s["claims"]["p1"]["value"].update(effect=float("nan")),
    "infinite": lambda s: s["metrics"].update(coverage=float("inf")),
    "an unknown kind": lambda s: s["claims"]["p1"].update(kind="oscar"),
    "an id inside": lambda s: s["claims"]["p1"].update(id="p2"),
    "no tolerance": lambda s: s["claims"]["p1"].pop("tolerance"),
    "negative tolerance": lambda s: s["claims"]["p1"].update(tolerance=-1.0),
    "another comparator": lambda s: s["claims"]["p1"].update(comparator="~"),
    "half a character": lambda s: s["sentences"][0].update(text="\ud800"),
    "an unknown verdict": verdict("proved"),
    "no draft": lambda s: s["sentences"][0].pop("draft"),
    "a level of its own": lambda s: s["claims"]["p1"].update(level="certain"),
    "text as bytes": field("answer", b"x"),
    "nested": nested,
}
MIXED: dict[str, Forgery] = {
    "refuted and told": verdict("refuted"),
    "uncheckable and told": verdict("uncheckable"),
    "claim of another user": claim_of(user="u59"),
    "claim of another item": claim_of(item="i05"),
    "evidence of another user": probe_of(user="u59"),
    "evidence of another item": probe_of(item="i05"),
    "evidence of another model": source("model:" + "0" * 64),
    "evidence of the data for the model": source("data:" + "0" * 64),
    "evidence of no known source": source("oracle:delphi"),
    "evidence passed off as a review": source("reviews:sample"),
    "record of other data": field("data_hash", "0" * 64),
    "record of another model": field("model_hash", "0" * 64),
    "evidence changed": evidence_changed,
    "evidence changed and hashed": evidence_changed_and_hashed,
    "number and evidence changed": more_fall_and_its_evidence,
    "number, evidence, sentence changed": more_fall_everywhere,
    "reviewer changed": reviewer_changed,
    "tone changed": tone_changed,
    "evidence lost": evidence_lost,
    "evidence nobody cites": evidence_of_nothing,
    "no such probe": no_probe,
    "probe arguments": probe_arguments,
    "added to the answer": added_to_the_answer,
    "offsets": offsets,
    "overlapping": overlapping,
    "unknown claim cited": cites_nothing_known,
    "claim not told": an_untold_claim,
    "bar changed": bar(share=0.99),
    "bar renamed": bar(name="good taste"),
    "bar with other titles": bar(titles=["Casablanca"]),
    "bar and evidence": bar_and_its_evidence,
    "bars gone": field("personas", []),
    "coverage": covers,
    "title": title,
    "writer": writer_changed,
    "language model": field("llm", "gpt-9"),
    "huge evidence": huge_evidence,
    "strange evidence": strange_evidence,
    "quote": quote,
    "too many sentences": many("sentences"),
    "too many claims": many("claims"),
    "too much evidence": many("evidence"),
}
FALSE: dict[str, tuple[Forgery, str]] = {
    "more fall": (more_fall, r"p1: the rank without it is \d+, not \d+; .* altered"),
    "sign": (flipped_sign, "p1: its effect is"),
    "tiny change": (tiny_change, "p1: its effect is"),
    "wide tolerance": (wide_tolerance, "p1: it says other than the evidence"),
    "tolerance and number": (wide_tolerance_and_another_number, "p1: its effect is"),
    "level": (higher_level, "p1: it is known as executed, not as exact"),
    "refit": (refit_level, "h1: it is known as executed, not as refit"),
    "exact": (exact_level_of_the_past, "h1: it is known as executed, not as exact"),
    "comparator": (lambda s: s["claims"]["p1"].update(comparator="<"), "p1: "),
    "verdict's reason": (another_reason, "p1: it was not verified in the way"),
    "evidence swapped": (evidence_swapped, "p1: it says other than the evidence"),
    "text": (edited_text, "it reads now: .*; the record names this very model and data"),
    "text and draft": (edited_text_and_draft, "no longer support its words"),
    "draft": (edited_draft, "support its words|reads now"),
    "a word more": (a_word_more, "no longer support its words: “wonderful”"),
    "a space more": (a_space_more, "it reads now"),
    "hidden character": (a_hidden_character, "it reads now"),
    "no claim": (added_without_a_claim, "cites no claim"),
    "told twice": (added_with_a_told_claim, "told already"),
    "cites another": (cites_another, ""),
    "huge number": (huge_number, "p1: it holds a number"),
    "long text": (long_text, "longer than 600 characters"),
}


def forged(honest: Saved, forge: Forgery) -> Saved:
    saved = copy.deepcopy(honest)
    forge(saved)
    return saved


def readable(found: Replay) -> None:
    """Insist that what is told is short and stands on one line."""
    told = [found.refused or "", *(s.reason for s in found.sentences)]
    assert all(len(line) < 600 and "\n" not in line for line in told)
    json.dumps(found.as_json() if len(found.sentences) < 200 else {}, allow_nan=False)


@pytest.mark.parametrize("style", ["short", "plain", "detailed"])
@pytest.mark.parametrize("user", ["u00", "u01", "u07", ONCE, NOBODY])
def test_what_was_explained_holds(small_workspace: Workspace, user: str, style: Any) -> None:
    ws = small_workspace
    for one in ws.recommender.recommend(user, 4):
        saved = saved_form(explain(ws, user, one.item, style=style))
        found = replay(saved, ws)
        assert (found.refused, found.same, found.same_code) == (None, True, True)
        assert [s.outcome for s in found.sentences] == ["holds"] * len(saved["sentences"])
        assert [s.text for s in found.sentences] == [s["text"] for s in saved["sentences"]]
        assert found.holds
        assert Explanation.from_json(saved).as_json() == saved


def test_what_a_writer_worded_holds(small_workspace: Workspace, pair: tuple[str, str]) -> None:
    told = [Draft("It fits your {p1.persona}.", ("p1",))]
    made = explain(small_workspace, *pair, writer=Script(lambda _: told))
    assert any(s.writer == "model" for s in made.sentences)
    assert replay(saved_form(made), small_workspace).holds


def test_the_forged_record_has_all_that_is_forged(honest: Saved) -> None:
    assert {"p1", "a1", "h1", "q1", "k1", "w1"} <= set(honest["claims"])


@pytest.mark.parametrize("name", NONSENSE)
def test_what_is_no_explanation_is_refused(
    name: str, small_workspace: Workspace, honest: Saved
) -> None:
    found = replay(forged(honest, NONSENSE[name]), small_workspace)
    assert found.refused
    assert not found.sentences
    assert not found.holds
    readable(found)


@pytest.mark.parametrize("thing", [None, 3, "text", [], {}, [{}], {"schema": None}, b"{}"])
def test_what_is_no_object_is_refused(thing: object, small_workspace: Workspace) -> None:
    assert replay(thing, small_workspace).refused


@pytest.mark.parametrize("name", MIXED)
def test_what_is_mixed_up_is_refused_as_a_whole(
    name: str, small_workspace: Workspace, honest: Saved
) -> None:
    found = replay(forged(honest, MIXED[name]), small_workspace)
    assert found.refused, name
    assert not found.holds
    readable(found)


@pytest.mark.parametrize(("key", "value"), [("user", "u59"), ("item", "i05")])
def test_a_record_handed_to_another_is_refused(
    key: str, value: str, small_workspace: Workspace, honest: Saved
) -> None:
    found = replay(forged(honest, whole_record_of(key, value)), small_workspace)
    assert not found.holds
    assert found.refused
    assert any(s.outcome == "false" for s in found.sentences)


@pytest.mark.parametrize("name", FALSE)
def test_a_sentence_that_was_altered_is_false(
    name: str, small_workspace: Workspace, honest: Saved
) -> None:
    forge, reason = FALSE[name]
    found = replay(forged(honest, forge), small_workspace)
    told = [s.reason for s in found.sentences if s.outcome == "false"]
    assert told, name
    assert not found.holds
    assert any(re.search(reason, one) for one in told), told
    readable(found)


def test_a_taste_left_out_is_missed(small_workspace: Workspace, pair: tuple[str, str]) -> None:
    short = saved_form(explain(small_workspace, *pair, style="short"))
    assert replay(short, small_workspace).holds
    found = replay(forged(short, a_taste_hidden), small_workspace)
    assert found.refused is None
    assert found.tastes is not None
    assert re.search(r"there are \d tastes, not \d; .* altered", found.tastes.reason)
    assert not found.holds


def test_nothing_said_is_nothing_that_holds(small_workspace: Workspace, honest: Saved) -> None:
    def empty(saved: Saved) -> None:
        saved |= {"sentences": [], "claims": {}, "answer": ""}
        saved["metrics"]["coverage"] = 0.0
        saved["evidence"] = {
            id_: e for id_, e in saved["evidence"].items() if e["kind"] == "persona_effect"
        }

    found = replay(forged(honest, empty), small_workspace)
    assert found.refused is None
    assert not found.holds


def test_what_is_not_checked_is_named_and_changes_nothing(
    small_workspace: Workspace, honest: Saved
) -> None:
    def change(saved: Saved) -> None:
        saved |= {"question": "Is it good?", "seed": 3, "llm_error": "gone", "dropped": []}
        saved["metrics"] |= {"tokens": 9, "rounds": 1, "ms": {"x": 1.0}}

    assert replay(forged(honest, change), small_workspace).holds
    assert "Not checked" in str(replay.__doc__)


def test_against_another_model_what_became_false_is_said(other: Workspace, honest: Saved) -> None:
    found = replay(honest, other)
    assert (found.refused, found.same) == (None, False)
    by_claim = dict(
        zip([tuple(s["claims"]) for s in honest["sentences"]], found.sentences, strict=True)
    )
    effect = next(s for claims, s in by_claim.items() if "p1" in claims)
    assert effect.outcome == "false"
    assert re.search(r"p1: (its effect|the rank)( without it)? is \S+, not", effect.reason)
    assert "altered" not in effect.reason
    assert next(s for claims, s in by_claim.items() if "q1" in claims).outcome == "holds"
    assert found.tastes is not None
    assert found.tastes.outcome == "false"
    assert not found.holds


def test_a_record_of_another_model_that_names_this_one_is_caught(
    small_workspace: Workspace, other: Workspace, pair: tuple[str, str]
) -> None:
    made = saved_form(explain(other, *pair, style="detailed"))
    assert replay(made, other).holds
    mine = small_workspace.recommender.hashes["model"]
    relabelled = json.loads(json.dumps(made).replace("0" * 64, mine))
    rehash(relabelled)
    found = replay(relabelled, small_workspace)
    assert found.same
    assert found.refused
    assert any("altered" in s.reason for s in found.sentences)
    assert not found.holds


def test_without_reviews_a_quotation_is_unchecked(
    small_workspace: Workspace, honest: Saved
) -> None:
    found = replay(honest, Workspace(small_workspace.recommender))
    by_outcome = {s.outcome for s in found.sentences}
    assert found.refused is None
    assert by_outcome == {"holds", "unchecked"}
    assert not found.holds


def test_records_of_who_and_what_is_unknown_are_false(
    small_workspace: Workspace, honest: Saved
) -> None:
    for key in ("user", "item"):
        saved = forged(honest, whole_record_of(key, "zz"))
        saved |= {"model_hash": "1" * 64}
        saved = json.loads(
            json.dumps(saved).replace(small_workspace.recommender.hashes["model"], "1" * 64)
        )
        rehash(saved)
        found = replay(saved, small_workspace)
        assert found.refused is None
        assert {s.outcome for s in found.sentences} == {"false"}
        assert "zz" in found.sentences[0].reason


def test_other_code_is_said(small_workspace: Workspace, honest: Saved) -> None:
    found = replay(forged(honest, field("code_hash", "0" * 64)), small_workspace)
    assert found.holds
    assert not found.same_code
    found = replay(
        forged(forged(honest, edited_text), field("code_hash", "0" * 64)), small_workspace
    )
    assert any("or the code was" in s.reason for s in found.sentences)


def places(value: object, at: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from places(inside, (*at, key))
    elif isinstance(value, list):
        for n, inside in enumerate(value):
            yield from places(inside, (*at, n))
    else:
        yield at


FREE = {"question", "dropped", "llm_error", "prompt", "seed", "code_hash"}


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), st.floats(-2, 2), st.text(max_size=6)
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(spot=st.integers(0, 9999), value=VALUES, near=st.booleans(), hashed=st.booleans())
def test_no_single_value_can_be_changed(
    small_workspace: Workspace, honest: Saved, spot: int, value: Any, near: bool, hashed: bool
) -> None:
    """Change any one value that matters, and hash the evidence anew: it is noticed."""
    spots = [
        p
        for p in places(honest)
        if p[0] not in FREE
        and p[:2] not in {("metrics", k) for k in ("rounds", "tokens", "ms")}
        and p != ("metrics", "claim_precision_draft")
        and p[-1] not in ("about", "n")
    ]
    *path, last = spots[spot % len(spots)]
    saved = copy.deepcopy(honest)
    inside: Any = saved
    for part in path:
        inside = inside[part]
    old = inside[last]
    if near and isinstance(old, int | float) and isinstance(value, int | float):
        value = old + value
    if value == old:
        return
    inside[last] = value
    if path[:1] == ["evidence"] and hashed:
        try:
            rehash(saved)
        except (TypeError, ValueError):
            return
    assert not replay(saved, small_workspace).holds, (path, last, old, value)
