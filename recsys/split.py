"""Split liked interactions by time: each user's last for test, the one before for validation."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from whythis.recsys.interactions import Dataset

MIN_LIKED = 3


@dataclass(frozen=True, eq=False)
class Split:
    """Hold frames with user, item, time, each user's rows in order of time.

    A user's train rows all precede the user's one row in valid, and that the one in test.
    """

    train: pd.DataFrame
    valid: pd.DataFrame
    test: pd.DataFrame


def leave_last_out(dataset: Dataset, seed: int) -> Split:
    """Split the liked interactions of users with at least three of them.

    Events at the same time, or without one, are ordered by a hash of seed, user and item, so that
    neither the order of rows nor the other users matter; unknown times come before known ones.

    seed: 0 <= seed < 10**16.

    Raises:
        ValueError: a seed out of range.
    """
    if not 0 <= seed < 10**16:
        raise ValueError(f"seed {seed} is out of range; choose one from 0 up to below 10**16")
    liked = dataset.liked[["user", "item", "time"]]
    events = liked[liked.groupby("user")["item"].transform("size") >= MIN_LIKED]
    # Ids hold no control characters, so the separator keeps the pairs apart.
    pairs = (events["user"] + "\x1f" + events["item"]).astype(object)
    # pandas wants a key of exactly 16 bytes.
    ties = pd.util.hash_pandas_object(pairs, index=False, hash_key=f"{seed:016d}")
    ordered = events.assign(tie=ties).sort_values(
        ["user", "time", "tie", "item"], na_position="first"
    )
    from_end = ordered.groupby("user").cumcount(ascending=False)
    ordered = ordered.drop(columns="tie")
    return Split(
        train=ordered[from_end >= 2].reset_index(drop=True),
        valid=ordered[from_end == 1].reset_index(drop=True),
        test=ordered[from_end == 0].reset_index(drop=True),
    )
