"""Configure the persona model and its training: one frozen, validated record."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Source = Literal["history", "free", "medoid"]
"""Where personas come from: the user's own history, trained parameters, or real user clusters."""

Attention = Literal["cosine", "dot", "none"]
"""What an item's attention to a persona depends on beside the persona's mass."""

PERSONAS: dict[Source, int] = {"history": 6, "free": 3, "medoid": 24}
"""How many personas each source has where nothing else is said."""


class FitConfig(BaseModel):
    """Hold every choice that decides a fitted model; equal configurations give equal artefacts.

    Ranges are checked on construction (`pydantic.ValidationError`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Source = "history"
    personas: int = Field(
        default_factory=lambda known: PERSONAS.get(known.get("source", "history"), 6),
        ge=1,
        le=32,
        description="K, latent tastes per user",
    )
    dim: int = Field(64, ge=2, le=1024, description="d, width of the embeddings")
    window: int = Field(200, ge=1, le=2000, description="most recent liked items the model reads")
    neighbours: int = Field(200, ge=1, le=5000, description="related items kept for each item")
    sharpness: float = Field(20.0, gt=0, le=100, description="how crisply items fall to personas")
    attention: Attention = "cosine"
    seed: int = Field(0, ge=0, lt=2**31)

    # Of `free` alone, the one source that is trained by gradients.
    loss: Literal["softmax", "sampled"] = "softmax"
    negatives: int = Field(500, ge=1, description="items drawn where the loss is sampled")
    entropy: float = Field(0.01, ge=0, description="pull of attention to likes to one persona")
    spread: float = Field(0.01, ge=0, description="pull of attention to other items to all alike")
    pull: float = Field(1.0, ge=0, description="of every user's personas to the common start")
    forgetting: float = Field(0.05, ge=0, description="an event counts exp(-it * later events)")
    learning_rate: float = Field(0.03, gt=0, le=1)
    batch: int = Field(256, ge=1, description="users, over all processes together")
    steps: int = Field(400, ge=1, description="upper bound; validation stops earlier")
    check_every: int = Field(20, ge=1)
    patience: int = Field(3, ge=1, description="checks without better validation ranks")
    refit_steps: int = Field(20, ge=1, le=1000, description="to find the personas of a history")
