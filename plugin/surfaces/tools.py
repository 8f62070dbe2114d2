"""Offer one table of tools to every assistant: four that answer, and every probe.

A `Toolbox` checks arguments, binds some of them, runs a tool and keeps its answer small. What
OpenAI, LangChain and MCP clients meet is made from it; none of them does more than translate.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic.fields import FieldInfo

from whythis.conversation.assistant import WhyThis
from whythis.conversation.session import Session
from whythis.recsys.errors import DataError, UnknownIdError
from whythis.strict_json import strict_json
from whythis.surfaces import results
from whythis.surfaces.results import Told
from whythis.text.realiser import Style
from whythis.tools.evidence import Evidence
from whythis.tools.table import TOOLS, Listing, OfPair, OfUser

LIMIT = 12_000
"""Characters that an answer takes at most: some three thousand tokens."""

USUAL = ("recommend", "explain", "ask", "audit", "profile", "what_if", "reviews", "compare")
"""What an assistant is offered unless others are named."""

_SPARE = 200  # characters of the note that something was cut
_ITEMS = ("item", "other")  # arguments that may be titles
_NOTES = {
    "explain": "the claims behind the last sentences were left out: ask with style short",
    "audit": "the last sentences were left out: audit the text in shorter parts",
}


class _Open(BaseModel):
    """Take arguments as assistants send them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        """Drop a null that stands for a default; read a list that came as JSON in a string."""
        if not isinstance(given, Mapping):
            return given
        return {
            key: _listed(value) if _is_list(cls.model_fields.get(key)) else value
            for key, value in given.items()
            if value is not None
            or key not in cls.model_fields
            or cls.model_fields[key].is_required()
        }


def _is_list(info: FieldInfo | None) -> bool:
    return info is not None and get_origin(info.annotation) is tuple


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return found if isinstance(found, list) else value
    return value


class Explaining(OfPair):
    """Say how much to tell."""

    style: Style = Field("plain", description="how much to say")


class Questioning(OfUser):
    """Ask in plain words."""

    question: str = Field(
        min_length=1, max_length=2000, description="the user's question, complete in itself"
    )
    session: str | None = Field(
        None, max_length=20_000, description="`session` of the answer before, as it stood there"
    )


class Auditing(OfPair):
    """Give a text to judge."""

    text: str = Field(min_length=1, max_length=50_000, description="what was said of the item")


@dataclass(frozen=True)
class Answer:
    """Hold what a tool found: what the assistant is told, and the records it was made from."""

    told: Told
    records: Any


@dataclass(frozen=True)
class SurfaceTool:
    """Hold a tool as an assistant meets it; `edits`: it may change what is known of the user."""

    name: str
    description: str
    args: type[BaseModel]
    tells: type[Told]
    run: Callable[..., Answer]
    edits: bool = False


def _recommend(assistant: WhyThis, user: str, n: int) -> Answer:
    found = assistant.recommend(user, n)
    return Answer(results.ranking(user, found), found)


def _explain(assistant: WhyThis, user: str, item: str, style: Style) -> Answer:
    found = assistant.explain(user, item, style=style)
    return Answer(results.explained(found), found)


def _audit(assistant: WhyThis, user: str, item: str, text: str) -> Answer:
    found = assistant.audit(user, item, text)
    return Answer(results.audited(found), found)


def _ask(assistant: WhyThis, user: str, question: str, session: str | None) -> Answer:
    before = None if session is None else Session.from_json(strict_json(session))
    found = assistant.ask(user, question, before)
    return Answer(results.replied(found), found)


def _probe(run: Callable[..., tuple[Evidence, ...]]) -> Callable[..., Answer]:
    def probe(assistant: WhyThis, **args: Any) -> Answer:
        found = run(assistant.ws, **args)
        return Answer(results.findings(found), found)

    return probe


TABLE: Mapping[str, SurfaceTool] = {
    tool.name: tool
    for tool in (
        SurfaceTool(
            "recommend",
            "List the user's best unseen items with ids and titles.",
            Listing,
            results.Ranking,
            _recommend,
        ),
        SurfaceTool(
            "explain",
            "Answer why an item is recommended to the user, or why it is not. Every sentence of "
            "`answer` was checked: pass it on word for word.",
            Explaining,
            results.Explained,
            _explain,
        ),
        SurfaceTool(
            "ask",
            "Answer any other question about the user's recommendations, tastes and history, or "
            "correct what is known of the user. Every sentence of `answer` was checked: pass it "
            "on word for word.",
            Questioning,
            results.Replied,
            _ask,
            edits=True,
        ),
        SurfaceTool(
            "audit",
            "Check a text about why an item is recommended, sentence by sentence. Use it on what "
            "you mean to say in your own words.",
            Auditing,
            results.Audited,
            _audit,
        ),
        *(
            SurfaceTool(t.name, t.description, t.args, results.Findings, _probe(t.run))
            for t in TOOLS.values()
        ),
    )
}


