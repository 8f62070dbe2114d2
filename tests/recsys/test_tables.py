import gzip
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys import textfile
from whythis.recsys.columns import read_columns
from whythis.recsys.errors import DataError
from whythis.recsys.interactions import Dataset, make_dataset
from whythis.recsys.tables import read_reviews, read_table, split_genres, with_reviews

ROWS = [
    {
        "critic": "007",
        "film": "1.0",
        "stars": "4.5",
        "when": "2020-01-02",
        "words": 'A "fine" film;\nreally, fine.',
        "name": "The Rock",
        "made": "1996",
        "kind": "Action|Thriller",
    },
    {
        "critic": "Zoë",
        "film": "10",
        "stars": "1",
        "when": "2020-03-04",
        "words": "",
        "name": "Hate",
        "made": "",
        "kind": "",
    },
]
COLUMNS: dict[str, Any] = {
    "user": "critic",
    "item": "film",
    "rating": "stars",
    "time": "when",
    "review": "words",
    "title": "name",
    "year": "made",
    "genres": "kind",
}


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def csv_of(rows: list[dict[str, str]], sep: str = ",") -> str:
    return pd.DataFrame(rows).to_csv(index=False, sep=sep)


def json_lines_of(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def parquet(path: Path, frame: pd.DataFrame) -> Path:
    frame.to_parquet(path)
    return path


FORMATS: dict[str, Callable[[Path], Path]] = {
    "t.csv": lambda path: write(path, csv_of(ROWS)),
    "t.tsv": lambda path: write(path, csv_of(ROWS, "\t")),
    "semicolon/t.csv": lambda path: write(path, csv_of(ROWS, ";")),
    "t.txt": lambda path: write(path, csv_of(ROWS, "|")),
    "dos/t.csv": lambda path: write(path, "\ufeff" + csv_of(ROWS).replace("\n", "\r\n")),
    "blank/t.csv": lambda path: write(path, "\n" + csv_of(ROWS).replace("\nZ", "\n\nZ") + "\n\n"),
    "t.csv.gz": lambda path: write(path, gzip.compress(csv_of(ROWS).encode())),
    "t.jsonl": lambda path: write(path, json_lines_of(ROWS)),
    "marked/t.json": lambda path: write(path, "\ufeff" + json_lines_of(ROWS)),
    "t.ndjson.gz": lambda path: write(path, gzip.compress(json_lines_of(ROWS).encode())),
    "t.parquet": lambda path: parquet(path, pd.DataFrame(ROWS)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_dataset(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    data = read_table(FORMATS[name](tmp_path / name), **COLUMNS)
    reference = read_table(FORMATS["t.csv"](tmp_path / "t.csv"), **COLUMNS)
    assert data.hash == reference.hash
    assert data.name == "t"
    assert data.interactions.to_dict("records") == [
        {"user": "007", "item": "1.0", "rating": 4.5, "time": 1577923200.0},
        {"user": "Zoë", "item": "10", "rating": 1.0, "time": 1583280000.0},
    ]
    first, second = data.items.to_dict("records")
    assert (first["title"], first["year"]) == ("The Rock", 1996.0)
    assert first["genres"] == ["Action", "Thriller"]
    assert math.isnan(second["year"])
    assert second["genres"] == []
    assert data.like == 1 + 0.75 * 3.5
    (review,) = data.reviews.to_dict("records")
    assert review["text"] == 'A "fine" film;\nreally, fine.'
    assert (review["user"], review["item"], review["source"]) == ("007", "1.0", "t")
    assert review["id"].startswith("r-")
    assert len(review["id"]) == 14


def test_another_encoding_is_read_when_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", csv_of(ROWS).encode("cp1252"))
    assert "Zoë" in set(read_table(path, **COLUMNS, encoding="cp1252").interactions["user"])
    path = write(tmp_path / "t.csv", csv_of(ROWS).encode("utf-16"))
    assert "Zoë" in set(read_table(path, **COLUMNS, encoding="utf-16").interactions["user"])


def test_a_table_without_ratings_and_times_is_implicit(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "u,i\na,1\na,2\na,1\n")
    data = read_table(path, user="u", item="i")
    assert data.like is None
    assert data.duplicates == 1
    assert len(data.liked) == 2
    assert data.interactions[["rating", "time"]].isna().all(axis=None)


def test_the_latest_of_repeated_rows_stays_with_its_review(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "u,i,r,t,w\na,1,5,200,new\na,1,1,100,old\nb,1,1,1,x\n")
    data = read_table(path, user="u", item="i", rating="r", time="t", review="w", like=2)
    assert data.duplicates == 1
    assert data.like == 2.0
    assert sorted(data.reviews["text"]) == ["new", "x"]


@pytest.mark.parametrize(
    ("cells", "seconds"),
    [
        (["881250949", "0"], [881250949.0, 0.0]),
        (["881250949123", "881250949000"], [881250949.123, 881250949.0]),
        (["1", "2.5"], [1.0, 2.5]),
        (["1970-01-02", ""], [86400.0, math.nan]),
        (["1970-01-01T00:00:01Z", "1970-01-01 02:00:01+02:00"], [1.0, 1.0]),
        (["January 2, 1970", "02-Jan-1970"], [86400.0, 86400.0]),
    ],
)
def test_times(tmp_path: Path, cells: list[str], seconds: list[float]) -> None:
    frame = pd.DataFrame({"u": ["a", "b"], "i": "x", "t": cells})
    for path in (
        write(tmp_path / "t.csv", frame.to_csv(index=False)),
        parquet(tmp_path / "t.parquet", frame),
    ):
        data = read_table(path, user="u", item="i", time="t")
        assert data.interactions["time"].tolist() == pytest.approx(seconds, nan_ok=True)


def test_parquet_keeps_typed_columns_exact(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "u": [7, 8],
            "i": ["a", "b"],
            "r": [0.1, math.nan],
            "t": pd.Series(pd.to_datetime(["1970-01-02 00:00:00.5", "NaT"])),
            "g": [["Sci-Fi, Fantasy", "War"], []],
        }
    )
    path = parquet(tmp_path / "t.parquet", frame)
    data = read_table(path, user="u", item="i", rating="r", time="t", genres="g")
    assert data.interactions["user"].tolist() == ["7", "8"]
    assert data.interactions["rating"].tolist() == pytest.approx([0.1, math.nan], nan_ok=True)
    assert data.interactions["time"].tolist() == pytest.approx([86400.5, math.nan], nan_ok=True)
    assert data.items["genres"].tolist() == [["Sci-Fi, Fantasy", "War"], []]


def test_numbers_in_json_stay_as_written(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", '{"u": 7.10, "i": 12345678901234567890123, "r": 5e0}')
    data = read_table(path, user="u", item="i", rating="r")
    (row,) = data.interactions.to_dict("records")
    assert (row["user"], row["item"], row["rating"]) == ("7.10", "12345678901234567890123", 5.0)


@pytest.mark.parametrize(
    ("cell", "genres"),
    [
        ("Action|Sci-Fi, mostly", ["Action", "Sci-Fi, mostly"]),
        ("Action, War", ["Action", "War"]),
        ('["A, B", "C"]', ["A, B", "C"]),
        ("['Drama', 'War']", ["Drama", "War"]),
        ("", [""]),
        ("[" * 100_000, [""]),
    ],
)
def test_split_genres(cell: str, genres: list[str]) -> None:
    assert split_genres(cell) == genres


def test_items_take_their_facts_from_the_second_table_and_else_from_the_first(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "t.csv", "u,i,name\na,1,One\nb,1,One\nc,1,Uno\na,2,Two\na,9,Nine\n")
    items = write(tmp_path / "m.tsv", "i\tmade\tabout\n2\t1999\tOn two.\n1\t\t\n5\t1950\tUnseen.\n")
    data = read_table(
        path, user="u", item="i", title="name", year="made", text="about", items=items
    )
    films = data.items.set_index("item")
    assert films["title"].to_dict() == {"1": "One", "2": "Two", "5": "5", "9": "Nine"}
    assert films["year"].dropna().to_dict() == {"2": 1999.0, "5": 1950.0}
    assert films["text"]["2"] == "On two."
    everything = read_table(
        path,
        user="u",
        item="i",
        genres="kind",
        items=write(tmp_path / "g.csv", "i,kind\n1,Drama\n"),
    )
    assert everything.items.set_index("item")["genres"].to_dict() == {
        "1": ["Drama"],
        "2": [],
        "9": [],
    }


def test_control_characters_leave_titles_and_reviews(tmp_path: Path) -> None:
    row = {"u": "a", "i": "1", "n": "Evil\u001b[2J\nTitle\u202e", "w": "x\u0000\u001b]0;y\nz"}
    path = write(tmp_path / "t.jsonl", json.dumps(row))
    data = read_table(path, user="u", item="i", title="n", review="w")
    assert data.items["title"].tolist() == ["Evil[2J Title"]
    assert data.reviews["text"].tolist() == ["x]0;y\nz"]


SOUND = "u,i,r,t,g\na,1,5,1,x\n"
BAD_TABLES: list[tuple[str, str, str | bytes, list[str]]] = [
    ("no rows", "t.csv", "u,i,r,t,g\n", ["no rows"]),
    ("empty", "t.csv", "", ["is empty"]),
    ("blank", "t.csv", " \n\n", ["is empty"]),
    ("missing column", "t.csv", "u,item,r,t\na,1,5,1\n", ["no column 'i'", "'item'", "'t'"]),
    ("nearest column", "t.csv", "u,i,rr,t\na,1,5,1\n", ["no column 'r'", "nearest: 'rr'"]),
    ("twice a column", "t.csv", "u,i,r,r,t\na,1,5,1,1\n", ["two columns named 'r'"]),
    ("rating text", "t.csv", SOUND + "b,1,good,1,x\n", ["line 3", "r 'good'", "3.5"]),
    ("rating comma", "t.csv", SOUND + 'b,1,"3,5",1,x\n', ["line 3", "r '3,5'"]),
    ("rating nan", "t.csv", SOUND + "b,1,nan,1,x\n", ["line 3", "r 'nan'"]),
    ("rating inf", "t.csv", SOUND + "b,1,-inf,1,x\n", ["line 3", "r '-inf'"]),
    ("rating 1e999", "t.csv", SOUND + "b,1,1e999,1,x\n", ["line 3", "r '1e999'"]),
    ("blank lines first", "t.csv", "\n\n" + SOUND + "b,1,no,1,x\n", ["line 5", "r 'no'"]),
    ("line break in an id", "t.csv", 'u,i,r,t\n"a\nb",1,5,1\n\nc,1,bad,1\n', ["control character"]),
    ("bad date", "t.csv", SOUND + "b,1,5,yesterday,x\n", ["line 3", "t 'yesterday'"]),
    ("no such day", "t.csv", "u,i,r,t\na,1,5,2020-02-30\n", ["line 2", "'2020-02-30'"]),
    ("two kinds of time", "t.csv", SOUND + "b,1,5,2020-01-01,x\n", ["line 3", "t '2020-01-01'"]),
    ("time nan", "t.csv", SOUND + "b,1,5,nan,x\n", ["line 3", "t 'nan'"]),
    ("time far off", "t.csv", SOUND + "b,1,5,1e300,x\n", ["line 3", "t '1e300'"]),
    ("empty user", "t.csv", SOUND + " ,1,5,1,x\n", ["line 3", "u ' ' is empty"]),
    ("empty item", "t.csv", SOUND + "b,,5,1,x\n", ["line 3", "i '' is empty"]),
    ("escape in id", "t.csv", SOUND + "b\x1b[2J,1,5,1,x\n", ["line 3", r"'b\x1b[2J'"]),
    ("too many fields", "t.csv", SOUND + "b,1,5,1,x,y\n", ["line 3", "6 fields", "has 5"]),
    ("too few fields", "t.csv", SOUND + "b,1,5\n", ["line 3", "3 fields", "has 5"]),
    ("open quote", "t.csv", SOUND + 'b,1,5,1,"x\nc,1,5,1,x\n', ["line 3", "never closed"]),
    (
        "lines within fields count",
        "t.csv",
        'u,i,r,t,g\na,1,5,1,"x\n\ny"\n\nb,1,no,1,z\n',
        ["line 6", "'no'"],
    ),
    (
        "lines within fields count for wide rows",
        "t.csv",
        'u,i,r,t,g\na,1,5,1,"x\n\ny"\nb,1,1,1,z,z\n',
        ["line 5", "6 fields"],
    ),
    (
        "latin",
        "t.csv",
        SOUND.encode() + b"\xe9,1,5,1,x\n",
        ["line 3", "0xe9 at offset 20", "cp1252"],
    ),
    ("not cp1252", "t.csv", SOUND.encode() + b"\x81\xff,1,5,1,x\n", ["--encoding latin-1"]),
    ("utf-16", "t.csv", SOUND.encode("utf-16"), ["--encoding utf-16"]),
    ("nul", "t.csv", SOUND + "b\0,1,5,1,x\n", ["line 3", "NUL"]),
    ("not gzip", "t.csv.gz", SOUND, ["not a whole gzip"]),
    ("half gzip", "t.csv.gz", gzip.compress(SOUND.encode())[:-9], ["not a whole gzip"]),
    ("gzip as csv", "t.csv", gzip.compress(SOUND.encode()), ["gzip data"]),
    ("parquet as csv", "t.csv", b"PAR1\x15\x04", ["Parquet data"]),
    ("excel as csv", "t.csv", b"PK\x03\x04\x14", ["zip or Excel data"]),
    ("not parquet", "t.parquet", SOUND, ["not Parquet"]),
    ("unknown suffix", "t.xls", SOUND, ["no suffix", ".csv"]),
    ("no suffix", "table", SOUND, ["no suffix"]),
    ("not json", "t.jsonl", '{"u":"a","i":"1","r":1,"t":1}\n{"u":\n', ["line 2", "not JSON"]),
    ("json list", "t.json", '[{"u":"a"}]', ["JSON list", "one object a line"]),
    ("json number", "t.jsonl", "7\n", ["line 1", "not a JSON object"]),
    ("deep json", "t.jsonl", "[" * 200_000, ["line 1", "JSON list"]),
    ("deeper json", "t.jsonl", '{"u":' + "[" * 200_000, ["line 1", "not JSON"]),
    ("json nan", "t.jsonl", '\n{"u":"a","i":"1","r":NaN,"t":1}\n', ["line 2", "r 'NaN'"]),
    ("absent key", "t.jsonl", '{"u":"a","i":"1","r":1,"t":1}\n{"i":"1"}', ["line 2", "u ''"]),
    ("surrogate", "t.jsonl", '{"u":"\\ud800","i":"1","r":1,"t":1}', ["line 1", "surrogate"]),
]


@pytest.mark.parametrize(
    ("name", "content", "says"), [row[1:] for row in BAD_TABLES], ids=[row[0] for row in BAD_TABLES]
)
def test_bad_tables_are_refused_on_one_line(
    tmp_path: Path, name: str, content: str | bytes, says: list[str]
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(DataError) as caught:
        read_table(path, user="u", item="i", rating="r", time="t")
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < len(str(path)) + 300
    for part in [str(path), *says]:
        assert part in message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "u,i,w\na,1,{}\n"),
        ("t.csv", "u,i,unread,w\na,1,{},x\n"),
        ("t.csv", "u,i,w\n{},1,x\n"),
        ("t.csv", "u,i,w,{}\na,1,x,y\n"),
        ("t.csv", 'u,i,w\na,1,"{}\n'),
        ("t.jsonl", '{{"u":"a","i":"1","w":"{}"}}\n'),
        ("t.jsonl", '{{"u":"a","i":"1","w":"x","unread":"{}"}}\n'),
    ],
)
def test_a_field_of_ten_megabytes_is_refused_quickly(
    tmp_path: Path, name: str, content: str
) -> None:
    path = write(tmp_path / name, content.format("x" * 10_000_000))
    start = time.perf_counter()
    with pytest.raises(DataError) as caught:
        read_table(path, user="u", item="i", review="w")
    assert time.perf_counter() - start < 2
    assert len(str(caught.value)) < len(str(path)) + 300


def test_a_field_of_a_megabyte_is_read_and_one_more_is_not(tmp_path: Path) -> None:
    frame = pd.DataFrame({"u": ["a"], "i": ["1"], "w": ["x" * 1_000_000]})
    for longer in (False, True):
        cells = frame.assign(w=frame["w"] + "x" * longer)
        for path in (
            write(tmp_path / "t.csv", cells.to_csv(index=False)),
            parquet(tmp_path / "t.parquet", cells),
        ):
            if longer:
                with pytest.raises(DataError, match="the limit is 1000000"):
                    read_table(path, user="u", item="i", review="w")
            else:
                data = read_table(path, user="u", item="i", review="w")
                assert len(data.reviews["text"][0]) == 1_000_000


def test_a_gzip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t.csv.gz", gzip.compress(b"u,i\n" + b"a,1\n" * 1000))
    assert len(read_table(path, user="u", item="i").interactions) == 1
    monkeypatch.setattr(textfile, "MAX_FILE", 1000)
    with pytest.raises(DataError, match="more than 1000 bytes"):
        read_table(path, user="u", item="i")


def test_missing_files_and_folders_are_refused_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path / "ratings.csv", SOUND)
    with pytest.raises(DataError, match=r"no file .*rating\.csv.*nearest: 'ratings\.csv'"):
        read_table(tmp_path / "rating.csv", user="u", item="i")
    with pytest.raises(DataError, match=r"is a folder.*'ratings\.csv'"):
        read_table(tmp_path, user="u", item="i")
    with pytest.raises(DataError, match="no file"):
        read_table(tmp_path / "no" / "where.csv", user="u", item="i")


def test_decimal_ids_in_parquet_are_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "t.parquet", pd.DataFrame({"u": [1.0, math.nan], "i": ["a", "b"]}))
    with pytest.raises(DataError, match="'u' holds decimal numbers"):
        read_table(path, user="u", item="i")


