"""Every tool runs from its table entry, on arguments its own schema allows."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from tests.recsys.small import NOBODY, ONCE
from whythis.tools.evidence import Evidence
from whythis.tools.table import TOOLS
from whythis.tools.workspace import Workspace


def arguments(ws: Workspace, name: str, user: str) -> dict[str, Any]:
    """Return arguments for a tool, as an agent would write them in JSON."""
    rec = ws.recommender
    item = next(line.item for line in rec.recommend(user, 40) if line.item in ("i00", "i01", "i02"))
    wanted = {
        "user": user,
        "item": item,
        "n": 3,
        "about": "music and songs",
        "other": next(line.item for line in rec.recommend(user, 40) if line.item != item),
        "word": "the",
        "by": "similar",
        "forget": [rec.item_ids.ids[i] for i in rec.history(user)[:2]],
    }
    fields = TOOLS[name].args.model_fields
    return {field: wanted[field] for field in fields}


def run(ws: Workspace, name: str, given: dict[str, Any]) -> tuple[Evidence, ...]:
    tool = TOOLS[name]
    return tool.run(ws, **tool.args.model_validate(given).model_dump())


# nothing is enough, written, or judged by three, for most pairs
SELDOM = {"enough", "own_words", "aspects", "own_aspects"}


def test_the_table_lists_each_probe_under_its_own_name() -> None:
    assert set(TOOLS) == {
        "recommendations",
        "profile",
        "personas",
        "history",
        "what_if",
        "reviews",
        "facts",
        "enough",
        "contributions",
        "recent",
        "recall",
        "summary",
        "mentions",
        "own_words",
        "aspects",
        "own_aspects",
        "details",
        "compare",
        "similar",
        "rests_on",
        "access",
        "neighbours",
    }
    for name, tool in TOOLS.items():
        assert tool.name == name == tool.run.__name__
        assert tool.description.endswith(".")
        assert len(tool.description.splitlines()) == 1


@pytest.mark.parametrize("name", TOOLS)
def test_a_schema_is_valid_and_closed_and_fits_its_function(name: str) -> None:
    tool = TOOLS[name]
    schema = tool.args.model_json_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert all(field.get("description") for field in schema["properties"].values())
    assert schema.get("required", []) or name == "access"
    parameters = list(inspect.signature(tool.run).parameters)[1:]
    assert list(schema["properties"]) == parameters
    with pytest.raises(ValidationError):
        tool.args.model_validate({**dict.fromkeys(schema.get("required", []), "u00"), "extra": 1})


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("user", ["u04", "u07", ONCE])
def test_every_tool_finds_the_same_evidence_again(
    small_workspace: Workspace, name: str, user: str
) -> None:
    given = arguments(small_workspace, name, user)
    Draft202012Validator(TOOLS[name].args.model_json_schema()).validate(given)
    found = run(small_workspace, name, given)
    assert found or name in SELDOM
    assert run(small_workspace, name, given) == found
    assert len({record.id for record in found}) == len(found)
    for record in found:
        # strict JSON: no NaN, no numpy number
        text = json.dumps(record.model_dump(), allow_nan=False)
        assert Evidence.model_validate_json(text) == record
        assert record.probe.name == name
        assert record.source.partition(":")[0] in ("model", "data", "reviews")


@pytest.mark.parametrize(
    ("name", "user", "item"), [("enough", "u00", "i16"), ("own_words", "u05", "")]
)
def test_what_is_seldom_found_is_found_again(
    small_workspace: Workspace, name: str, user: str, item: str
) -> None:
    item = item or small_workspace.recommender.recommend(user, 1)[0].item
    given = {"user": user, "item": item} | ({"word": "drama"} if name == "own_words" else {})
    (record,) = run(small_workspace, name, given)
    assert run(small_workspace, record.probe.name, record.probe.args) == (record,)


@pytest.mark.parametrize("name", TOOLS)
def test_the_call_kept_with_the_evidence_finds_it_again(
    small_workspace: Workspace, name: str
) -> None:
    for record in run(small_workspace, name, arguments(small_workspace, name, "u04")):
        assert record in run(small_workspace, record.probe.name, record.probe.args)


@pytest.mark.parametrize("name", sorted(set(TOOLS) - {"what_if"}))
def test_every_tool_answers_for_a_user_without_likes(small_workspace: Workspace, name: str) -> None:
    found = run(small_workspace, name, arguments(small_workspace, name, NOBODY))
    of_likes = {"profile", "personas", "contributions", "enough", "recent", "similar"}
    assert bool(found) == (name not in of_likes | SELDOM - {"aspects"})
    # there is no like to remove, only the rank that is left without any
    assert name != "history" or [record.kind for record in found] == ["no_history"]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("recommendations", {"user": "u00", "n": 0}),
        ("recommendations", {"user": "u00", "n": 101}),
        ("recommendations", {"user": 5}),
        ("profile", {}),
        ("personas", {"user": "u00"}),
        ("what_if", {"user": "u00", "item": "i00", "forget": []}),
        ("what_if", {"user": "u00", "item": "i00", "forget": ["i01"] * 21}),
        ("reviews", {"user": "u00", "item": "i00", "about": "x" * 201}),
        ("reviews", {"user": "u00", "item": "i00", "n": 11}),
        ("neighbours", {"item": "i00", "n": 51}),
        ("recall", {"user": "u00", "by": "feeling"}),
    ],
)
def test_arguments_out_of_bounds_are_refused(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TOOLS[name].args.model_validate(given)
    assert not Draft202012Validator(TOOLS[name].args.model_json_schema()).is_valid(given)
