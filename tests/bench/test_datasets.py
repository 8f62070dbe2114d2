"""The benchmarks' data sets: small files in their formats, and the real ones where they are."""

import gzip
import json

import pytest

from whythis.bench.datasets import FOLDER, NAMES, read
from whythis.recsys.errors import DataError, MissingPartError

REVIEWS = {
    "ann": {
        "b1": {"rating": 5.0, "title": "Good", "text": "Soft and kind."},
        "b2": {"rating": 2.0, "title": "Bad", "text": " "},
    },
    "bob": {"b1": {"rating": 4.0, "title": "Fine", "text": "Works."}},
}
META = {"b1": {"title": "Soap"}, "b2": {"title": "Comb"}, "b3": {"title": "Never sold"}}

INSTRUMENTS = [
    {
        "reviewerID": "u1",
        "asin": "007",
        "overall": 5.0,
        "reviewText": "Loud.",
        "unixReviewTime": 9,
        "helpful": [3, 4],
    },
    {
        "reviewerID": "u1",
        "asin": "008",
        "overall": 1.0,
        "reviewText": "",
        "unixReviewTime": 20,
        "helpful": [0, 0],
    },
    {
        "reviewerID": "u2",
        "asin": "007",
        "overall": 3.0,
        "reviewText": "So-so.",
        "unixReviewTime": 5,
        "helpful": [1, 1],
    },
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return tmp_path


def beauty(folder, reviews=REVIEWS, meta=META):
    inside = folder / "amazon_beauty23"
    inside.mkdir(exist_ok=True)
    for name, content in (("history_reviews.json", reviews), ("meta_data.json", meta)):
        text = content if isinstance(content, str) else json.dumps(content)
        (inside / name).write_text(text, encoding="utf-8")
    return inside


def games(folder, lines):
    inside = folder / "ampcf_videogames"
    inside.mkdir()
    (inside / "amazon_Video_Games_data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_beauty_has_titles_and_reviews(folder):
    beauty(folder)
    data = read("beauty")
    assert (data.name, data.like) == ("beauty", None)
    assert len(data.liked) == 3  # the low rating counts as well
    assert dict(zip(data.items["item"], data.items["title"], strict=True)) == {
        "b1": "Soap",
        "b2": "Comb",
    }
    assert sorted(data.reviews["text"]) == ["Soft and kind.", "Works."]
    assert sorted(data.reviews["rating"]) == [4.0, 5.0]


def test_review_ids_do_not_hang_on_the_other_reviews(folder):
    beauty(folder)
    whole = read("beauty").reviews.set_index("id")
    beauty(folder, {"bob": REVIEWS["bob"]})
    alone = read("beauty").reviews
    assert whole.loc[alone["id"][0], "text"] == "Works."


@pytest.mark.parametrize(
    ("reviews", "meta", "said"),
    [
        ("[1, 2]", META, "line 1: '[1, 2]' is not a JSON object"),
        ('{"ann": {"b1": {', META, "line 1"),
        ({"ann": ["b1"]}, META, "'ann': .* is not a JSON object"),
        ({"ann": {"b1": {"text": "x"}}}, META, "'ann' > 'b1': rating is absent"),
        ({"ann": {"b1": {"rating": "five", "text": "x"}}}, META, "'five' is no finite number"),
        ({"ann": {"b1": {"rating": float("nan"), "text": "x"}}}, META, "'NaN' is no finite number"),
        ({"ann": {"b1": {"rating": 5, "text": ["x"]}}}, META, "neither text nor a number"),
        ({"": {"b1": {"rating": 5, "text": "x"}}}, META, "user '' .* is empty"),
        ({}, META, "no interactions"),
        (REVIEWS, {"b1": {}}, "meta_data.json, 'b1': title is absent"),
    ],
)
def test_malformed_beauty_is_refused_in_one_line(folder, reviews, meta, said):
    beauty(folder, reviews, meta)
    with pytest.raises(DataError, match=said.replace("[1, 2]", r"\[1, 2\]")) as caught:
        read("beauty")
    assert "\n" not in str(caught.value)


def test_musical_instruments_keep_low_ratings_times_and_texts(folder):
    inside = folder / "amazon_mi5"
    inside.mkdir()
    with gzip.open(inside / "reviews_Musical_Instruments_5.json.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in INSTRUMENTS)
    data = read("musical-instruments")
    assert (data.name, data.like, len(data.liked)) == ("musical-instruments", None, 3)
    assert data.interactions["time"].tolist() == [9.0, 20.0, 5.0]
    assert data.items["item"].tolist() == ["007", "008"]
    assert sorted(data.reviews["text"]) == ["Loud.", "So-so."]  # an empty text is no review
    assert dict(zip(data.reviews["text"], data.reviews["helpful"], strict=True)) == {
        "Loud.": 3,
        "So-so.": 1,
    }


def test_video_games_are_cut_to_their_core(folder):
    core = [f"u{u},i{i},5.0" for u in range(5) for i in range(5)]
    # u8 has five items, but loses those that only it has, and then goes itself
    games(folder, [*core, "u9,i0,4.0", *(f"u8,{i},4.0" for i in ("i0", "i1", "i2", "x", "y"))])
    data = read("video-games")
    assert len(data.interactions) == 25
    assert set(data.interactions["user"]) == {f"u{u}" for u in range(5)}
    assert len(data.items) == 5


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["u,i,5.0", "u,i"], "line 2: 'u,i' has 2 fields"),
        (["u,i,5.0", "u,j,inf"], "line 2: rating 'inf' is no finite number"),
        (["u,i,5.0"], "has no 5-core"),
    ],
)
def test_malformed_video_games_are_refused(folder, lines, said):
    games(folder, lines)
    with pytest.raises(DataError, match=said):
        read("video-games")


