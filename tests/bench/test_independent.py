"""The second implementation agrees with the first, and sees what a claim has wrong."""

import copy
import json
import sqlite3

import numpy as np
import pytest
import torch

from tests.plugin.claims.test_verify import asked
from tests.plugin.fakes import best
from tests.recsys.small import NOBODY, ONCE, small_dataset
from whythis.bench.independent import Again
from whythis.bench.sentences import stored
from whythis.bench.truth import answered, judged, main, sampled
from whythis.claims.kinds import NEEDS
from whythis.claims.offer import offer
from whythis.recsys import artefact
from whythis.recsys.config import FitConfig
from whythis.recsys.errors import DataError
from whythis.recsys.sources import empty_model


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


@pytest.mark.parametrize("attention", ["cosine", "dot", "none"])
@pytest.mark.parametrize("personas", [1, 3])
def test_scores_agree_whatever_the_weights(attention, personas, tmp_path):
    dataset = small_dataset()
    config = FitConfig(personas=personas, dim=8, neighbours=7, window=9, attention=attention)
    model = empty_model(len(dataset.items), config)
    drawn = np.random.default_rng(personas)
    for name, value in model.state_dict().items():
        shape = tuple(value.shape)
        if name.endswith("_items"):
            new = drawn.integers(0, len(dataset.items), shape).astype(np.int32)  # with repeats
        elif name in {"forgetting", "reach", "scale", "temperature"}:
            new = np.float32(drawn.uniform(0.1, 3.0))
        elif name == "membership":
            new = drawn.dirichlet(np.ones(personas), shape[0]).astype(np.float32)
        else:
            new = drawn.normal(size=shape).astype(np.float32)
        value.copy_(torch.as_tensor(new))
    artefact.save(tmp_path, dataset, config, model, {})
    rec, again = artefact.load(tmp_path), Again(tmp_path, None)
    for user in ("u00", "u01", "u02", ONCE, NOBODY):
        history = rec.history(user)
        keep = np.ones((1, personas), dtype=bool)
        ours, shares, weights = again.scores(user)
        whole = rec.mixture(history)
        assert np.abs(ours - whole.scores[0].numpy()).max() < 1e-6
        assert np.abs(shares - whole.shares[0].numpy()).max() < 1e-9
        assert np.abs(weights - whole.weights[0].numpy()).max(initial=0) < 1e-9
        keep[0, 0] = False
        less, _, _ = again.scores(user, persona=0)
        assert np.abs(less - rec.mixture(history, keep=keep).scores[0].numpy()).max() < 1e-6
        if len(history):
            gone = rec.item_ids.ids[history[-1]]
            liked = rec.liked(user)
            rest = liked[liked != history[-1]][-rec.window :]
            less, _, _ = again.scores(user, without=(gone,))
            assert np.abs(less - rec.scores(rest)).max() < 1e-6


def test_other_sources_are_refused(tmp_path):
    dataset, config = small_dataset(), FitConfig(source="medoid", personas=2, dim=4)
    artefact.save(tmp_path, dataset, config, empty_model(len(dataset.items), config), {})
    with pytest.raises(ValueError, match="personas of medoid; only history"):
        Again(tmp_path, None)
    with pytest.raises(DataError, match="medoid personas"):
        main(["--data", str(tmp_path), "--quick"])


def test_every_number_of_the_answers_is_found_again(answers, again):
    model_claims = [c for a in answers for c in a["claims"].values() if c["kind"] != "review_quote"]
    assert model_claims
    assert [again.differences(c) for c in model_claims] == [[]] * len(model_claims)


def test_a_shifted_number_is_seen(answers, again):
    claims = [c for a in answers for c in a["claims"].values()]
    checked = 0
    for claim in claims:
        for name, value in claim["value"].items():
            if isinstance(value, bool | str) or value is None or name == "top":
                continue
            if claim["kind"] == "review_quote":
                continue
            wrong = copy.deepcopy(claim)
            wrong["value"][name] = value + 1
            assert again.differences(wrong), (claim["kind"], name)
            checked += 1
    assert checked > 20


