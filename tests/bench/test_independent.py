"""The second implementation agrees with the first, and sees what a claim has wrong."""

import copy
import json

import numpy as np
import pytest

from whythis.bench.independent import Again
from whythis.bench.truth import answered, judged, sampled


@pytest.fixture(scope="module")
def answers(small_workspace):
    return answered(small_workspace, 8, seed=1)


@pytest.fixture(scope="module")
def again(small_artefact):
    return Again(small_artefact, None)


def test_scores_agree_with_the_recommender(again, small_workspace):
    rec = small_workspace.recommender
    for user in rec.user_ids.ids[:5]:
        ours, _, _ = again.scores(user)
        assert np.abs(ours - rec.scores(rec.history(user))).max() < 1e-9


def test_every_number_of_the_answers_is_found_again(answers, again):
    model_claims = [c for a in answers for c in a["claims"].values() if c["kind"] != "review_quote"]
    assert model_claims
    assert [again.differences(c) for c in model_claims] == [[]] * len(model_claims)


def test_a_shifted_number_is_seen(answers, again):
    claims = [c for a in answers for c in a["claims"].values()]
    checked = 0
    for claim in claims:
        for name, value in claim["value"].items():
            if isinstance(value, bool | str) or value is None or name in {"top", "of", "best"}:
                continue
            if claim["kind"] == "review_quote":
                continue
            wrong = copy.deepcopy(claim)
            wrong["value"][name] = value + 1
            assert again.differences(wrong), (claim["kind"], name)
            checked += 1
    assert checked > 20


def test_swapped_past_items_are_seen(answers, again):
    effects = [c for a in answers for c in a["claims"].values() if c["kind"] == "history_effect"]
    assert effects
    wrong = copy.deepcopy(effects[0])
    history = again.history(wrong["subject"]["user"])
    wrong["subject"]["items"] = [i for i in history if i not in wrong["subject"]["items"]][:1]
    assert again.differences(wrong)


def test_the_sample_is_seeded_and_within_the_top(small_workspace):
    drawn = sampled(small_workspace, 6, seed=3)
    assert drawn == sampled(small_workspace, 6, seed=3)
    for user, item in drawn:
        assert small_workspace.recommender.rank(user, item) <= 10


def test_judged_counts_what_is_not_reproduced(answers, small_artefact, tmp_path):
    broken = json.loads(json.dumps(answers))
    claim = next(c for c in broken[0]["claims"].values() if c["kind"] == "persona_effect")
    claim["value"]["effect"] += 0.5
    reviews = tmp_path / "none.jsonl"
    reviews.write_text("", encoding="utf-8")
    quotes = sum(c["kind"] == "review_quote" for a in broken for c in a["claims"].values())
    figures, wrong = judged(broken, small_artefact, reviews)
    assert figures["numbers not reproduced"] == 1 + quotes == len(wrong)
