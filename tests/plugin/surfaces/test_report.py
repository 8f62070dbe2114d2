import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plugin.samples import BARS, DATA, MODEL, PROMPT, QUOTE, claims, explanation
from whythis.explanation import Dropped, Explanation, PersonaBar, Verdict
from whythis.recsys.errors import ModelError, WhyThisError
from whythis.surfaces.report import report, write_report

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script></style>{{ 7*7 }}&lt;b&gt;'
HEBREW = "\u202eמלחמת\u2066 הכוכבים (1977)"
SEEN = "מלחמת הכוכבים (1977)"
VOID = {"meta", "rect"}


class Page(HTMLParser):
    """Take a page apart: elements with attributes, ids, text, and text outside any <bdi>."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text, self.bare, self.hidden, self.style, self.title = "", "", "", "", ""
        self.feed(html)
        self.close()
        self.tags = [tag for tag, _ in self.elements]
        self.ids = [a["id"] for _, a in self.elements if "id" in a]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "dd":
            self.handle_data(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "title"):
            setattr(self, self.open[-1], getattr(self, self.open[-1]) + data)
            return
        self.text += data
        if "bdi" not in self.open:
            self.bare += data
        if "details" in self.open:
            self.hidden += data


def page(*samples: Explanation, title: str = "Why these films?") -> Page:
    return Page(report(samples, title=title))


def flat(text: str) -> str:
    return " ".join(text.split())


def everywhere(text: str, other: str = "b") -> Explanation:
    """Return an explanation that holds a foreign text wherever one can stand."""
    bars = (
        PersonaBar(name=f"a{text}", share=0.6, effect=0.4, titles=(text, text)),
        PersonaBar(name=other, share=0.4, effect=-0.4, titles=()),
    )
    return explanation(
        user=f"u{text}",
        title=text,
        question=f"q{text}",
        llm=text,
        llm_error=f"e{text}",
        personas=bars,
        dropped=(Dropped(text=text, reason=text),),
        verdicts={c.id: Verdict(outcome="verified", reason=text) for c in claims()},
        paragraphs=(((f"s{text}", ("c1", "c3"), "model"),),),
    )


def test_the_page_allows_its_own_style_by_hash_and_nothing_else() -> None:
    got = page(explanation())
    policy = [a["content"] for t, a in got.elements if a.get("http-equiv")]
    digest = base64.b64encode(hashlib.sha256(got.style.encode()).digest()).decode()
    assert policy == [
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ]
    assert got.tags.count("style") == 1
    assert not {"script", "link", "img", "iframe", "base", "form", "object"} & set(got.tags)
    assert not re.search(r"url\(|@import|https?:", got.style)
    for _, attributes in got.elements:
        assert "style" not in attributes
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]


def test_links_lead_to_places_on_the_page_and_ids_are_unique() -> None:
    got = page(explanation(), explanation(user="7"), explanation())
    targets = [str(a["href"]) for t, a in got.elements if t == "a"]
    assert len(targets) > 20
    assert {t.removeprefix("#") for t in targets} <= set(got.ids)
    assert all(t.startswith("#") for t in targets)
    assert len(got.ids) == len(set(got.ids))
    labels = {str(a["aria-labelledby"]) for _, a in got.elements if "aria-labelledby" in a}
    assert labels <= set(got.ids)


def test_hostile_text_stays_text() -> None:
    got = page(everywhere(HOSTILE), title=HOSTILE)
    harmless = page(everywhere("\N{SNOWMAN}"), title="\N{SNOWMAN}")
    assert got.tags == harmless.tags
    assert got.title == HOSTILE
    assert got.text.count(HOSTILE) > 15
    assert flat(got.text.replace(HOSTILE, "\N{SNOWMAN}")) == flat(harmless.text)


@settings(max_examples=30, deadline=None)
@given(text=st.text(), other=st.text(st.characters(exclude_characters="a"), max_size=5))
def test_no_text_changes_the_elements_of_the_page(text: str, other: str) -> None:
    assert page(everywhere(text, other), title=text).tags == page(everywhere("x")).tags


def test_foreign_text_is_isolated_wherever_it_stands() -> None:
    got = page(everywhere(HEBREW), title=HEBREW)
    assert got.text.count(SEEN) > 15
    assert not re.search("[\u0590-\u05ff\u202a-\u202e\u2066-\u2069]", got.bare)
    assert got.title == SEEN


def test_every_sentence_is_read_at_once_and_opens_to_its_proof() -> None:
    sample = explanation()
    got = page(sample)
    marks = [a["href"] for t, a in got.elements if a.get("class") == "ref"]
    assert marks == [f"#u1c1s{n}" for n in range(1, len(sample.sentences) + 1)]
    read, proof = flat(got.text), flat(got.hidden)
    for sentence in sample.sentences:
        assert read.count(sentence.text) >= 2
        assert sentence.text in proof
    assert "executed the model was run again · effect of a taste · verified:" in proof
    assert "exact the model's own arithmetic" in proof
    assert "observed a fact of the data" in proof
    assert "rank goes from 3rd to 27th, outside the top 10" in proof
    assert f"“{QUOTE}”, rated 4 · review sample-258-2 · sample review" in proof
    assert "This sentence was worded by the built-in realiser." in proof
    assert "probe personas(user=42, item=258)" in proof
    assert "rank without 41" in proof


def test_quotes_are_marked_and_samples_named() -> None:
    html = report([explanation()], title="t")
    assert html.count(f"<q><bdi>{QUOTE}</bdi></q>") == 3
    silent = explanation(paragraphs=(((f"It says “{QUOTE}”", ("c6",), "model"),),))
    assert '<small class="tag sample">sample review</small>' in report([silent], title="t")
    assert '<small class="tag sample">' not in html


def test_what_was_refused_is_in_sight_and_not_behind_a_click() -> None:
    got = page(explanation())
    for dropped in explanation().dropped:
        assert dropped.text in got.text
        assert dropped.reason in got.text
        assert dropped.text not in got.hidden
    assert "2 not said" in flat(got.text)
    assert flat(page(explanation(dropped=())).text).count("Not said") == 1  # the guide's


def test_a_refuted_sentence_is_marked_in_the_prose() -> None:
    held = {c.id: Verdict(outcome="verified", reason="equal") for c in claims()}
    refuted = Verdict(outcome="refuted", reason="the rank is 4th")
    got = page(explanation(verdicts=held | {"c7": refuted}))
    assert "over 509 ratings.6 ✗ refuted" in flat(got.text)
    assert "✗ refuted, 1 claim" in flat(got.hidden)
    assert "refuted: the rank is 4th" in flat(got.hidden)
    assert "6 claims verified" in flat(got.text)


def test_bars_have_words_beside_them() -> None:
    text = flat(page(explanation()).text)
    said = ["▲ +0.84 raises its score", "▲ +0.07 raises its score", "▼ −0.31 lowers its score"]
    for number, (bar, words) in enumerate(zip(BARS, said, strict=True), 1):
        assert f"{number} {bar.name} {words} weighs {100 * bar.share:.0f} %" in text
    assert ", ".join(f"{b.name} {100 * b.share:.0f} %" for b in BARS) in text
    drawings = [a for t, a in page(explanation()).elements if t == "svg" and "x" not in a]
    assert drawings
    assert all(a["aria-hidden"] == "true" for a in drawings)


def test_effects_of_one_user_share_one_scale_diverge_and_fall() -> None:
    doubled = [b.model_copy(update={"effect": 2 * b.effect}) for b in reversed(BARS)]
    got = page(explanation(), explanation(personas=tuple(doubled)))
    bars = [
        (a["class"], float(str(a["x"]).rstrip("%")), float(str(a["width"]).rstrip("%")))
        for t, a in got.elements
        if t == "rect" and a.get("class") in ("s0", "s1", "s2")
    ]
    assert bars == [
        ("s2", 50, 24),
        ("s2", 50, 2),
        ("s0", pytest.approx(41.14), pytest.approx(8.86)),
        ("s2", 50, 48),
        ("s2", 50, 4),
        ("s0", pytest.approx(32.29), pytest.approx(17.71)),
    ]


def test_shares_fill_one_bar() -> None:
    slices = [a for t, a in page(explanation()).elements if t == "svg" and "x" in a]
    spans = [(float(str(a["x"]).rstrip("%")), float(str(a["width"]).rstrip("%"))) for a in slices]
    assert spans == [(0, 62), (62, 23), (85, 15)]


def test_users_stand_once_in_the_order_of_their_first_explanation() -> None:
    got = page(explanation(user="b"), explanation(user="a"), explanation(user="b", title="Fargo"))
    text = flat(got.text)
    assert "3 recommendations 2 users 18 sentences 21 claims verified 6 not said" in text
    assert re.findall(r"User (\w) The tastes", text) == ["b", "a"]
    assert text.index("Why “Fargo”?") < text.index("User a The tastes")


def test_the_guide_explains_the_terms_and_the_footer_holds_the_whole_hashes() -> None:
    text = flat(page(explanation()).text)
    guide = text[text.rindex("How to read this") :]
    for term in ("Weighs", "Effect", "exact", "executed", "refit", "observed", "Not said"):
        assert term in guide
    for digest in (MODEL, DATA, PROMPT):
        assert guide.count(digest) == 1
    assert "model 9f86d081" in text


def test_pages_without_much_to_show_are_still_pages() -> None:
    assert "No recommendation was explained." in page().text
    bare = page(explanation(paragraphs=(), personas=(), dropped=(), prompt=None))
    assert "Nothing could be said that holds." in bare.text
    assert "svg" not in bare.tags
    still = page(explanation(personas=(BARS[0].model_copy(update={"effect": 0.0}),)))
    assert "0.00 hardly matters" in flat(still.text)


def test_a_record_that_lacks_its_evidence_is_refused() -> None:
    with pytest.raises(ModelError, match="sentence 1 rests on evidence"):
        report([explanation(evidence=())], title="t")


def test_a_page_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "why.html"
    write_report(target, "old")
    write_report(target, "Wörter\n")
    assert target.read_bytes() == "Wörter\n".encode()
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("name", "html"),
    [
        ("missing/why.html", "new"),
        ("folder", "new"),
        ("n" * 300, "new"),
        ("nul\0", "new"),
        ("old.html", "half of a pair: \ud800"),
    ],
)
def test_a_page_that_cannot_be_written_leaves_everything_as_it_was(
    tmp_path: Path, name: str, html: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "old.html").write_text("old")
    with pytest.raises(WhyThisError, match="the report cannot be written to") as caught:
        write_report(tmp_path / name, html)
    assert "\n" not in str(caught.value)
    assert {p.name for p in tmp_path.iterdir()} == {"folder", "old.html"}
    assert (tmp_path / "old.html").read_text() == "old"
