"""The table holds what the stored sentences judge, goes on where it stopped, or is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from whythis.recsys.errors import ArtefactError, MissingPartError
from whythis.tools.reviews import opinions, reader
from whythis.tools.reviews.index import Sentence
from whythis.tools.reviews.opinions import MARK, TABLE, OpinionTable, read_opinions


def sentence(n: int, text: str, user: str = "ann", item: str = "i0") -> Sentence:
    return Sentence(
        id=f"r{n}#1", review=f"r{n}", item=item, user=user, text=text, start=0, end=len(text),
        source="web", time=float(n),
    )  # fmt: skip


class Shelf:
    """Hold sentences as a store does."""

    def __init__(self, *kept: Sentence) -> None:
        self.kept = kept

    @property
    def fingerprint(self) -> str:
        return str(hash(self.kept))

    def sentences(self) -> Iterator[Sentence]:
        return iter(self.kept)


SHELF = Shelf(
    sentence(1, "The sound is great.", "ann"),
    sentence(2, "The guitar sound was awful!", "bob"),
    sentence(3, "Good sound, nice case.", "cid", "i1"),
    sentence(4, "Nothing to say.", "cid", "i1"),
)


def test_a_table_gives_what_is_judged_by_item_and_user(tmp_path: Path) -> None:
    table = OpinionTable.build(tmp_path, SHELF)
    assert dict(table.vocabulary) == {"sound": 3}
    told = [(o.sentence, o.aspect, o.opinion, o.polarity) for o in table.of_item("i0")]
    assert told == [("r1#1", "sound", "great", 1), ("r2#1", "sound", "awful", -1)]
    (one,) = table.of_user("cid")  # the case is judged by one reviewer only
    assert one.model_dump() == {
        "sentence": "r3#1", "review": "r3", "item": "i1", "user": "cid", "time": 3.0,
        "aspect": "sound", "opinion": "good", "polarity": 1,
    }  # fmt: skip
    assert table.of_item("i9") == table.of_user("dee") == ()


def test_all_that_is_judged_is_read_vocabulary_or_not() -> None:
    told = [(o.aspect, o.polarity) for o in read_opinions(SHELF.kept)]
    assert told == [("sound", 1), ("guitar sound", -1), ("sound", 1), ("case", 1)]


def test_building_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        OpinionTable.build(tmp_path / name, SHELF)
    for file in (TABLE, MARK):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [MARK, TABLE]


def test_only_new_and_changed_sentences_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    OpinionTable.build(tmp_path, SHELF)
    read: list[str] = []
    whole = reader.read_texts
    monkeypatch.setattr(reader, "read_texts", lambda texts: whole(read.extend(texts) or texts))
    changed = sentence(1, "The sound is bad.", "ann")
    grown = Shelf(changed, *SHELF.kept[1:3], sentence(5, "A fine case.", "dee"))
    table = OpinionTable.build(tmp_path, grown)
    assert read == [changed.text, "A fine case."]
    (tmp_path / "new").mkdir()
    OpinionTable.build(tmp_path / "new", grown)
    assert (tmp_path / TABLE).read_bytes() == (tmp_path / "new" / TABLE).read_bytes()
    assert [o.polarity for o in table.of_user("ann")] == [-1]


def test_an_interrupted_build_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opinions, "_STEP", 2)

    def stop(done: int, of: int) -> None:
        if done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        OpinionTable.build(tmp_path, SHELF, stop)
    with pytest.raises(ArtefactError, match="another complete"):
        OpinionTable.open(tmp_path, SHELF)
    steps: list[tuple[int, int]] = []
    OpinionTable.build(tmp_path, SHELF, lambda *step: steps.append(step))
    assert steps[0] == (4, 4)  # two were read before
    assert dict(OpinionTable.open(tmp_path, SHELF).vocabulary) == {"sound": 3}


def test_a_table_of_other_reviews_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="whythis index"):
        OpinionTable.open(tmp_path, SHELF)
    OpinionTable.build(tmp_path, SHELF)
    with pytest.raises(ArtefactError, match="another reviews"):
        OpinionTable.open(tmp_path, Shelf(*SHELF.kept[1:]))
    mark = json.loads((tmp_path / MARK).read_text())
    for name, value in {"schema": 99, "model": "x", "complete": False}.items():
        (tmp_path / MARK).write_text(json.dumps(mark | {name: value}))
        with pytest.raises(ArtefactError, match=f"another {name}"):
            OpinionTable.open(tmp_path, SHELF)
    (tmp_path / MARK).write_text(json.dumps(mark))
    content = (tmp_path / TABLE).read_bytes()
    for damaged in (b"", content[:-1], content.replace(b"PAR1", b"PAR2")):
        (tmp_path / TABLE).write_bytes(damaged)
        with pytest.raises(ArtefactError, match="cannot be used") as raised:
            OpinionTable.open(tmp_path, SHELF)
        assert "\n" not in str(raised.value)
    for text in ("", "{}", "[]", "\udcff".encode("utf-8", "surrogateescape").hex(), "null"):
        (tmp_path / MARK).write_text(text)
        with pytest.raises(ArtefactError, match="cannot be used"):
            OpinionTable.open(tmp_path, SHELF)
    table = OpinionTable.build(tmp_path, SHELF)  # made anew
    assert dict(table.vocabulary) == {"sound": 3}
