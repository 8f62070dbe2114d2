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
