"""Load recommenders, language models and checkers of other packages, each by the name asked for.

A package offers them as entry points of the groups in `GROUPS`. Nothing of it is imported before
its name is asked for. It then runs in this process: ask only for packages that you trust.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import parse_qsl

from whythis.recsys.errors import (
    DataError,
    LanguageModelError,
    MissingPartError,
    UnknownIdError,
    WhyThisError,
)
from whythis.recsys.interactions import REVIEW_COLUMNS, Dataset, clean_line, shown

if TYPE_CHECKING:
    from whythis.claims.kinds import Claim
    from whythis.explanation import PromptRef
    from whythis.text.checker import Checked, Ledger, Veto
    from whythis.tools.workspace import Workspace
    from whythis.writers.writer import Conversation, Gathered, Writer, Written

Kind = Literal["recommender", "language model", "checker"]
GROUPS: Mapping[Kind, str] = {
    "recommender": "whythis.recommenders",
    "language model": "whythis.language_models",
    "checker": "whythis.checkers",
}
_T = TypeVar("_T")


@dataclass(frozen=True)
class Extension:
    """Hold what a package offers under a name, and the options it was asked for with."""

    kind: Kind
    name: str
    package: str
    version: str
    value: Callable[..., Any]
    options: Mapping[str, str]

    @property
    def label(self) -> str:
        """Return the name with its package, version and options, for records and messages."""
        options = "".join(f", {key}={value}" for key, value in self.options.items())
        return clean_line(f"{self.name} ({self.package} {self.version}{options})")

    def call(self, *args: Any) -> Any:
        """Return what it makes of the arguments and options.

        Raises `MissingPartError` naming the package, whatever it raised.
        """
        try:
            return self.value(*args, **self.options)
        except WhyThisError:
            raise
        except Exception as error:
            raise MissingPartError(
                f"{self.kind} {self.label} cannot be made: {_line(error)}; mend its options or "
                f"update the package {self.package}"
            ) from error


def names(kind: Kind) -> tuple[str, ...]:
    """Return the names that installed packages offer; nothing of them is imported."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUPS[kind])}))


def load(kind: Kind, asked: str) -> Extension:
    """Import what is installed under `NAME` or `NAME?option=value&option=value`.

    Raises:
        DataError: options that cannot be read, or several packages that offer the name.
        UnknownIdError: no installed package offers it.
        MissingPartError: the package that offers it cannot be imported.
    """
    name, _, query = asked.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        pairs = [("", "")]
    options = dict(pairs)
    if not all(map(str.isidentifier, options)) or len(options) != len(pairs):
        raise DataError(f"{kind} {shown(asked)}: write NAME?option=value&option=value, each once")
    found = tuple(entry_points(group=GROUPS[kind], name=name))
    if not found:
        there = ", ".join(names(kind)) or "none"
        raise UnknownIdError(
            f"no installed package offers the {kind} {shown(name)} (there is: {there}): install "
            f"one with an entry point of that name in the group {GROUPS[kind]}"
        )
    packages = sorted({_package(entry)[0] for entry in found})
    if len(packages) > 1:
        raise DataError(
            f"the packages {' and '.join(packages)} both offer the {kind} {shown(name)}: uninstall "
            "one of them"
        )
    package, version = _package(found[0])
    try:
        value = found[0].load()
    except Exception as error:
        raise MissingPartError(
            f"{kind} {shown(name)} of the package {package} {version} cannot be imported: "
            f"{_line(error)}; reinstall or update it"
        ) from error
    if not callable(value):
        raise MissingPartError(
            f"{kind} {shown(name)} of the package {package} {version} is {_kind(value)}, which "
            "cannot be called: update the package"
        )
    return Extension(kind, name, package, version, value, options)


def recommended_by(ws: Workspace, asked: str) -> Workspace:
    """Return the workspace with another package's recommender over its data and reviews.

    The entry point is called with the data (a `Dataset` without reviews) and its options, and
    returns `scores`: a function that gets the ids of a user's liked items, oldest first, and
    returns one number for each item of the data. It is explained as a black box. What users
    corrected in the data holds for it too.

    Raises as `load`, and `ModelError` where its scores cannot be used.
    """
    import pandas as pd

    from whythis.recsys.blackbox import black_box

    found, rec = load("recommender", asked), ws.recommender
    data = Dataset(
        name=found.name,
        interactions=rec.interactions.copy(),
        items=rec.items.copy(),
        reviews=pd.DataFrame(columns=list(REVIEW_COLUMNS)),
        like=rec.like,
    )
    scores = found.call(data)
    if not callable(scores):
        raise MissingPartError(
            f"recommender {found.label} made {_kind(scores)}: it must make a function from a "
            f"history to scores; update the package {found.package}"
        )
    box = black_box(data, scores, name=found.label)
    hashes = {"model": box.hashes["model"], "data": rec.hashes["data"]}
    box = replace(box, hashes=hashes, withheld=rec.withheld)
    return replace(ws, recommender=box, refits=None)


