"""Make an artefact of a known data set, its reviews indexed: what answers are measured on."""

from __future__ import annotations

import json
from pathlib import Path

from whythis.bench.datasets import NAMES, read
from whythis.commands.fit import fit_dataset
from whythis.commands.index import index_reviews
from whythis.recsys import artefact
from whythis.recsys.config import FitConfig
from whythis.recsys.errors import ArtefactError
from whythis.recsys.interactions import Dataset
from whythis.recsys.recommender import Recommender


def prepared(data: str, work: Path, reviews: Path | None) -> tuple[Path, Path | None]:
    """Return an artefact folder and the JSON lines of the review texts that it quotes.

    `data`: an artefact folder, which is taken as it is with the texts in `reviews`; or a name of
    `whythis.bench.datasets`, fitted with the standard configuration into `work`/NAME and indexed,
    unless it stands there already. Its texts are written anew from the data set's own files.
    """
    if data not in NAMES:
        return Path(data), reviews
    dataset, folder = read(data), work / data
    recommender = fitted(dataset, folder)
    if not len(dataset.reviews):
        if reviews is not None:
            index_reviews(folder, recommender, reviews)
        return folder, reviews
    index_reviews(folder, recommender, None)
    return folder, _written(dataset, work / f"{data}.reviews.jsonl")


def fitted(dataset: Dataset, folder: Path) -> Recommender:
    """Return the artefact in a folder where it is this data set's, else fit it there anew.

    Fitted with the standard configuration.
    """
    return _held(folder, dataset) or fit_dataset(dataset, folder, FitConfig())


def _held(folder: Path, dataset: Dataset) -> Recommender | None:
    try:
        manifest = artefact.read_manifest(folder)
        if (manifest["data_hash"], manifest["config"]) == (dataset.hash, FitConfig().model_dump()):
            return artefact.load(folder)
    except ArtefactError:
        pass  # not there yet, or not whole: it is fitted anew
    return None


def _written(dataset: Dataset, path: Path) -> Path:
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        for row in dataset.reviews[["id", "item", "user", "text"]].to_dict("records"):
            file.write(json.dumps(row) + "\n")
    part.replace(path)
    return path
