"""Make explanations to mutate, an older recommender, and reviews that are the user's own."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from whythis.bench.ground_truth import GroundTruth, Removed
from whythis.bench.mutation_forgery import Answer, Record
from whythis.bench.paraphrasing import Told
from whythis.explain import explain
from whythis.text.realiser import Style
from whythis.tools.reviews import index as review_index
from whythis.tools.reviews.chroma import Place, connected
from whythis.tools.reviews.embedding import MiniLM
from whythis.tools.reviews.store import ReviewStore
from whythis.tools.workspace import Workspace

_OLDER = 0.8  # of each user's events


def answers_to(truth: GroundTruth, older: Workspace, seed: int) -> list[Answer]:
    """Explain a recommendation in every style, and as an older recommender would have."""
    found = []
    for style in get_args(Style):
        saved = explain(truth.ws, truth.user, truth.item, style=style, seed=seed).as_json()
        stale = explain(older, truth.user, truth.item, style=style, seed=seed).as_json()
        found.append(Answer(saved, truth, told_in(saved, truth), stale=stale))
    return found


def told_in(saved: Record, truth: GroundTruth) -> tuple[Told, ...]:
    """Return what each sentence of an explanation tells."""
    return tuple(_told(sentence, saved["claims"], truth) for sentence in saved["sentences"])


def _told(sentence: Record, claims: Mapping[str, Record], truth: GroundTruth) -> Told:
    cited = [claims[id_] for id_ in sentence["claims"]]
    personas = dict.fromkeys(c["subject"]["persona"] for c in cited)
    tastes = tuple(t for t in truth.tastes if t.persona in personas)
    quote = removal = rests = None
    for claim in cited:
        kind, subject, value = claim["kind"], claim["subject"], claim["value"]
        if kind == "review_quote" and truth.ws.reviews is not None:
            quote = truth.ws.reviews.get(subject["review"])
        elif kind == "history_effect" and value["rank_after"] is not None:
            items = tuple(subject["items"])
            removal = Removed(items, value["rank_before"], value["rank_after"])
        elif kind == "persona_items":
            rests = next((t for t in tastes if t.persona == subject["persona"]), None)
    return Told(
        text=sentence["text"],
        kinds=tuple(c["kind"] for c in cited),
        tastes=tastes,
        removal=removal,
        quote=quote,
        rests=rests,
        named=tuple(i for c in cited for i in c["subject"]["items"]),
    )


def older(ws: Workspace) -> Workspace:
    """Return the recommender as it was before the latest fifth of each user's events."""
    rec = ws.owned()
    places = rec.interactions.groupby("user").cumcount()
    sizes = rec.interactions.groupby("user")["user"].transform("size")
    kept = rec.interactions[(places < _OLDER * sizes) | (places == 0)].reset_index(drop=True)
    hashes = {
        name: hashlib.sha256(f"older {mark}".encode()).hexdigest()
        for name, mark in rec.hashes.items()
    }
    return Workspace(replace(rec, interactions=kept, hashes=hashes), ws.reviews)


@contextmanager
def leaking(ws: Workspace, owners: Mapping[str, str]) -> Iterator[Workspace]:
    """Give a workspace in which all reviews of some items (keys) are by a user (values)."""
    store = ws.store()
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "reviews"
        shutil.copytree(store.folder, copy)
        encoder = MiniLM()
        with connected(Place(copy)) as client:
            collection = review_index.finished(Place(copy), client, encoder)
        for item, user in owners.items():
            ids = [s.id for s in store.of_item(item)]
            if ids:
                found = collection.get(ids=ids, include=["metadatas"])
                mine = [{**fields, "user": user} for fields in found["metadatas"] or ()]
                collection.update(ids=found["ids"], metadatas=list[Mapping[str, Any]](mine))
        reviews = ReviewStore(Place(copy), client, collection, encoder)
        try:
            yield Workspace(ws.recommender, reviews)
        finally:
            reviews.close()


def owners_of(truths: Sequence[GroundTruth]) -> dict[str, str]:
    """Return for each item with reviews the first user whom it was recommended to."""
    return {t.item: t.user for t in reversed(truths) if t.quotes}
