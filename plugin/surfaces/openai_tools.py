"""Offer the tools as OpenAI functions: strict schemas, and a dispatcher that answers with JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from whythis.recsys.errors import DataError, WhyThisError
from whythis.strict_json import shown_json, strict_json
from whythis.surfaces.tools import SurfaceTool, Toolbox, schema_of

Api = Literal["chat", "responses"]

# What strict mode does not take; the dispatcher checks it all the same.
_REFUSED = ("default", "minLength", "maxLength")


def functions(box: Toolbox, api: Api = "chat") -> list[dict[str, Any]]:
    """Return the tools as `tools=` takes them: of Chat Completions, or of the Responses API.

    Strict mode wants every argument required, so one that may be left out may be null.
    """
    found = [
        {
            "name": tool.name,
            "description": tool.description,
            "parameters": strict_schema(tool),
            "strict": True,
        }
        for tool in box.tools
    ]
    if api == "responses":
        return [{"type": "function", **function} for function in found]
    return [{"type": "function", "function": function} for function in found]


def call(box: Toolbox, name: str, arguments_json: str) -> str:
    """Run the function a model called, and return what it is to read: one line of JSON.

    A mistake of the model's, such as an unknown id, comes back as `{"error": ...}` in words that
    say what to do instead. What is nobody's mistake here, such as a broken artefact, does too.
    """
    try:
        arguments = strict_json(arguments_json or "{}")
        if not isinstance(arguments, dict):
            raise DataError(f"the arguments of {name[:60]} must be a JSON object")
        return box.call(name, arguments).told.as_text()
    except WhyThisError as error:
        return shown_json({"error": str(error)})


def strict_schema(tool: SurfaceTool) -> dict[str, Any]:
    """Return the JSON schema of a tool's arguments in the form that strict mode takes."""
    whole = schema_of(tool.args)
    properties = {
        name: _plain(part, optional=name not in whole.get("required", ()))
        for name, part in whole.get("properties", {}).items()
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _plain(part: Mapping[str, Any], *, optional: bool) -> dict[str, Any]:
    """Return one argument's schema without what is refused; an optional one may be null."""
    variants = [v for v in part.get("anyOf", ()) if v.get("type") != "null"]
    kept = {key: value for key, value in part.items() if key not in (*_REFUSED, "anyOf")}
    for variant in variants[:1]:
        kept |= {key: value for key, value in variant.items() if key not in _REFUSED}
    if "items" in kept:
        kept["items"] = _plain(kept["items"], optional=False)
    if optional:
        kept["type"] = [kept["type"], "null"]
        if "enum" in kept:
            kept["enum"] = [*kept["enum"], None]
        kept["description"] = f"{kept['description']}; null: {_default(part)}"
    return kept


def _default(part: Mapping[str, Any]) -> str:
    default = part.get("default")
    return "none" if default is None else str(default)
