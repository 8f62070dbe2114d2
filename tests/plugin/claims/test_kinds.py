"""Claims are strict, frozen records that survive JSON."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from whythis.claims.kinds import CLAIM

SHARE: dict[str, Any] = {
    "kind": "persona_share",
    "id": "w1",
    "subject": {"user": "u", "item": "i", "persona": 0},
    "value": {"name": "drama", "share": 0.5},
    "evidence": ["e-1"],
}


def test_a_claim_survives_json() -> None:
    claim = CLAIM.validate_python(SHARE)
    assert CLAIM.validate_json(CLAIM.dump_json(claim)) == claim
    assert claim.level == "exact"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "rumour"},
        {"evidence": []},
        {"tolerance": -1},
        {"extra": 1},
        {"level": "felt"},
        {"value": {"name": "drama"}},
        {"value": {"name": "drama", "share": 0.5, "effect": 1}},
        {"subject": {"user": "u"}},
    ],
)
def test_a_malformed_claim_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CLAIM.validate_python({**SHARE, **change})


def test_a_claim_cannot_be_changed() -> None:
    claim = CLAIM.validate_python(SHARE)
    with pytest.raises(ValidationError, match="frozen"):
        claim.id = "w2"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        claim.value.share = 0.9  # type: ignore[misc, union-attr]
