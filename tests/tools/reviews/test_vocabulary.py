"""An aspect is a noun that several reviewers judge, more often than nouns are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from whythis.tools.reviews.vocabulary import Row, learn, resolve


def row(user: str, nouns: str, aspects: str = "", opinions: str = "good") -> Row:
    told = [part.strip() for part in aspects.split(",") if part]
    return Row(user, [part.strip() for part in nouns.split(",")], told, [opinions] * len(told))


def test_three_reviewers_make_an_aspect() -> None:
    rows = [row(user, "sound", "sound") for user in "aab"]
    assert learn(rows) == {}
    assert learn([*rows, row("c", "sound, week", "sound")]) == {"sound": 3}


def test_what_is_seldom_judged_is_no_aspect() -> None:
    rows = [row(user, "sound, week", "sound") for user in "abcdef"]
    rows += [row(user, "week", "week") for user in "abc"] + [row("z", "week")] * 20
    assert learn(rows) == {"sound": 6}


def test_a_word_that_mostly_judges_is_no_aspect() -> None:
    rows = [row(user, "joy", "joy") for user in "abc"]
    assert learn(rows) == {"joy": 3}
    assert learn([*rows, *(row(u, "song", "song", "joy") for u in "abcd")]) == {"song": 4}


def test_a_compound_is_its_last_noun_unless_it_is_known_itself() -> None:
    rare = [row("a", "guitar sound", "guitar sound")]
    rows = rare + [row(user, "sound", "sound") for user in "bcd"]
    assert learn(rows) == {"sound": 4}
    rows += [row(user, "battery life", "battery life") for user in "abc"]
    known = learn(rows)
    assert known == {"sound": 4, "battery life": 3}
    assert resolve("guitar sound", known) == "sound"
    assert resolve("long battery life", known) == "battery life"
    assert resolve("life", known) is None


_NOUNS = st.lists(st.sampled_from(["a", "b", "c", "a b", "c b", "a c b"]), max_size=4)


@given(st.lists(st.tuples(st.sampled_from("uvwxyz"), _NOUNS, _NOUNS), max_size=20), st.randoms())
def test_the_order_of_the_rows_does_not_matter(rows, random) -> None:  # type: ignore[no-untyped-def]
    told = [Row(user, [*nouns, *aspects], aspects, ["good"]) for user, nouns, aspects in rows]
    mixed = random.sample(told, len(told))
    assert list(learn(told).items()) == list(learn(mixed).items())
    assert all(n >= 3 for n in learn(told).values())
