"""The form of a benchmark's result."""

import json

import pytest

from whythis.bench.result import Result, Target, arguments, report


@pytest.mark.parametrize(
    ("op", "value", "got", "met"),
    [
        (">=", 1.0, 1.0, True),
        (">=", 1.0, 0.9, False),
        ("<=", 5.0, 6.0, False),
        ("==", 0.0, 0.0, True),
    ],
)
def test_a_target_judges_its_figure(op, value, got, met):
    assert Target("f", op, value).met(got) is met


def test_nan_reaches_no_target():
    assert not any(Target("f", op, 0.0).met(float("nan")) for op in (">=", "<=", "=="))


@pytest.mark.parametrize(("got", "code"), [(1.0, 0), (0.5, 1)])
def test_report_exits_with_one_where_a_target_is_missed(got, code, tmp_path, capsys):
    options = arguments("about", "d").parse_args(["--json", "--out", str(tmp_path / "r.json")])
    result = Result("b", "d", 0, {"share": got}, [Target("share", ">=", 1.0)])
    assert report(result, options) == code
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert set(printed) >= {"bench", "data", "seed", "machine", "date", "figures", "targets"}
    assert printed["targets"]["share"]["ok"] is (code == 0)
    assert list(tmp_path.iterdir()) == [tmp_path / "r.json"]


ROWS = [("ranker", "ndcg"), ("ours", "0.5")]


def shown(capsys, rows, *given):
    options = arguments("about", "d").parse_args(list(given))
    figures = {"judged": 1.0, "plain": 2.0, "unknown": float("nan")}
    targets = [Target("judged", ">=", 1.0)]
    report(Result("b", "d", 0, figures, targets, rows, ["a note"]), options)
    return capsys.readouterr().out


def test_beside_a_table_text_shows_only_the_figures_with_a_target(capsys):
    text = shown(capsys, ROWS)
    assert "ours" in text
    assert "judged" in text
    assert "reached" in text
    assert "a note" in text
    assert "plain" not in text


def test_without_a_table_text_shows_every_figure(capsys):
    text = shown(capsys, ())
    assert "judged" in text
    assert "plain" in text


def test_json_holds_every_figure_and_stays_json(capsys):
    def refuse(name):
        raise AssertionError(name)

    plain = json.loads(shown(capsys, ROWS, "--json"), parse_constant=refuse)
    assert plain["figures"] == {"judged": 1.0, "plain": 2.0, "unknown": None}
