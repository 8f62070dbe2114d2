"""The log of corrections: what is written comes back, and what was tampered with does not."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys.errors import ArtefactError, DataError
from whythis.tools.memory.events import active, append, delete, path_of, read, read_all

USER = "u00"


def some(folder: Path, user: str = USER) -> None:
    append(folder, user, "forget", "i01", time=1.0)
    append(folder, user, "reject", "i02", time=2.5)
    append(folder, user, "rename", "drama", text="sad films", persona=1, model="ab", time=3.0)
    append(folder, user, "contest", "s-123", text="not me", time=4.0)


def lines(folder: Path) -> list[str]:
    return path_of(folder, USER).read_text("utf-8").splitlines(keepends=True)


def put(folder: Path, *text: str) -> None:
    path_of(folder, USER).write_text("".join(text), "utf-8")


def test_events_come_back_in_their_order(tmp_path: Path) -> None:
    assert read(tmp_path, USER) == ()
    some(tmp_path)
    found = read(tmp_path, USER)
    assert [(e.act, e.target, e.text, e.time) for e in found] == [
        ("forget", "i01", "", 1.0),
        ("reject", "i02", "", 2.5),
        ("rename", "drama", "sad films", 3.0),
        ("contest", "s-123", "not me", 4.0),
    ]
    assert (found[2].persona, found[2].model) == (1, "ab")
    assert len({e.id for e in found}) == 4
    assert all(e.user == USER for e in found)


def test_equal_events_make_an_equal_log(tmp_path: Path) -> None:
    for name in ("a", "b"):
        some(tmp_path / name)
    one, two = (path_of(tmp_path / name, USER).read_bytes() for name in ("a", "b"))
    assert one == two
    assert sorted(p.name for p in (tmp_path / "a" / "memory").iterdir()) == [
        ".lock",
        path_of(tmp_path, USER).name,
    ]


def test_every_event_has_a_line_that_stays_as_it_was(tmp_path: Path) -> None:
    some(tmp_path)
    before = lines(tmp_path)
    append(tmp_path, USER, "forget", "i03", time=9.0)
    assert lines(tmp_path)[1:-1] == before[1:]
    head, *rest = map(json.loads, lines(tmp_path))
    assert (head["user"], head["events"], head["last"]) == (USER, 5, rest[-1]["id"])


def test_the_logs_of_all_users_are_read(tmp_path: Path) -> None:
    names = [USER, "../../etc", "ü /\\ user", "日本"]
    for name in names:
        some(tmp_path, name)
    assert set(read_all(tmp_path)) == set(names)
    assert all(path_of(tmp_path, name).parent == tmp_path / "memory" for name in names)
    assert read_all(tmp_path / "nowhere") == {}


def test_an_undone_event_holds_no_longer(tmp_path: Path) -> None:
    some(tmp_path)
    first, second, *_ = read(tmp_path, USER)
    undo = append(tmp_path, USER, "undo", second.id, time=5.0)
    held = [e.id for e in active(read(tmp_path, USER))]
    assert first.id in held
    assert second.id not in held
    assert undo.id not in held
    for wrong in (second.id, undo.id, "m-nothing"):
        with pytest.raises(DataError, match="is not among the 3 corrections"):
            append(tmp_path, USER, "undo", wrong, time=6.0)


def test_deleted_is_gone(tmp_path: Path) -> None:
    some(tmp_path)
    some(tmp_path, "other")
    assert delete(tmp_path, USER) == 4
    assert not path_of(tmp_path, USER).exists()
    assert read(tmp_path, USER) == ()
    assert set(read_all(tmp_path)) == {"other"}
    assert delete(tmp_path, USER) == 0


def test_a_damaged_log_can_still_be_deleted(tmp_path: Path) -> None:
    some(tmp_path)
    put(tmp_path, "nonsense\n")
    delete(tmp_path, USER)
    assert read(tmp_path, USER) == ()


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    def write(number: int) -> None:
        for n in range(5):
            append(tmp_path, USER, "forget", f"i{number}{n}", time=float(n))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {e.target for e in read(tmp_path, USER)} == {
        f"i{number}{n}" for number in range(4) for n in range(5)
    }


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_line_can_be_changed_or_lost(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("log")
    some(folder)
    before = lines(folder)
    how = data.draw(st.sampled_from(["drop", "swap", "twice", "byte", "cut"]))
    at = data.draw(st.integers(0, len(before) - 1))
    after = list(before)
    match how:
        case "drop":
            del after[at]
        case "swap":
            other = data.draw(st.integers(0, len(before) - 1).filter(lambda n: n != at))
            after[at], after[other] = after[other], after[at]
        case "twice":
            after.insert(at, after[at])
        case "byte":
            place = data.draw(st.integers(0, len(before[at]) - 1))
            letter = data.draw(
                st.sampled_from("ab01 }\n\x00").filter(lambda c: c != before[at][place])
            )
            after[at] = before[at][:place] + letter + before[at][place + 1 :]
        case "cut":
            whole = "".join(before)
            after = [whole[: data.draw(st.integers(0, len(whole) - 1))]]
    put(folder, *after)
    with pytest.raises(ArtefactError, match="is no memory that can be used") as caught:
        read(folder, USER)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 1000


def test_a_log_of_somebody_else_is_refused(tmp_path: Path) -> None:
    some(tmp_path, "other")
    path_of(tmp_path, "other").rename(path_of(tmp_path, USER))
    with pytest.raises(ArtefactError, match="it is of another user, 'other'"):
        read(tmp_path, USER)
    with pytest.raises(ArtefactError, match="it is of another user"):
        read_all(tmp_path)
    with pytest.raises(ArtefactError, match="it is of another user"):
        append(tmp_path, USER, "forget", "i01", time=1.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "{}\n",
        "[1]\n",
        "null\n",
        "\x00" * 50,
        "{" * 5000 + "\n",
        '{"schema": 2}\n',
        "é" * 9,
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, text: str) -> None:
    some(tmp_path)
    put(tmp_path, text)
    with pytest.raises(ArtefactError, match="is no memory that can be used"):
        read(tmp_path, USER)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"act": "forget", "target": ""}, "target"),
        ({"act": "forget", "target": "x" * 201}, "target"),
        ({"act": "forget", "target": "i01", "text": "why"}, "forget takes no text"),
        ({"act": "forget", "target": "i01", "time": float("nan")}, "time"),
        ({"act": "forget", "target": "i01", "time": -1.0}, "time"),
        ({"act": "contest", "target": "s-1", "text": "a\nb"}, "not one plain line"),
        ({"act": "contest", "target": "s-1", "text": "x" * 201}, "text"),
        ({"act": "rename", "target": "drama", "text": "sad films"}, "persona and model"),
        ({"act": "reject", "target": "i01", "persona": 1, "model": "ab"}, "persona and model"),
        *(
            (
                {"act": "rename", "target": "drama", "persona": 1, "model": "ab", "text": text},
                "a name",
            )
            for text in (
                "",
                "x",
                "5 stars",
                "x" * 41,
                "<b>bold</b>",
                "{p1.name}",
                "a\u202eb",
                '"a"',
            )
        ),
    ],
)
def test_what_is_no_correction_is_not_kept(
    tmp_path: Path, fields: dict[str, object], says: str
) -> None:
    with pytest.raises(DataError, match=says) as caught:
        append(tmp_path, USER, **({"time": 1.0} | fields))  # type: ignore[arg-type]  # on purpose
    assert len(str(caught.value).splitlines()) == 1
    assert read(tmp_path, USER) == ()
