"""Personas are named in words of the data, each user's names apart from one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys import artefact
from whythis.recsys.interactions import make_dataset
from whythis.recsys.naming import MIN_MASS, persona_cards
from whythis.recsys.recommender import Recommender

from .small import NOBODY, ONCE, TASTES, random_model, recommender, tastes_of

Rows = Sequence[Sequence[float]]


@pytest.fixture(scope="module")
def rec(small_artefact: Path) -> Recommender:
    return artefact.load(small_artefact)


def one_user(membership: Rows, **columns: Sequence[object]) -> Recommender:
    """Return a recommender with one user, `a`, who likes item after item of these memberships."""
    n, k = len(membership), len(membership[0])
    ids = [f"x{i:02}" for i in range(n)]
    model = random_model(n, 3, k, 0)
    model.membership.copy_(torch.tensor(membership))
    model.forgetting.zero_()
    frame = pd.DataFrame({"user": "a", "item": ids, "time": np.arange(n, dtype=float)})
    items = pd.DataFrame({"item": ids, **columns})
    return recommender(make_dataset("d", frame, items=items), model)


def names(rec: Recommender) -> list[str]:
    return [card.name for card in persona_cards(rec, "a")]


TWO = [[0.9, 0.1]] * 3 + [[0.1, 0.9]] * 2


def test_planted_tastes_are_named_by_their_genres(rec: Recommender) -> None:
    spoken = {"Sci-Fi": "science fiction", "Musical": "musicals"}
    for user in rec.user_ids.ids:
        if user in (NOBODY, ONCE):
            continue
        cards = persona_cards(rec, user)
        words = [{spoken.get(genre, genre.lower()) for genre in TASTES[t]} for t in tastes_of(user)]
        # where nothing else is left to be told apart from, a title says more than a second genre
        heaviest = cards[0].name.split(" like ")[0].split(" and ")
        assert any(set(heaviest) <= word for word in words), (user, cards[0].name)


def test_cards_are_the_personas_of_enough_mass(rec: Recommender) -> None:
    for user in rec.user_ids.ids:
        history = rec.history(user)
        cards = persona_cards(rec, user, shown=3)
        found = rec.mixture(history)
        masses, weights = found.masses[0].numpy(), found.weights[0].numpy()
        assert {c.persona for c in cards} == {p for p in range(3) if masses[p] >= MIN_MASS}
        assert [c.mass for c in cards] == sorted((c.mass for c in cards), reverse=True)
        for card in cards:
            assert card.mass == masses[card.persona]
            by_weight = sorted(
                zip(history, weights[:, card.persona], strict=True), key=lambda pair: -pair[1]
            )
            assert card.items == tuple(
                (rec.item_ids.ids[i], weight) for i, weight in by_weight[: len(card.items)]
            )
            assert len(card.items) == min(3, len(history))


def test_names_are_distinct_and_the_same_every_time(rec: Recommender) -> None:
    for user in rec.user_ids.ids:
        cards = persona_cards(rec, user)
        assert len({card.name for card in cards}) == len(cards)
        assert persona_cards(rec, user) == cards


def test_nobody_has_no_cards_and_one_like_makes_some(rec: Recommender) -> None:
    assert persona_cards(rec, NOBODY) == ()
    assert [card.items for card in persona_cards(rec, ONCE)] == [(("i03", 1.0),)]


def test_genres_name_what_sets_a_persona_apart() -> None:
    genres = [["Drama", "War"]] * 3 + [["Drama", "Film-Noir"]] * 2
    assert names(one_user(TWO, genres=genres)) == ["war stories and drama", "film noir and drama"]


def test_the_same_two_words_in_another_order_are_one_name() -> None:
    # each persona leads with what the other has second
    membership = [[0.7, 0.3], [0.3, 0.7], [0.5, 0.5]]
    found = names(one_user(membership, genres=[["A", "B"], ["B", "A"], []]))
    assert len({frozenset(name.casefold().split(" and ")) for name in found}) == 2


def test_words_of_descriptions_serve_where_there_are_no_genres() -> None:
    text = ["About a haunted lighthouse"] * 3 + ["Because of all the roses"] * 2
    assert names(one_user(TWO, text=text)) == ["haunted and lighthouse", "roses"]


def test_titles_serve_where_there_is_nothing_else() -> None:
    titles = ["Ada", "Bee", "Cid", "Dot", "Eve"]
    assert names(one_user(TWO, title=titles)) == ["Ada", "Dot"]


def test_ids_serve_where_there_are_no_metadata_at_all() -> None:
    assert names(one_user(TWO)) == ["x00", "x03"]


def test_personas_of_the_same_single_item_are_told_apart() -> None:
    assert names(one_user([[0.6, 0.4]])) == ["x00", "x00, part 2"]
    assert names(one_user([[0.4, 0.3, 0.3]], genres=[["Drama"]])) == [
        "drama like x00",
        "drama like x00, part 2",
        "drama like x00, part 3",
    ]
    assert names(one_user([[0.4, 0.3, 0.3]], genres=[["War", "Drama"]], title=["Ada"])) == [
        "drama like Ada",
        "war stories like Ada",
        "drama like Ada, part 2",
    ]


def test_a_title_may_look_like_a_numbered_taste() -> None:
    found = names(one_user([[0.5, 0.25, 0.25], [0.1, 0.45, 0.45]], title=["A", "A, part 2"]))
    assert len({name.casefold() for name in found}) == len(found) == 3


def test_endless_titles_and_genres_are_cut() -> None:
    long = "Nevermore " * 100_000
    found = names(one_user(TWO, title=[long] * 5)) + names(one_user(TWO, genres=[[long]] * 5))
    assert max(map(len, found)) < 200


labels = st.lists(st.sampled_from(["A", "a", "B", "A and B", "A, part 2", "<b>", "ж"]), max_size=3)
rows = st.lists(st.floats(0.05, 1), min_size=3, max_size=3).map(
    lambda row: [value / sum(row) for value in row]
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(rows, labels, st.sampled_from(["A like B", "B, part 2", "B", "x"])),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_the_labels_every_persona_has_a_name_of_its_own(
    likes: list[tuple[list[float], list[str], str]],
) -> None:
    rec = one_user(
        [row for row, _, _ in likes],
        genres=[genres for _, genres, _ in likes],
        title=[title for _, _, title in likes],
    )
    cards = persona_cards(rec, "a")
    heavy = (rec.mixture(rec.history("a")).masses[0] >= MIN_MASS).sum()
    assert len({card.name.casefold() for card in cards}) == len(cards) == heavy
    assert all(card.name.strip() and "\n" not in card.name for card in cards)
    assert persona_cards(rec, "a") == cards
