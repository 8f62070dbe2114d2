"""What other packages offer is imported when asked for by name, and can break no answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from whythis import extending
from whythis.explain import explain
from whythis.extending import GROUPS, checker, language_model, load, names, recommended_by
from whythis.recsys.errors import DataError, MissingPartError, ModelError, UnknownIdError
from whythis.tools.workspace import Workspace

from .fakes import best

Offer = Callable[..., None]
WRITER = """
from whythis.text.checker import Draft
from whythis.writers.writer import Gathered, Written
class Talk:
    def gather(self): return Gathered(())
    def write(self, ledger): {write}
    def repair(self, ledger, refused): return Written(())
class Own:
    name, prompt = "own", None
    def begin(self, ws, user, item, question): {begin}
"""


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Return a function that makes an installed package of one module with one entry point."""

    def make(kind: extending.Kind, name: str, value: str, code: str, package: str = "own") -> None:
        module = f"{package}_{uuid4().hex}"  # another than any test imported
        folder = tmp_path / module
        info = folder / f"{package}-1.2.dist-info"
        info.mkdir(parents=True)
        (folder / f"{module}.py").write_text(code, "utf-8")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[{GROUPS[kind]}]\n{name} = {module}:{value}\n")
        monkeypatch.syspath_prepend(str(folder))

    return make


def test_nothing_is_imported_before_it_is_asked_for(offer: Offer) -> None:
    offer("checker", "strict", "check", "def check(text, claims): return None")
    before = set(sys.modules)
    assert "strict" in names("checker")
    assert not {name for name in set(sys.modules) - before if name.startswith("own")}
    assert load("checker", "strict").label == "strict (own 1.2)"
    assert {name for name in set(sys.modules) - before if name.startswith("own")}


@pytest.mark.parametrize(
    ("value", "code", "error", "words"),
    [
        ("check", "import no_such_thing", MissingPartError, "package own 1.2 .*no_such_thing"),
        ("check", "raise SystemError('a\\nb')", MissingPartError, "SystemError, 'a b'"),
        ("check", "check = 3", MissingPartError, "type int, which cannot be called"),
        ("absent", "check = print", MissingPartError, "own 1.2 cannot be imported: AttributeErr"),
    ],
)
def test_what_cannot_be_imported_names_its_package(
    value: str, code: str, error: type[Exception], words: str, offer: Offer
) -> None:
    offer("checker", "strict", value, code)
    with pytest.raises(error, match=words) as raised:
        load("checker", "strict")
    assert "\n" not in str(raised.value)


def test_names_are_known_and_one_package_s_only(offer: Offer) -> None:
    with pytest.raises(UnknownIdError, match=r"checker 'gone' .*whythis\.checkers"):
        load("checker", "gone")
    offer("checker", "strict", "check", "def check(text, claims): return None")
    with pytest.raises(UnknownIdError, match=r"there is: .*strict"):
        load("checker", "gone")
    with pytest.raises(UnknownIdError, match="recommender 'strict'"):
        load("recommender", "strict")
    offer("checker", "strict", "check", "def check(text, claims): return None", "other")
    with pytest.raises(DataError, match="other and own both"):
        load("checker", "strict")


@pytest.mark.parametrize("asked", ["strict?", "strict?a=1&b=2", "strict?a="])
def test_options_are_handed_on(asked: str, offer: Offer) -> None:
    offer("checker", "strict", "check", "def check(text, claims, **o): return repr(o)")
    said = checker(asked)("A sentence.", ())
    wanted = dict(part.split("=") for part in asked.partition("?")[2].split("&") if part)
    assert said is not None
    assert said.endswith(repr(wanted))


@pytest.mark.parametrize("asked", ["strict?a", "strict?a=1&a=2", "strict?a-b=1", "strict?=1"])
def test_options_that_cannot_be_read_are_refused(asked: str) -> None:
    with pytest.raises(DataError, match=r"NAME\?option=value"):
        load("checker", asked)


def said_by(ws: Workspace, *checkers: str) -> tuple[str, list[str]]:
    vetoes = tuple(map(checker, checkers))
    found = explain(ws, "u01", best(ws, "u01"), vetoes=vetoes)
    assert all(verdict.outcome == "verified" for verdict in found.verdicts.values())
    return found.answer, [dropped.reason for dropped in found.dropped]