@pytest.fixture(scope="module")
def all_claims(small_workspace):
    """Return claims of every kind that the files of an artefact can show."""
    ws, claims = small_workspace, []
    for user, item in [("u00", "i16"), ("u00", "i19"), ("u05", best(ws, "u05")), (ONCE, "i00")]:
        other = ws.recommender.recommend(user, 40)[-2].item
        found = offer(asked(ws, user, item, other), user, item)
        claims += [json.loads(claim.model_dump_json()) for claim in found]
    return claims


def test_every_kind_of_claim_is_found_again(all_claims, small_indexed):
    again = Again(small_indexed, None)
    told = [c for c in all_claims if c["kind"] != "review_quote"]
    untold = {"review_quote", "cannot_know", "personal_effect"}
    assert {c["kind"] for c in told} == set(NEEDS) - untold
    assert [again.differences(c) for c in told] == [[]] * len(told)


def test_what_is_wrong_is_seen_whatever_the_kind(all_claims, small_indexed):
    again = Again(small_indexed, None)
    checked = set()
    for claim in all_claims:
        for name, value in claim["value"].items():
            if name in ("top", "minimal", "name", "other_name") or claim["kind"] == "review_quote":
                continue
            wrong = copy.deepcopy(claim)
            if name == "field":
                wrong["value"][name] = {"year": "genres", "genres": "year"}[value]
            elif name == "word":
                wrong["value"][name] = "nowhere"
                if not value or not claim["value"]["sentences"]:
                    continue
            elif isinstance(value, str):
                wrong["value"][name] = value + "s"
            elif isinstance(value, list):
                wrong["value"][name] = [*value, "more"]
            elif value is None:
                wrong["value"][name] = 0.5
            else:
                wrong["value"][name] = not value if isinstance(value, bool) else value + 1
            try:
                assert again.differences(wrong), (claim["kind"], name)
            except ValueError:  # a year that is none
                assert name == "field"
            checked.add(claim["kind"])
    assert checked >= {"contribution", "necessary_set", "sufficient_set", "mentions", "recent"}


def test_a_set_with_a_member_to_spare_is_seen(all_claims, small_indexed):
    again = Again(small_indexed, None)
    for kind in ("necessary_set", "sufficient_set"):
        claim = next(c for c in all_claims if c["kind"] == kind and c["subject"]["user"] == "u00")
        user, item, items = (claim["subject"][k] for k in ("user", "item", "items"))
        for more in set(again.history(user)) - set(items):
            wrong = copy.deepcopy(claim)
            padded = wrong["subject"]["items"] = [*items, more]
            name, rank = "rank_alone", again.placed(user, item, only=padded)
            if kind == "necessary_set":
                name, rank = "rank_after", again.placed(user, item, padded)
            wrong["value"] |= {name: rank}
            for minimal in ("found", "proven"):
                wrong["value"]["minimal"] = minimal
                assert again.differences(wrong)


def test_what_cannot_be_known_of_files_are_reviews_that_they_lack(small_artefact, small_indexed):
    claim = {"kind": "cannot_know", "subject": {"user": "u00", "item": "i16"}}
    claim["value"] = {"wanted": "mentions", "needs": "reviews", "shows": "owned"}
    assert Again(small_artefact, None).differences(claim) == []
    assert Again(small_indexed, None).differences(claim) == ["that can be known"]


def test_the_stored_sentences_are_those_of_the_index(small_workspace, small_indexed):
    index = small_indexed / "reviews" / "chroma.sqlite3"
    told = {s["chroma:document"] for s in stored(index) if s["item"] == "i00"}
    assert told == {s.text for s in small_workspace.store().of_item("i00")}
    with pytest.raises(sqlite3.OperationalError):
        stored(index.with_name("none.sqlite3"))


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
    claims = [c for a in broken for c in a["claims"].values()]
    claim = next(c for c in claims if c["kind"] == "persona_effect")
    claim["value"]["effect"] += 0.5
    reviews = tmp_path / "none.jsonl"
    reviews.write_text("", encoding="utf-8")
    quotes = sum(c["kind"] == "review_quote" for a in broken for c in a["claims"].values())
    figures, wrong = judged(broken, small_artefact, reviews)
    assert figures["numbers not reproduced"] == 1 + quotes == len(wrong)
