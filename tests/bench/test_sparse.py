"""Cut histories are answered on a rung, and what is refuted is counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from whythis.bench.independent import Again
from whythis.bench.sparse import CUTS, cut_to, has_cause, main, sampled, summed_up, without
from whythis.tools.workspace import Workspace


def test_a_cut_leaves_the_first_likes_and_nothing_after(
    small_workspace: Workspace, small_indexed: Path
) -> None:
    again = Again(small_indexed, None)
    for user in sampled(small_workspace, 3, 0):
        whole = small_workspace.recommender.liked(user)
        for likes in CUTS:
            cut = cut_to(small_workspace, user, likes)
            assert cut.recommender.liked(user).tolist() == whole[:likes].tolist()
            assert cut.recommender.seen(user).tolist() == whole[:likes].tolist()
            after = small_workspace.recommender.item_ids.ids[whole[likes]]
            assert cut.after == after
            rows = small_workspace.recommender.interactions.query(
                "user == @user and item == @after"
            )
            assert cut.moment == rows["time"].iloc[0]
            assert all(s.item not in cut.dropped for s in cut.own_sentences(user, "i38"))
            lesser = without(again, cut, after)
            ids = small_workspace.recommender.item_ids.ids
            assert lesser.history(user) == [ids[i] for i in whole[:likes]]
            assert has_cause(cut, user, after) <= (likes > 0)


def test_it_measures_and_says_what_falls_short(
    small_indexed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--data", str(small_indexed), "--users", "2", "--refits", "0", "--json"]
    reviews = tmp_path / "reviews.jsonl"
    from tests.recsys.small import small_reviews

    small_reviews()[["id", "item", "user", "text"]].to_json(reviews, orient="records", lines=True)
    figure = tmp_path / "sparse.svg"
    main([*given, "--reviews", str(reviews), "--figure", str(figure)])
    found = json.loads(capsys.readouterr().out)
    figures = found["figures"]
    assert figures["users"] == 2
    assert figures["refuted claims"] == 0
    assert found["notes"] == []
    assert figures["0 likes: answered by the past alone"] == 0
    for cut in CUTS:
        assert figures[f"{cut} likes: claim precision"] == 1
        assert figures[f"{cut} likes: answered by the ladder"] == 1
        assert figures[f"{cut} likes: rungs below the past that name themselves"] == 1
    assert figure.read_bytes().startswith(b"<?xml")


def test_a_refuted_claim_is_counted() -> None:
    row = {"answered": True, "alone": False, "certain": False, "named": True, "rung": "circle"}
    row |= {"claims": 4, "coverage": 0.5, "wrong": []}
    rows = [row | {"cut": c, "which": w} for c in CUTS for w in ("first", "next")]
    rows[0] = rows[0] | {"wrong": ["u/i z1: it is another"], "answered": False}
    result = summed_up(rows, "none", 0)
    assert result.figures["refuted claims"] == 1
    assert result.figures["0 likes: claim precision"] == pytest.approx(1 - 1 / 8)
    assert result.figures["0 likes: on circle"] == 0.5
    assert result.figures["1 likes: ladder minus past alone"] == 1
    assert result.figures["1 likes: ladder minus past alone, certain"] == 1
    assert not result.as_json()["targets"]["refuted claims"]["ok"]
    assert result.notes == ["u/i z1: it is another"]
