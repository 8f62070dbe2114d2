"""A review is stored as its reader saw it, whatever its source was written in."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whythis.recsys.interactions import make_dataset, review_text
from whythis.recsys.markup import shown_text
from whythis.recsys.tables import read_reviews, read_table

CASES = [
    ("I &#34;love&#34; it<br /><br />Really", 'I "love" it\n\nReally'),
    ("R&amp;D at AT&T &lt;3 &nbsp; x", "R&D at AT&T <3 x"),
    ("see <a href=\"http://x.y/?a=b>c\" title='d'>this one</a>!", "see this one!"),
    ("x < 5 and y > 3, <3", "x < 5 and y > 3, <3"),
    ("<p>One.</p><P CLASS=a>Two</P><ul><li>Three", "One.\n\nTwo\n\n\nThree"),
    ("so<b>lid</b> <i>work</i>", "solid work"),
    ("a<script>alert('</b>')</script >b<STYLE>p{}</STYLE>c", "abc"),
    ("a<script>never closed </b>", "a"),
    ("a<script src=x />b", "ab"),
    ("a <!-- no <b>one</b> --> b<!-- sees", "a b"),
    ("&amp;lt;script&amp;gt;steal()&lt;/script&gt;fine", "fine"),
    ("[[VIDEOID:m0]] Nice [[ASIN:B000 Little Mic]]", "Nice Little Mic"),
    ("<[[VIDEOID:x]]b>bold", "bold"),
    ("<\u200bb>bo\u200bld\ufeff \u202eevil\u202c", "bold evil"),
    ("&#x202e;evil &#0;", "evil \ufffd"),
    ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
    ("one\r\ntwo\tthree \xa0four", "one\ntwo three four"),
    ("no <b end", "no <b end"),
    ("<img src=x onerror=alert(1)>", ""),
]


@pytest.mark.parametrize(("raw", "shown"), CASES)
def test_what_a_browser_shows_is_kept(raw: str, shown: str) -> None:
    assert review_text(raw) == shown


PIECES = st.sampled_from(
    [
        "<",
        ">",
        "/",
        "b",
        "br",
        "script",
        "&",
        "amp;",
        "lt;",
        "#38;",
        "gt;",
        "[[",
        "]]",
        "ASIN:",
        "x ",
        "VIDEOID:",
        "\u200b",
        '"',
        "'",
        "!--",
        "-->",
        " ",
        "\n",
        "=",
        "&lt;",
        "&#60;",
        "\x00",
        "\r",
    ]
)


@given(text=st.lists(PIECES | st.characters(exclude_categories=["Cs"]), max_size=40).map("".join))
def test_reading_twice_is_reading_once_and_no_tag_is_left(text: str) -> None:
    once = review_text(text)
    assert review_text(once) == once
    assert not re.search(r"</?(b|br|script)\s*/?>", once)
    assert "\u200b" not in once


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        "<a ",
        '<a "',
        "<a '\"",
        "<!--",
        "<![CDATA[",
        "&amp;",
        "&#38;",
        "<script>",
        "[[ASIN:",
        "<b>",
        "</",
        " ",
        "&lt;",
        "<?",
        '<a b="x',
    ],
)
def test_a_million_hostile_characters_take_seconds(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    began = time.process_time()
    once = shown_text(text)
    assert time.process_time() - began < 15
    assert len(once) <= len(text)


def test_every_way_into_a_dataset_reads_the_markup(tmp_path: Path) -> None:
    raw, shown = "It &amp; me<br>are <b>one</b>.", "It & me\nare one."
    events = pd.DataFrame({"user": ["u"], "item": ["i"]})
    reviews = events.assign(id="r", text=raw)
    assert make_dataset("d", events, reviews=reviews).reviews["text"].tolist() == [shown]
    table = tmp_path / "t.csv"
    table.write_text(f"u,i,r\na,b,{raw}\na,c,<br><br>\n")
    read = read_table(table, user="u", item="i", review="r").reviews
    assert read["text"].tolist() == [shown]  # what shows nothing is no review
    lines = tmp_path / "r.jsonl"
    lines.write_text(
        f'{{"id": "r", "item": "i", "user": "u", "rating": 1, "source": "s", "text": "{raw}"}}'
    )
    assert read_reviews(lines)["text"].tolist() == [shown]