def test_a_checker_takes_away_and_adds_nothing(small_workspace: Workspace, offer: Offer) -> None:
    whole, dropped = said_by(small_workspace)
    assert dropped == []
    offer("checker", "mild", "check", "def check(text, claims): return None", "gentle")
    assert said_by(small_workspace, "mild") == (whole, [])
    offer(
        "checker",
        "no-taste",
        "check",
        "def check(text, claims):\n"
        "    if any(claim.kind == 'persona_effect' for claim in claims): return 'a\\ntaste'\n",
    )
    rest, reasons = said_by(small_workspace, "mild", "no-taste")
    assert "checker no-taste (own 1.2): a taste" in reasons
    assert "taste for" not in rest


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise ValueError(text)", "failed: ValueError"),
        ("return True", "type bool, neither a text nor None"),
        ("return ''", "it gives no reason"),
        ("return 'x' * 9999", "xxx"),
    ],
)
def test_a_checker_that_fails_refuses(
    body: str, words: str, small_workspace: Workspace, offer: Offer
) -> None:
    offer("checker", "odd", "check", f"def check(text, claims): {body}")
    answer, reasons = said_by(small_workspace, "odd")
    assert answer == ""
    assert reasons
    assert all(r.startswith("checker odd (own 1.2)") and words in r for r in reasons)
    assert max(map(len, reasons)) < 300


def test_a_recommender_is_explained_over_the_data(small_workspace: Workspace, offer: Offer) -> None:
    code = (
        "def made(data, first='0'):\n"
        "    n = len(data.items)\n"
        "    start = int(first)\n"
        "    def scores(history):\n"
        "        return [len(history) * ((i + start) % n) for i in range(n)]\n"
        "    return scores\n"
    )
    offer("recommender", "own", "made", code)
    ws = recommended_by(small_workspace, "own?first=2")
    item = best(ws, "u01")
    found = explain(ws, "u01", item)
    assert ws.recommender.access == "scores"
    assert found.model_hash == "black-box:own (own 1.2, first=2)"
    assert found.data_hash == small_workspace.recommender.hashes["data"]
    assert found.answer
    with pytest.raises(MissingPartError, match=r"own 1\.2, first=x.*ValueError"):
        recommended_by(small_workspace, "own?first=x")
    with pytest.raises(MissingPartError, match=r"made: TypeError"):
        recommended_by(small_workspace, "own?last=1")


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("def made(data): return 3", MissingPartError, "from a history to scores"),
        ("def made(data): return lambda history: 1 / 0", ModelError, "ZeroDivisionError"),
        ("def made(data): return lambda history: [1]", ModelError, "one for each item"),
    ],
)
def test_scores_are_not_believed(
    code: str, error: type[Exception], words: str, small_workspace: Workspace, offer: Offer
) -> None:
    offer("recommender", "own", "made", code)
    with pytest.raises(error, match=words):
        recommended_by(small_workspace, "own")


@pytest.mark.parametrize(
    ("write", "begin", "error"),
    [
        (
            "return Written((Draft('{p1.persona} is all.', ('p1',)),))",
            "return Talk()",
            None,
        ),
        ("raise KeyError('x')", "return Talk()", "KeyError, \"'x'\""),
        ("return 'text'", "return Talk()", "returned an object of type str, not Written"),
        ("return Written((Draft(3, ('p1',)),))", "return Talk()", "no text with the claims"),
        ("return Written(('text',))", "return Talk()", "no text with the claims"),
        ("return Written(())", "raise OSError('gone')", "OSError, 'gone'"),
    ],
)
def test_a_writer_can_fail_and_the_answer_stands(
    write: str, begin: str, error: str | None, small_workspace: Workspace, offer: Offer
) -> None:
    ws = small_workspace
    offer("language model", "own", "Own", WRITER.format(write=write, begin=begin))
    found = explain(ws, "u01", best(ws, "u01"), writer=language_model("own"))
    assert found.answer
    assert all(verdict.outcome == "verified" for verdict in found.verdicts.values())
    if error is None:
        assert found.llm_error is None
    else:
        assert found.llm_error is not None
        assert "own (own 1.2) failed" in found.llm_error
        assert error in found.llm_error


def test_what_is_no_language_model_is_refused(offer: Offer) -> None:
    offer("language model", "own", "made", "def made(): return 3")
    with pytest.raises(MissingPartError, match="chat model of LangChain or a Writer"):
        language_model("own")
