"""Configure the persona model and its training: one frozen, validated record."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FitConfig(BaseModel):
    """Hold every choice that decides a fitted model; equal configurations give equal artefacts.

    Ranges are checked on construction (`pydantic.ValidationError`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    personas: int = Field(6, ge=1, le=32, description="K, latent tastes per user")
    dim: int = Field(64, ge=2, le=1024, description="d, width of the embeddings")
    window: int = Field(200, ge=1, le=2000, description="most recent liked items the model reads")
    sharpness: float = Field(10.0, gt=0, le=100, description="how crisply items fall to personas")
    ease_l2: float = Field(200.0, gt=0, description="ridge of the item-item start, EASE's lambda")
    anchor: float = Field(1.0, ge=0, description="pull of the weights towards their start")
    history_dropout: float = Field(
        0.2, ge=0, lt=1, description="share of history hidden in training"
    )
    empty_rate: float = Field(0.05, ge=0, lt=1, description="training rows with no history at all")
    learning_rate: float = Field(1e-3, gt=0, le=1)
    batch: int = Field(256, ge=1)
    steps: int = Field(600, ge=0, description="upper bound; validation stops earlier")
    check_every: int = Field(50, ge=1)
    patience: int = Field(4, ge=1, description="checks without a better validation NDCG@10")
    seed: int = Field(0, ge=0, lt=2**31)