def open_any_writer(
    llm: str,
    *,
    model: str | None = None,
    base_url: str | None = None,
    seed: int = 0,
    retries: int = 1,
) -> Writer | None:
    """Open who words the answers: `local`, `openai` or an extension; `none` is None.

    Raises:
        DataError: options that do not apply to this kind.
        MissingPartError: the model, or a package it needs, is not here.
    """
    if llm not in ("local", "openai") and model is not None:
        raise DataError(f"--model {model} needs --llm local or --llm openai")
    if llm != "openai" and base_url is not None:
        raise DataError(f"--base-url {base_url} needs --llm openai")
    if llm == "none":
        return None
    from whythis.writers.agent import open_writer

    if llm == "local":
        return open_writer("local", model=model, seed=seed)
    if llm == "openai":
        return open_writer("openai", model=model, base_url=base_url, seed=seed, retries=retries)
    return language_model(llm)


def language_model(asked: str) -> Writer:
    """Return another package's language model as a writer; what it writes is checked like any.

    The entry point is called with its options and returns a chat model of LangChain or a
    `whythis.writers.writer.Writer`. Raises as `load`.
    """
    from langchain_core.language_models import BaseChatModel

    from whythis.writers.agent import AgentWriter

    found = load("language model", asked)
    made = found.call()
    if isinstance(made, BaseChatModel):
        tools = type(made).bind_tools is not BaseChatModel.bind_tools
        return AgentWriter(made, found.label, looks=int(tools))
    if not callable(getattr(made, "begin", None)):
        raise MissingPartError(
            f"language model {found.label} made {_kind(made)}: it must make a chat model of "
            f"LangChain or a Writer; update the package {found.package}"
        )
    return _ForeignWriter(made, found.label)


def checker(asked: str) -> Veto:
    """Return another package's checker as a veto on sentences.

    The entry point itself is the checker: it gets a sentence as it would be shown and the claims
    that it cites, and returns the reason why it may not be said, or None. It can refuse what the
    rules passed, never pass what they refused. Where it raises or returns anything else, the
    sentence is refused.

    Raises as `load`.
    """
    found = load("checker", asked)

    def veto(text: str, claims: Sequence[Claim]) -> str | None:
        try:
            reason = found.value(text, tuple(claims), **found.options)
        except Exception as error:  # noqa: BLE001  # somebody else's code: whatever it raises refuses
            return f"checker {found.label} failed: {_line(error)}"
        if reason is None:
            return None
        if not isinstance(reason, str):
            return f"checker {found.label} returned {_kind(reason)}, neither a text nor None"
        return f"checker {found.label}: {clean_line(reason)[:200] or 'it gives no reason'}"

    return veto


class _ForeignWriter:
    """Keep what somebody else's writer raises or returns from ending an answer."""

    def __init__(self, writer: Writer, label: str) -> None:
        self._writer = writer
        self.name = label

    @property
    def prompt(self) -> PromptRef | None:
        with _failing_softly(self.name):
            return self._writer.prompt

    def begin(self, ws: Workspace, user: str, item: str, question: str) -> _ForeignTalk:
        def begun() -> Conversation:
            return self._writer.begin(ws, user, item, question)

        return _ForeignTalk(begun, self.name)


class _ForeignTalk:
    def __init__(self, begin: Callable[[], Conversation], label: str) -> None:
        self._begin = begin
        self._talk: Conversation | None = None
        self._label = label

    def gather(self) -> Gathered:
        from whythis.writers.writer import Gathered

        with _failing_softly(self._label):
            self._talk = self._begin()
            return _of(Gathered, self._talk.gather())

    def write(self, ledger: Ledger) -> Written:
        from whythis.writers.writer import Written

        with _failing_softly(self._label):
            assert self._talk is not None
            return _whole(_of(Written, self._talk.write(ledger)))

    def repair(self, ledger: Ledger, refused: Sequence[Checked]) -> Written:
        from whythis.writers.writer import Written

        with _failing_softly(self._label):
            assert self._talk is not None
            return _whole(_of(Written, self._talk.repair(ledger, refused)))


def _of(wanted: type[_T], made: object) -> _T:
    if not isinstance(made, wanted):
        raise TypeError(f"it returned {_kind(made)}, not {wanted.__name__}")
    return made


def _whole(written: Written) -> Written:
    from whythis.text.checker import Draft

    for draft in written.drafts:
        texts = (draft.text, *draft.claims) if isinstance(draft, Draft) else (draft,)
        if not all(isinstance(text, str) for text in texts) or len(texts) < 2:
            raise TypeError(f"it drafted {_kind(draft)} that is no text with the claims it cites")
    return written


@contextmanager
def _failing_softly(label: str) -> Iterator[None]:
    try:
        yield
    except WhyThisError:
        raise
    except Exception as error:
        raise LanguageModelError(f"the language model {label} failed: {_line(error)}") from error


def _package(entry: EntryPoint) -> tuple[str, str]:
    if entry.dist is None:
        return "unknown", "0"
    return clean_line(entry.dist.name), clean_line(entry.dist.version)


def _line(error: Exception) -> str:
    return f"{type(error).__name__}, {shown(clean_line(str(error)), 120)}"


def _kind(value: object) -> str:
    return f"an object of type {shown(type(value).__name__)[1:-1]}"
