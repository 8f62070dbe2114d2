"""Schemas are what strict mode takes, and the dispatcher answers whatever a model sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.plugin.surfaces.toolcalls import USER, calls
from whythis.conversation.assistant import WhyThis
from whythis.recsys.errors import DataError
from whythis.surfaces.openai_tools import call, functions
from whythis.surfaces.tools import TABLE, USUAL, Toolbox
from whythis.tools.workspace import Workspace

# https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
TAKEN = {
    "type", "description", "enum", "items", "properties", "required", "additionalProperties",
    "minimum", "maximum", "minItems", "maxItems",
}  # fmt: skip


@pytest.fixture(scope="module")
def box(small_workspace: Workspace) -> Toolbox:
    return Toolbox(WhyThis(small_workspace), tuple(TABLE))


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    yield schema
    for part in schema.get("properties", {}).values():
        yield from schemas(part)
    if "items" in schema:
        yield from schemas(schema["items"])


def test_every_schema_is_strict(box: Toolbox) -> None:
    for function in (f["function"] for f in functions(box)):
        assert function["strict"] is True
        whole = function["parameters"]
        assert whole["additionalProperties"] is False
        assert whole["required"] == list(whole["properties"])
        for part in schemas(whole):
            assert set(part) <= TAKEN
            Draft202012Validator.check_schema(part)
        assert all(part.get("description") for part in whole["properties"].values())


def test_an_optional_argument_may_be_null_and_takes_its_default(box: Toolbox) -> None:
    for function in (f["function"] for f in functions(box)):
        name, parts = function["name"], function["parameters"]["properties"]
        asked = calls(box.assistant.ws)[name]
        required = {k for k, info in TABLE[name].args.model_fields.items() if info.is_required()}
        assert {key for key, part in parts.items() if "null" not in part["type"]} == required
        short = {key: asked[key] if key in required else None for key in parts}
        Draft202012Validator(function["parameters"]).validate(short)
        bare = {key: asked[key] for key in required}
        if name != "recall":  # by default the latest, which small data have at one time
            assert call(box, name, json.dumps(short)) == call(box, name, json.dumps(bare))


def test_both_interfaces_get_the_same_functions(box: Toolbox) -> None:
    nested = [f["function"] for f in functions(box, "chat")]
    flat = [{k: v for k, v in f.items() if k != "type"} for f in functions(box, "responses")]
    assert nested == flat


def test_without_names_the_usual_tools_are_offered(small_workspace: Workspace) -> None:
    offered = functions(Toolbox(WhyThis(small_workspace)))
    assert tuple(f["function"]["name"] for f in offered) == USUAL


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ("{", "not JSON"),
        ("[]", "must be a JSON object"),
        ('{"user": "u00", "user": "u01"}', "twice"),
        ('{"user": NaN}', "NaN"),
        ("[" * 100_000, "JSON"),
        ("", "it takes user, n (optional), skip (optional)"),
    ],
)
def test_broken_arguments_are_answered(box: Toolbox, arguments: str, word: str) -> None:
    assert word in json.loads(call(box, "recommend", arguments))["error"]


def test_an_unknown_tool_is_answered_with_those_there_are(small_workspace: Workspace) -> None:
    box = Toolbox(WhyThis(small_workspace), ("explain", "audit"))
    assert json.loads(call(box, "recommend", "{}"))["error"].endswith("one of explain, audit")
    with pytest.raises(DataError, match="no tool 'explian'"):
        Toolbox(WhyThis(small_workspace), ("explian",))


@settings(max_examples=30, deadline=None)
@given(text=st.text(max_size=40), n=st.one_of(st.integers(), st.text(max_size=5), st.none()))
def test_whatever_is_sent_comes_back_as_one_line_of_json(box: Toolbox, text: str, n: Any) -> None:
    for arguments in (text, json.dumps({"user": text, "n": n})):
        told = call(box, "recommend", arguments)
        assert "\n" not in told
        assert set(json.loads(told)) <= {"error", "user", "items"}


def test_a_fixed_user_is_not_the_models_to_choose(small_workspace: Workspace) -> None:
    box = Toolbox(WhyThis(small_workspace), tuple(TABLE), {"user": USER})
    for function in (f["function"] for f in functions(box)):
        assert "user" not in function["parameters"]["properties"]
    assert json.loads(call(box, "recommend", "{}"))["user"] == USER
    assert "user: Extra" in json.loads(call(box, "recommend", '{"user": "u01"}'))["error"]


def test_a_long_answer_is_cut_and_says_how_to_go_on(small_workspace: Workspace) -> None:
    whole = Toolbox(WhyThis(small_workspace), tuple(TABLE), limit=None)
    box = Toolbox(WhyThis(small_workspace), tuple(TABLE), limit=1000)
    wanted = json.loads(call(whole, "recommend", '{"user": "u00", "n": 25}'))["items"]
    found: list[Any] = []
    while True:
        text = call(box, "recommend", json.dumps({"user": USER, "n": 25, "skip": len(found)}))
        assert len(text) <= 1000
        told = json.loads(text)
        found += told["items"]
        if "note" not in told:
            break
        assert told["left_out"] == len(wanted) - len(found)
        assert f"skip={len(found)}" in told["note"]
    assert found == wanted


def test_a_long_explanation_keeps_its_whole_answer(small_workspace: Workspace) -> None:
    assistant = WhyThis(small_workspace)
    item = assistant.recommend(USER, 1)[0].item
    asked = {"user": USER, "item": item}
    whole = Toolbox(assistant, limit=None).call("explain", asked).told.as_json()
    told = Toolbox(assistant, limit=1000).call("explain", asked).told.as_json()
    assert told["answer"] == whole["answer"]
    assert len(told["sentences"]) + told["left_out"] == len(whole["sentences"])
    assert "style short" in told["note"]


def test_titles_and_lists_in_strings_are_understood(box: Toolbox) -> None:
    rec = box.assistant.ws.recommender
    item = rec.recommend(USER, 1)[0].item
    liked = rec.item_ids.ids[int(rec.history(USER)[0])]
    asked = {"user": USER, "item": item, "forget": [liked]}
    loose = {**asked, "item": rec.title(item), "forget": json.dumps([rec.title(liked)])}
    assert call(box, "what_if", json.dumps(loose)) == call(box, "what_if", json.dumps(asked))
