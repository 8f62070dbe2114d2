"""What an answer rests on is said in words that are true of every number."""

from __future__ import annotations

import pytest

from whythis.claims.standing import THIN, is_doubtful, is_thin, near, refitted, rests
from whythis.claims.values import BasisValue, CircleValue, PersonalEffectValue


@pytest.mark.parametrize(
    ("rung", "seen", "likes", "reviews", "said"),
    [
        ("popularity", 0, 0, 0, "you are new here, so this rests on how many people like it"),
        (
            "item_reviews",
            2,
            0,
            0,
            "you have liked nothing here so far, so this rests on what its reviews say",
        ),
        (
            "own_reviews",
            0,
            0,
            1,
            (
                "you have liked nothing here so far, but written 1 review, so this rests on what "
                "you wrote yourself and what its reviews say"
            ),
        ),
        (
            "circle",
            4,
            1,
            0,
            (
                "you have liked 1 title so far, so this rests on the people whose likes are most "
                "like yours"
            ),
        ),
        (
            "circle",
            4,
            2,
            3,
            (
                "you have liked 2 titles so far and written 3 reviews, so this rests on the people "
                "whose likes are most like yours"
            ),
        ),
        (
            "circle",
            2000,
            1200,
            3,
            (
                "your 1,200 past likes show no clear effect on it, so this rests on the people "
                "whose likes are most like yours"
            ),
        ),
        ("history", 2, 2, 0, "you have liked 2 titles, and this rests on what you liked"),
    ],
)
def test_what_is_known_and_what_it_rests_on(
    rung: str, seen: int, likes: int, reviews: int, said: str
) -> None:
    value = BasisValue.model_validate(
        {"rung": rung, "seen": seen, "likes": likes, "reviews": reviews}
    )
    phrases = rests(value)
    assert phrases["rests"] == said
    assert said.startswith(phrases["known"])
    assert said.endswith(phrases["ground"])
    assert is_thin(value) == (rung != "history" and likes <= THIN)


@pytest.mark.parametrize(
    ("size", "liked", "everyone", "users", "said"),
    [
        (
            50,
            12,
            41,
            892,
            (
                "of the 50 people whose likes are most like yours, 12 liked it; of the other 892, "
                "41 did"
            ),
        ),
        (
            9,
            0,
            0,
            2,
            "of the 9 people who share a like with you, none liked it; of the other 2, none did",
        ),
        (
            1,
            1,
            0,
            1,
            "the only person who shares a like with you liked it; the only other person did not",
        ),
        (
            1,
            0,
            1,
            1,
            "the only person who shares a like with you did not like it; the only other person did",
        ),
        (2, 1, 0, 0, "of the 2 people who share a like with you, 1 liked it"),
    ],
)
def test_who_else_liked_it(size: int, liked: int, everyone: int, users: int, said: str) -> None:
    assert near(CircleValue(size=size, liked=liked, everyone=everyone, users=users)) == said


@pytest.mark.parametrize(
    ("effect", "low", "high", "said"),
    [
        (
            0.02,
            0.01,
            0.05,
            "they move it up by 2.00 % of the places (95 % interval: 1.00 % to 5.00 %)",
        ),
        (
            -0.02,
            -0.05,
            0.00001,
            (
                "they move it down by 2.00 % of the places (95 % interval: −5.00 % to 0.00 %), "
                "which cannot be told from no effect"
            ),
        ),
        (
            0.0,
            -0.00001,
            0.01,
            (
                "they do not move it (95 % interval: 0.00 % to 1.00 %), which cannot be told from "
                "no effect"
            ),
        ),
    ],
)
def test_what_refits_say(effect: float, low: float, high: float, said: str) -> None:
    value = PersonalEffectValue(effect=effect, low=low, high=high, refits=20, raised=11)
    assert refitted(value) == (
        "in 11 of 20 models fitted again on resampled users, your past likes raise it; on average "
        f"{said}"
    )
    assert is_doubtful(value) == said.endswith("no effect")