@dataclass(frozen=True, eq=False)
class Toolbox:
    """Offer tools over one assistant.

    names: of the tools offered, in their order. bound: arguments that are fixed, for example
    `{"user": "42"}`: then they are not in the schemas, and nobody else can be asked about. limit:
    characters an answer takes at most; None: answers are never cut, and no tool has `skip`.
    """

    assistant: WhyThis
    names: Sequence[str] = USUAL
    bound: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = LIMIT

    def __post_init__(self) -> None:
        """Raise `DataError` for a name that no tool has."""
        for name in self.names:
            _known(name, TABLE)

    @property
    def tools(self) -> tuple[SurfaceTool, ...]:
        """Return the tools offered, with the arguments that are left to choose."""
        return tuple(self._opened(TABLE[name]) for name in self.names)

    def call(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        """Run a tool; an argument that is None where None means nothing takes its default.

        Raises `WhyThisError`, in one line that says what to do instead, for an unknown tool, for
        arguments that do not fit, and for whatever the tool refuses.
        """
        tool = self._opened(TABLE[_known(name, self.names)])
        try:
            found = tool.args.model_validate(arguments)
        except ValidationError as error:
            raise bad_arguments(tool, error) from None
        given = {key: getattr(found, key) for key in tool.args.model_fields}
        skip = given.pop("skip", 0)
        wanted = TABLE[name].args.model_fields
        given |= {key: value for key, value in self.bound.items() if key in wanted}
        ids = self.assistant.ws.recommender.item_ids
        given |= {k: ids.resolve(given[k]) for k in _ITEMS if given.get(k) is not None}
        answer = tool.run(self.assistant, **given)
        if self.limit is None:
            return answer
        return Answer(_cut(name, answer.told, skip, self.limit), answer.records)

    def may(self, user: str) -> None:
        """Raise `UnknownIdError` where the tools are bound to somebody else."""
        if user != self.bound.get("user", user):
            raise UnknownIdError(
                f"user {user[:60]!r} is not served here, only {self.bound['user']!r}"
            )

    def _opened(self, tool: SurfaceTool) -> SurfaceTool:
        fields: dict[str, Any] = {
            name: (info.annotation, _titled(info) if name in _ITEMS else info)
            for name, info in tool.args.model_fields.items()
            if name not in self.bound
        }
        if self.limit is not None and "n" in fields:
            skip = Field(0, ge=0, le=1000, description="leave out so many, told before")
            fields["skip"] = (int, skip)
        return replace(tool, args=create_model(tool.args.__name__, __base__=_Open, **fields))


def _titled(info: FieldInfo) -> FieldInfo:
    named = copy(info)
    named.description = "item id or exact title"
    return named


def _known(name: str, names: Iterable[str]) -> str:
    if name not in names:
        raise DataError(f"there is no tool {name[:60]!r}: call one of {', '.join(names)}")
    return name


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return a model's JSON schema without the titles that repeat its names."""
    found: dict[str, Any] = _untitled(model.model_json_schema())
    return found


def _untitled(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_untitled(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _untitled(of) for name, of in part.items()}
        if key in ("properties", "$defs")
        else _untitled(part)
        for key, part in schema.items()
        if key != "title"
    }


def bad_arguments(tool: SurfaceTool, error: ValidationError) -> DataError:
    """Return in one line what is wrong with a tool's arguments, and which ones it takes."""
    wrong = "; ".join(
        f"{'.'.join(map(str, e['loc']))[:60]}: {e['msg']}"
        for e in error.errors(include_url=False, include_context=False, include_input=False)[:5]
    )
    takes = ", ".join(
        key if info.is_required() else f"{key} (optional)"
        for key, info in tool.args.model_fields.items()
    )
    return DataError(f"these are no arguments for {tool.name}: {wrong}; it takes {takes or 'none'}")


def _cut(name: str, told: Told, skip: int, limit: int) -> Told:
    """Return an answer without its first `skip` entries and no longer than the limit.

    One entry always stays, however long it is.
    """
    if name == "ask":
        return told
    entries: Sequence[Any] = getattr(told, told.listed)[skip:]
    kept = len(entries)
    size = len(told.model_copy(update={told.listed: entries}).as_text())
    limit -= _SPARE if size > limit else 0
    while size > limit and kept > 1:
        kept -= 1
        size -= len(entries[kept].model_dump_json())
    update: dict[str, JsonValue | Sequence[Any]] = {told.listed: entries[:kept]}
    if kept < len(entries):
        note = _NOTES.get(name)
        if note is None and "n" in TABLE[name].args.model_fields:
            note = f"the answer was too long: call {name} again with skip={skip + kept} for more"
        update |= {"left_out": len(entries) - kept, "note": note}
    return told.model_copy(update=update)
