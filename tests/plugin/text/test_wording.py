import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plugin.samples import BARS, PARAGRAPHS, QUOTE, TITLES, claims
from whythis.claims.kinds import Claim, ReviewQuote
from whythis.text.wording import (
    KINDS,
    Quote,
    Theirs,
    clean,
    count,
    direction,
    in_words,
    listing,
    ordinal,
    percent,
    signed,
)

IN_WORDS = {
    "c1": f"The taste for {BARS[0].name} raises its score (▲ +0.84): without it the rank goes "
    "from 3rd to 41st",
    "c2": f"The taste for {BARS[0].name} weighs 62 %",
    "c3": f"The taste for {BARS[0].name} rests most on Star Wars (1977), Alien (1979) and "
    "Blade Runner (1982)",
    "c4": "Without Star Wars (1977) and Alien (1979): rank goes from 3rd to 27th, outside the "
    "top 10; score 4.21 to 3.10",
    "c5": f"The taste for {BARS[2].name} lowers its score (▼ −0.31): without it the rank stays 3rd",
    "c6": f"“{QUOTE}”, rated 4 · review sample-258-2 · sample review",
    "c7": "Rated 3.80 of 5 on average, 509 ratings",
    "c8": "Liked by 311 users: 12th of 1,682 items",
    "c9": "Ranks 3rd of 1,500 items not seen yet",
    "c10": "Ranks 3rd, and 9th without any history (top 10)",
}


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.kind)
def test_every_kind_of_claim_is_said_with_its_value(claim: Claim) -> None:
    assert "".join(in_words(claim, TITLES)) == IN_WORDS[claim.id]
    assert claim.kind in KINDS


def test_an_item_without_a_title_is_named_by_its_id() -> None:
    assert "rests most on item 50, item 183 and item 89" in "".join(in_words(claims()[2], {}))


def test_a_quote_from_elsewhere_names_its_source_and_never_the_sample() -> None:
    claim = claims()[5]
    assert isinstance(claim, ReviewQuote)
    value = claim.value.model_copy(update={"source": "letterbox", "rating": None})
    words = in_words(claim.model_copy(update={"value": value}), {})
    assert "".join(words) == f"“{QUOTE}” · review sample-258-2 · from letterbox"


def test_what_others_wrote_is_marked_and_what_we_wrote_is_not() -> None:
    by_type = [(type(piece), piece) for piece in in_words(claims()[5], {})]
    assert (Quote, QUOTE) in by_type
    assert (Theirs, "sample-258-2") in by_type
    assert (str, " · sample review") in [(t, p) for t, p in by_type if t is str]


@pytest.mark.parametrize(
    ("rank", "said"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (10, "10th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (101, "101st"),
        (111, "111th"),
        (1003, "1,003rd"),
    ],
)
def test_ranks_are_ordinals(rank: int, said: str) -> None:
    assert ordinal(rank) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0 %"),
        (0.001, "<1 %"),
        (0.006, "1 %"),
        (0.384, "38 %"),
        (0.994, "99 %"),
        (0.999, ">99 %"),
        (1.0, "100 %"),
    ],
)
def test_shares_are_whole_percent_and_never_falsely_all_or_nothing(share: float, said: str) -> None:
    assert percent(share) == said


@pytest.mark.parametrize(
    ("effect", "said", "words"),
    [
        (0.84, "▲ +0.84", "raises its score"),
        (-0.31, "▼ −0.31", "lowers its score"),
        (0.0049, "● 0.00", "hardly matters"),
        (-0.0049, "● 0.00", "hardly matters"),
        (-12.345, "▼ −12.35", "lowers its score"),
    ],
)
def test_effects_carry_arrow_sign_and_words(effect: float, said: str, words: str) -> None:
    assert signed(effect) == said
    assert direction(effect) == words


@given(st.floats(-100, 100))
def test_sign_arrow_and_words_of_an_effect_never_disagree(effect: float) -> None:
    up = signed(effect).startswith("▲ +"), direction(effect) == "raises its score"
    down = signed(effect).startswith("▼ −"), direction(effect) == "lowers its score"
    assert up[0] == up[1]
    assert down[0] == down[1]
    assert not (up[0] and effect <= 0)
    assert not (down[0] and effect >= 0)
    assert up[0] or down[0] or signed(effect) == "● 0.00"


@given(st.text())
def test_cleaned_text_can_neither_command_a_terminal_nor_turn_the_text_around_it(text: str) -> None:
    shown = clean(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs")]
    assert not [c for c in shown if unicodedata.bidirectional(c) in _TURNING]
    assert clean(shown) == shown


_TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(st.text("abcé ñ漢字אב.,'“”<>&[]{}", max_size=30))
def test_harmless_text_keeps_every_letter(text: str) -> None:
    assert clean(text) == " ".join(text.split())


def test_control_characters_stay_visible_as_replaced() -> None:
    assert clean("a\x1b[2Jb\x00\x9bc\n\td\u202ee\ud800") == "a�[2Jb��c de�"


def test_marks_that_turn_writing_and_invisible_tags_go() -> None:
    assert clean("a\u200fb\u200ec\u061cd\U000e0041\U000e007fe") == "abcde"


def test_lists_are_joined_as_one_says_them() -> None:
    assert ["".join(listing(x)) for x in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert (count(1, "claim"), count(1200, "claim")) == ("1 claim", "1,200 claims")


def test_the_sample_cites_only_claims_that_exist() -> None:
    cited = {id_ for paragraph in PARAGRAPHS for _, ids, _ in paragraph for id_ in ids}
    assert cited <= {claim.id for claim in claims()}