def test_yelp_is_its_three_parts_together(folder):
    inside = folder / "xrec_yelp"
    inside.mkdir()
    for part, rows in (("trn", "1,2\n1,3\n"), ("val", "2,2\n"), ("tst", "2,3\n1,2\n")):
        with gzip.open(inside / f"{part}.csv.gz", "wt") as file:
            file.write("user,item\n" + rows)
    data = read("yelp")
    assert len(data.liked) == 4
    assert data.duplicates == 1
    (inside / "val.csv.gz").unlink()
    with pytest.raises(DataError, match=r"val\.csv\.gz"):
        read("yelp")


@pytest.mark.parametrize("name", NAMES[1:])
def test_an_absent_folder_is_named_with_the_variable_that_moves_it(
    folder, name, monkeypatch, tmp_path
):
    with pytest.raises(MissingPartError, match=f"{FOLDER} is {folder}"):
        read(name)
    monkeypatch.delenv(FOLDER)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingPartError, match=rf"shared/data/.*{FOLDER} is not set"):
        read(name)


def test_without_the_variable_the_folder_beside_the_checkout_serves(tmp_path, monkeypatch):
    monkeypatch.delenv(FOLDER, raising=False)
    (tmp_path / "checkout").mkdir()
    (tmp_path / "shared" / "data").mkdir(parents=True)
    beauty(tmp_path / "shared" / "data")
    monkeypatch.chdir(tmp_path / "checkout")
    assert len(read("beauty").interactions) == 3


def test_a_path_is_a_table_and_a_wrong_name_lists_the_right_ones(tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text("user,item,rating,time\nann,a,5,1\nann,b,1,2\n", encoding="utf-8")
    assert read(str(table)).name == "mine"
    with pytest.raises(DataError, match="musical-instruments"):
        read("music")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("name", "users", "items", "events", "reviews"),
    [
        ("ml-100k", 942, 1682, 55375, 0),
        ("musical-instruments", 1429, 900, 10261, 10254),
        ("beauty", 253, 352, 2282, 2282),
        ("video-games", 7030, 5369, 83746, 0),
        ("yelp", 15962, 14085, 393680, 0),
    ],
)
def test_the_real_sets_have_their_known_sizes(name, users, items, events, reviews):
    try:
        data = read(name)
    except MissingPartError as error:
        pytest.skip(str(error))
    liked = data.liked
    assert (liked["user"].nunique(), len(data.items), len(liked)) == (users, items, events)
    assert len(data.reviews) == reviews
