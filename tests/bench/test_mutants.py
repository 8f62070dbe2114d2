"""Check that mutants are false by the tests' own means, that paraphrases are true, and the counts.

What is false here is recomputed from the small artefact, not asked of the operators.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from whythis.bench import mutants as bench
from whythis.bench.falsehoods import Scene, falsehoods
from whythis.bench.ground_truth import GroundTruth, ground_truth
from whythis.bench.mutation_answers import answers_to, leaking, older, owners_of
from whythis.bench.mutation_forgery import Answer
from whythis.bench.mutation_records import OPERATORS as RECORD_OPERATORS
from whythis.bench.mutation_records import record_mutants
from whythis.bench.mutation_texts import OPERATORS as TEXT_OPERATORS
from whythis.bench.mutation_texts import Mutant, mutants
from whythis.bench.paraphrasing import Told, filled, load_paraphrases
from whythis.bench.truth import sampled
from whythis.tools.workspace import Workspace

PAIRS = 6


@pytest.fixture(scope="module")
def truths(small_workspace: Workspace) -> list[GroundTruth]:
    """Return what is true of some recommendations, and of items with reviews."""
    rec, store = small_workspace.recommender, small_workspace.store()
    pairs = sampled(small_workspace, PAIRS, 3)
    for n, item in enumerate(i for i in rec.item_ids.ids if store.of_item(i)):
        index = rec.item_ids.index(item)
        free = [u for u in rec.user_ids.ids if index not in rec.seen(u) and len(rec.liked(u)) > 3]
        pairs += [(free[n % len(free)], item)] if free else []
    return [ground_truth(small_workspace, user, item) for user, item in pairs]


@pytest.fixture(scope="module")
def told(truths: list[GroundTruth]) -> list[tuple[GroundTruth, Told]]:
    """Return every paraphrase that is true of some of them, filled."""
    rng = np.random.default_rng(0)
    return [
        (truth, one)
        for paraphrase in load_paraphrases()
        for truth in truths
        if (one := filled(paraphrase, truth, rng)) is not None
    ]


@pytest.fixture(scope="module")
def made(
    truths: list[GroundTruth], told: list[tuple[GroundTruth, Told]]
) -> list[tuple[GroundTruth, Told, Mutant]]:
    """Return mutants of a sample of them."""
    scene = Scene(np.random.default_rng(0), truths, told)
    return [(t, one, m) for t, one in told[::13] for m in mutants(one, t, scene)]


@pytest.fixture(scope="module")
def answers(truths: list[GroundTruth], small_workspace: Workspace) -> list[Answer]:
    """Return answers to mutate."""
    past = older(small_workspace)
    found = [a for truth in truths[-3:] for a in answers_to(truth, past, 0)]
    return [
        Answer(a.saved, a.truth, a.told, [o for o in found if o.truth is not a.truth], a.stale)
        for a in found
    ]


def test_there_are_enough_paraphrases_and_none_twice() -> None:
    known = load_paraphrases()
    assert len({p.text for p in known}) == len(known)
    assert sum(p.set == "dev" for p in known) >= 300
    assert sum(p.set == "held" for p in known) >= 150
    assert sum(p.by == "model" for p in known) >= 50


def test_nearly_every_paraphrase_can_be_filled(told: list[tuple[GroundTruth, Told]]) -> None:
    kinds = {kind for _, one in told for kind in one.kinds}
    assert {"persona_effect", "history_effect", "rank", "review_quote", "rating"} <= kinds
    assert not [one.text for _, one in told if re.search(r"[{}]", one.text)]


def test_a_filled_paraphrase_tells_the_ranks_that_the_model_gives(
    told: list[tuple[GroundTruth, Told]],
) -> None:
    checked = 0
    for truth, one in told:
        if one.kinds == ("history_effect",) and re.search(r"\d(st|nd|rd|th)", one.text):
            assert one.removal is not None
            numbers = {int(n) for n in re.findall(r"(\d+)(?:st|nd|rd|th)", one.text)}
            rec = truth.ws.recommender
            assert numbers <= {rec.rank(truth.user, truth.item), truth.without(one.removal.items)}
            checked += 1
    assert checked > 10


@pytest.mark.parametrize("set_", ["dev", "held"])
def test_traits_decide_what_a_text_may_be_filled_with(
    set_: str, told: list[tuple[GroundTruth, Told]]
) -> None:
    for truth, one in told:
        if one.set != set_ or one.kinds != ("persona_effect",):
            continue
        taste = one.tastes[0]
        if re.search(r"counts against|pulls? .*down|drags|minus for", one.text):
            assert taste.effect < 0
        if re.search(r"thanks to|Thanks to|Due to", one.text):
            assert taste.effect > 0
        if "out of your top" in one.text:
            assert taste.rank_before <= 10 < taste.rank_after
        assert truth.title in one.text or re.search(r"\b([Ii]ts?|[Tt]his|you)\b", one.text)


def test_each_operator_makes_mutants_that_differ(
    made: list[tuple[GroundTruth, Told, Mutant]],
) -> None:
    assert {m.operator for _, _, m in made} >= set(TEXT_OPERATORS) - {"top changed"}
    assert all(m.text != told.text or m.leaked for _, told, m in made)
    assert all(m.false and "\0" not in m.text for _, _, m in made)


def test_no_mutant_is_a_true_paraphrase(
    made: list[tuple[GroundTruth, Told, Mutant]], told: list[tuple[GroundTruth, Told]]
) -> None:
    true = {(truth.user, truth.item, one.text) for truth, one in told}
    lies = {(truth.user, truth.item, m.text) for truth, _, m in made if not m.leaked}
    assert not true & lies


def test_a_changed_number_is_none_that_was_told(
    made: list[tuple[GroundTruth, Told, Mutant]],
) -> None:
    changed = {"place changed", "count changed", "share changed", "rating changed", "top changed"}
    for _, one, mutant in made:
        if mutant.operator in changed:
            told = [
                re.findall(r"\d[\d,.]*|\b\w+(?:st|nd|rd|th)\b", text)
                for text in (one.text, mutant.text)
            ]
            assert told[0] != told[1]


def test_a_swapped_like_was_never_liked_or_does_not_do_that(
    made: list[tuple[GroundTruth, Told, Mutant]],
) -> None:
    checked = 0
    for truth, _, mutant in made:
        if mutant.operator == "like swapped" and "never liked" in mutant.false:
            rec = truth.ws.recommender
            liked = {rec.short_title(rec.item_ids.ids[i]) for i in rec.liked(truth.user)}
            stranger = mutant.false.removeprefix("the user never liked ")
            assert stranger in mutant.text
            assert stranger not in liked
            checked += 1
    assert checked


def test_a_swapped_taste_has_the_opposite_effect(
    made: list[tuple[GroundTruth, Told, Mutant]],
) -> None:
    checked = 0
    for truth, one, mutant in made:
        if mutant.operator == "taste swapped" and one.kinds == ("persona_effect",):
            was = one.tastes[0]
            now = [t for t in truth.tastes if t.name in mutant.text and t.name not in one.text]
            assert now
            assert all(t.effect * was.effect < 0 for t in now)
            checked += 1
    assert checked


def test_an_altered_quote_stands_in_no_review(
    made: list[tuple[GroundTruth, Told, Mutant]],
) -> None:
    checked = 0
    for truth, one, mutant in made:
        if mutant.operator.startswith("quote: ") and "tone" not in mutant.operator:
            assert one.quote is not None
            head, tail = one.text.split(one.quote.text)
            quote = mutant.text[len(head) : len(mutant.text) - len(tail)]
            stored = truth.ws.store().of_item(truth.item)
            assert not any(quote in sentence.text for sentence in stored)
            checked += 1
    assert checked


def test_the_shorter_list_does_not_hold_the_item(
    truths: list[GroundTruth],
) -> None:
    low = max(truths, key=lambda t: t.rank)
    assert low.rank > 1
    one = Told(f"{low.title} is in your top 10.", ("rank",))
    found = list(TEXT_OPERATORS["top changed"](one, low, Scene(np.random.default_rng(0))))
    assert all(int(text.split("top ")[1].rstrip(".")) < low.rank for text, _ in found)


def test_words_inside_titles_and_quotations_stay(truths: list[GroundTruth]) -> None:
    truth = truths[0]
    one = Told(
        f"One reviewer of {truth.title} says: “It would fall down 3rd.”", ("history_effect",)
    )
    scene = Scene(np.random.default_rng(0))
    for name in ("direction flipped", "place changed", "count changed"):
        assert list(TEXT_OPERATORS[name](one, truth, scene)) == []


def test_the_falsehoods_are_many_and_their_patterns_compile() -> None:
    words = falsehoods()
    assert len(set(words.unsupported)) >= 60
    for pairs in (words.flips, words.denials, words.affirmations, words.sole):
        assert all(re.compile(pattern) for pattern, _ in pairs)


def _records(answers: list[Answer], truths: list[GroundTruth]) -> Iterator[tuple[Answer, str, str]]:
    scene = Scene(np.random.default_rng(0), truths)
    for answer in answers:
        before = copy.deepcopy(answer.saved)
        for mutant in record_mutants(answer, scene):
            assert mutant.leaked or mutant.record != before
            yield answer, mutant.operator, json.dumps(mutant.record)
        assert answer.saved == before


def test_each_record_operator_makes_mutants_and_leaves_the_answer_alone(
    answers: list[Answer], truths: list[GroundTruth]
) -> None:
    made = {operator for _, operator, _ in _records(answers, truths)}
    assert made >= set(RECORD_OPERATORS) - {"direction flipped"}


def test_sentences_of_a_mutated_record_stand_where_it_says(
    answers: list[Answer], truths: list[GroundTruth]
) -> None:
    placed = {
        "unsupported sentence",
        "false clause appended",
        "because for a share",
        "rank changed",
    }
    for _, operator, text in _records(answers[:2], truths):
        record = json.loads(text)
        if operator in placed:
            for sentence in record["sentences"]:
                told = record["answer"][sentence["start"] : sentence["end"]]
                assert told == sentence["text"]


def test_reviews_can_be_made_the_users_own(
    small_workspace: Workspace, truths: list[GroundTruth]
) -> None:
    owners = owners_of(truths)
    assert owners
    with leaking(small_workspace, owners) as leaky:
        for item, user in owners.items():
            assert {s.user for s in leaky.store().of_item(item)} == {user}
            assert small_workspace.store().of_item(item) != leaky.store().of_item(item)


def test_an_older_recommender_knows_less(small_workspace: Workspace) -> None:
    past = older(small_workspace)
    assert len(past.recommender.interactions) < len(small_workspace.recommender.interactions)
    assert set(past.recommender.user_ids.ids) == set(small_workspace.recommender.user_ids.ids)
    assert past.recommender.hashes != small_workspace.recommender.hashes


@pytest.mark.integration
def test_the_benchmark_counts_and_saves(small_indexed: Path, tmp_path: Path) -> None:
    out, kept = tmp_path / "out.json", tmp_path / "kept.jsonl"
    options = ["--quick", "--users", "1", "--data", str(small_indexed), "--json"]
    bench.main([*options, "--out", str(out), "--save", str(kept)])
    found = json.loads(out.read_text())
    figures = found["figures"]
    assert figures["mutants"] == figures["structured, mutants"] + figures["text, mutants"] > 100
    assert {"structured, killed", "text, killed"} <= set(found["targets"])
    assert 0 <= figures["dev paraphrases, held back"] <= 1
    assert all(json.loads(line) for line in kept.read_text().splitlines())
