"""Make the model of a configuration's persona source, of the right shape and still empty."""

from __future__ import annotations

from whythis.recsys.composed import HistoryPersonas
from whythis.recsys.config import FitConfig
from whythis.recsys.free import FreePersonas
from whythis.recsys.medoid import MedoidPersonas
from whythis.recsys.model import PersonaModel


def empty_model(n_items: int, config: FitConfig) -> PersonaModel:
    """Return a model whose weights are still to be loaded."""
    k, dim, attention = config.personas, config.dim, config.attention
    if config.source == "free":
        return FreePersonas(n_items, config)
    if config.source == "medoid":
        return MedoidPersonas(n_items, k, dim, attention)
    return HistoryPersonas(n_items, k, dim, config.neighbours, attention)