def test_other_refusals(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", SOUND)
    with pytest.raises(DataError, match="encoding 'utf-99' does not exist"):
        read_table(path, user="u", item="i", encoding="utf-99")
    with pytest.raises(DataError, match=r"like = 9 is above every rating"):
        read_table(path, user="u", item="i", rating="r", like=9)
    items = write(tmp_path / "m.csv", "i,n\n1,A\n2,B\n")
    with pytest.raises(DataError, match="no column 'nowhere'"):
        read_table(path, user="u", item="i", title="nowhere", items=items)
    write(items, "i,n\n1,A\n2,B\n1,C\n")
    with pytest.raises(DataError, match=r"m\.csv, line 4: i '1' is listed twice"):
        read_table(path, user="u", item="i", title="n", items=items)
    years = write(tmp_path / "y.csv", "u,i,y\na,1,1999\na,2,199O\n")
    with pytest.raises(DataError, match="line 3: y '199O' is no year"):
        read_table(years, user="u", item="i", year="y")


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp"]))
            .filter(lambda text: text.strip() != "")
            .filter(lambda text: text != "u"),
            st.text(st.sampled_from('ab",;|\t\n é'), max_size=8),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda row: row[0],
    )
)
def test_quoted_cells_come_back_as_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    frame = pd.DataFrame(rows, columns=["u", "w"]).assign(i="1")
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_text(frame.to_csv(index=False, quoting=1), encoding="utf-8", newline="")
    table = read_columns(path, ["u", "w", "i"])
    assert table.frame["u"].tolist() == frame["u"].tolist()
    assert table.frame["w"].tolist() == frame["w"].tolist()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_on_one_line(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    folder = tmp_path_factory.mktemp("t")
    messages: list[str] = []
    for name in ("t.csv", "t.tsv.gz", "t.jsonl", "t.parquet"):
        for content in (junk, b"u,i\na,1\n" + junk, gzip.compress(b"u,i\nb,2\n" + junk)):
            path = write(folder / name, content)
            try:
                data = read_table(path, user="u", item="i")
                assert len(data.interactions) > 0
            except DataError as error:
                messages.append(str(error))
    assert not [message for message in messages if "\n" in message]


REVIEW: dict[str, Any] = {
    "id": "s-1",
    "item": "1",
    "user": "ann",
    "rating": 4,
    "source": "sample",
    "text": "Fine.",
}


def films() -> Dataset:
    return make_dataset("d", pd.DataFrame({"user": ["u", "u"], "item": ["1", "2"]}))


def test_reviews_are_read_and_attached(tmp_path: Path) -> None:
    more = {**REVIEW, "id": "s-2", "rating": None, "time": "1970-01-02", "text": "a\x07\nb"}
    path = write(tmp_path / "r.jsonl", json.dumps(REVIEW) + "\n\n" + json.dumps(more) + "\n")
    data = with_reviews(films(), read_reviews(path))
    first, second = data.reviews.to_dict("records")
    assert (first["rating"], first["source"], first["user"]) == (4.0, "sample", "ann")
    assert (second["time"], second["text"]) == (86400.0, "a\nb")
    assert math.isnan(second["rating"])
    assert math.isnan(first["time"])
    assert data.hash != films().hash
    assert len(films().reviews) == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": ""}, "id '' is empty"),
        ({"id": "s-1"}, "the id 's-1' was used before"),
        ({"text": " \x00"}, "the review 's-2' has no text"),
        ({"text": None}, "text 'None' is not text"),
        ({"item": ["1"]}, "is not text"),
        ({"rating": "good"}, "rating 'good' is no finite number"),
        ({"rating": math.inf}, "rating 'Infinity' is no finite number"),
        ({"time": "soon"}, "time 'soon' is no time"),
        ({"stars": 5}, "unknown key 'stars'"),
        ({"user": ...}, "lacks 'user'"),
    ],
)
def test_bad_reviews_are_refused_with_their_line(
    tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    changed = {**REVIEW, "id": "s-2", **change}
    row = {key: value for key, value in changed.items() if value is not ...}
    path = write(tmp_path / "r.jsonl", json.dumps(REVIEW) + "\n\n" + json.dumps(row) + "\n")
    with pytest.raises(DataError) as caught:
        read_reviews(path)
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert says in str(caught.value)


def test_reviews_of_unknown_items_or_with_known_ids_are_refused(tmp_path: Path) -> None:
    reviews = read_reviews(write(tmp_path / "r.jsonl", json.dumps(REVIEW)))
    with pytest.raises(DataError, match="review 's-1' of item '9' is of an item"):
        with_reviews(films(), reviews.assign(item="9"))
    with pytest.raises(DataError, match="id of another review"):
        with_reviews(with_reviews(films(), reviews), reviews)
