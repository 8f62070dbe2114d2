"""Answer "why this?": gather evidence, offer claims, write, check, release what holds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from whythis.checker import Checked, Draft, Ledger, audit, check
from whythis.claims import PersonaEffect
from whythis.explanation import Dropped, Explanation, Metrics, PersonaBar, Sentence
from whythis.language import Language, load_language
from whythis.offer import offer
from whythis.realiser import Style, canonical, realise
from whythis.recsys.errors import LanguageModelError, ModelError
from whythis.tools import probes
from whythis.tools.evidence import Evidence
from whythis.tools.workspace import Workspace
from whythis.writer import Conversation, Writer

ROUNDS = 2
"""How often refused sentences go back to the writer with the reasons."""

_MUST = ("persona_effect", "history_effect", "review_quote")


@dataclass
class _Course:
    """Collect what happens on the way to one answer."""

    released: list[tuple[Checked, bool]] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    precision: float | None = None
    rounds: int = 0
    tokens: int = 0
    error: str | None = None
    ms: dict[str, float] = field(default_factory=dict)

    @property
    def told(self) -> set[str]:
        """Return the claims that released sentences tell."""
        return {id_ for one, _ in self.released for id_ in one.draft.claims}

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the time spent inside to a step's milliseconds."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = 1000 * (time.perf_counter() - start)
            self.ms[step] = round(self.ms.get(step, 0.0) + spent, 1)


def explain(
    ws: Workspace,
    user: str,
    item: str,
    *,
    writer: Writer | None = None,
    style: Style = "plain",
    seed: int = 0,
) -> Explanation:
    """Explain why an unseen item stands where it does for a user.

    Without a `writer`, or where it fails, the built-in realiser answers; the explanation says
    which. Raises `UnknownIdError` for unknown ids and `DataError` for an item already seen.
    """
    rec, language, course = ws.recommender, load_language(), _Course()
    talk: Conversation | None = None
    rec.candidate(user, item)
    title = rec.title(item)
    question = f"Why {title}?"
    with course.timed("evidence"):
        found = gather(ws, user, item)
    if writer is not None:
        with course.timed("agent"):
            talk = writer.begin(ws, user, item, question)
            found = _agent_evidence(talk, found, course)
    with course.timed("check"):
        ledger = audit(offer(found, user, item), item, ws)
    key = f"{seed}/{user}/{item}"
    if talk is not None and course.error is None:
        _written(talk, ledger, language, course, key)
    with course.timed("check"):
        _complete(ledger, language, course, key, style)
    return _record(ws, user, item, question, found, ledger, course, writer, seed)


def gather(ws: Workspace, user: str, item: str) -> tuple[Evidence, ...]:
    """Return the evidence that every answer to "why this?" rests on.

    Personas are told of where the recommender's model is known.
    """
    owned = ws.recommender.access == "owned"
    found = probes.personas(ws, user, item) if owned else ()
    found += probes.history(ws, user, item)
    if ws.reviews is not None:
        found += probes.reviews(ws, user, item)
    return found + probes.facts(ws, user, item)


def _agent_evidence(
    talk: Conversation, found: tuple[Evidence, ...], course: _Course
) -> tuple[Evidence, ...]:
    try:
        more = talk.gather()
    except LanguageModelError as error:
        course.error = str(error)
        return found
    course.tokens += more.tokens
    known = {(e.kind, e.source, str(e.value)) for e in found}
    return found + tuple(e for e in more.evidence if (e.kind, e.source, str(e.value)) not in known)


def _written(
    talk: Conversation,
    ledger: Ledger,
    language: Language,
    course: _Course,
    key: str,
) -> None:
    """Let the writer draft, hand refused sentences back, and keep what passes."""
    try:
        with course.timed("write"):
            written = talk.write(ledger)
        course.tokens += written.tokens
        checked = check(written.drafts, ledger, language)
        passed = sum(c.reason is None for c in checked)
        course.precision = passed / len(checked) if checked else 0.0
        refused = _keep(checked, course)
        while refused and course.rounds < ROUNDS:
            course.rounds += 1
            with course.timed("write"):
                written = talk.repair(ledger, refused)
            course.tokens += written.tokens
            said = {d.text for d in course.dropped}
            refused = _keep(check(written.drafts, ledger, language, course.told), course)
            if all(one.draft.text in said for one in refused):
                break  # the same words again: asking once more would not help
    except LanguageModelError as error:
        course.error = str(error)
        return
    for checked_ in refused:  # last resort: the canonical sentence of what it meant to tell
        for claim in checked_.draft.claims:
            told = claim in ledger.verified
            draft = canonical(claim, ledger, language, key=f"{key}/{claim}") if told else None
            if draft is not None:
                again = check([draft], ledger, language, course.told)
                course.released += [(c, False) for c in again if c.reason is None]


def _keep(checked: Sequence[Checked], course: _Course) -> list[Checked]:
    refused = []
    for one in checked:
        if one.reason is None:
            course.released.append((one, True))
        else:
            dropped = Dropped(text=one.draft.text, reason=one.reason)
            if dropped not in course.dropped:
                course.dropped.append(dropped)
            refused.append(one)
    return refused


def _complete(ledger: Ledger, language: Language, course: _Course, key: str, style: Style) -> None:
    """Add what every answer must have, without a writer the whole answer; order by importance."""
    kinds = {ledger.verified[i].claim.kind for i in course.told}
    missing = set(_MUST) - kinds
    plan = realise(ledger, language, key=key, style=style)
    if course.released:
        plan = [draft for draft in plan if _kind(draft, ledger) in missing]
    added = check(plan, ledger, language, course.told)
    course.released += [(one, False) for one in added if one.reason is None]
    telling = realise(ledger, language, key=key, style="detailed")
    order = {claim: n for n, draft in enumerate(telling) for claim in draft.claims}
    course.released.sort(key=lambda r: min(order.get(c, len(order)) for c in r[0].draft.claims))


def _kind(draft: Draft, ledger: Ledger) -> str:
    return ledger.verified[draft.claims[0]].claim.kind


def _record(
    ws: Workspace,
    user: str,
    item: str,
    question: str,
    found: tuple[Evidence, ...],
    ledger: Ledger,
    course: _Course,
    writer: Writer | None,
    seed: int,
) -> Explanation:
    sentences: list[Sentence] = []
    answer = ""
    for one, by_model in course.released:
        if one.text is None:
            raise ModelError(f"the draft {one.draft.text[:60]!r} was released unchecked")
        start = len(answer) + (1 if answer else 0)
        answer = f"{answer} {one.text}".strip()
        sentences.append(
            Sentence(
                text=one.text,
                start=start,
                end=len(answer),
                claims=one.draft.claims,
                writer="model" if by_model else "realiser",
            )
        )
    cited = {id_ for s in sentences for id_ in s.claims}
    claims = tuple(ledger.verified[i].claim for i in ledger.verified if i in cited)
    needed = {e for c in claims for e in c.evidence}
    used = any(s.writer == "model" for s in sentences)
    return Explanation(
        user=user,
        item=item,
        title=ws.recommender.title(item),
        question=question,
        model_hash=ws.recommender.hashes["model"],
        data_hash=ws.recommender.hashes["data"],
        prompt=writer.prompt if writer is not None else None,
        llm=writer.name if writer is not None and used else "none",
        llm_error=course.error,
        seed=seed,
        answer=answer,
        sentences=tuple(sentences),
        claims=claims,
        verdicts={c.id: ledger.verdicts[c.id] for c in claims},
        evidence=tuple(e for e in found if e.id in needed or e.kind == "persona_effect"),
        dropped=tuple(course.dropped),
        personas=_bars(found),
        metrics=Metrics(
            claim_precision_draft=course.precision,
            coverage=_coverage(found, [ledger.verified[i].claim for i in cited]),
            rounds=course.rounds,
            tokens=course.tokens,
            ms=course.ms,
        ),
    )


def _bars(found: Sequence[Evidence]) -> tuple[PersonaBar, ...]:
    seen = {str(e.value["persona"]): e.value for e in found if e.kind == "persona_effect"}
    return tuple(
        PersonaBar.model_validate(
            {key: value[key] for key in ("name", "share", "effect", "titles")}
        )
        for value in seen.values()
    )


def _coverage(found: Sequence[Evidence], told: Sequence[object]) -> float:
    """Return the part of all persona effects, by size, that the answer tells."""
    sizes = {
        e.value["persona"]: abs(float(e.value["effect"]))  # type: ignore[arg-type]
        for e in found
        if e.kind == "persona_effect"
    }
    total = sum(sizes.values())
    shown = sum(sizes.get(c.subject.persona, 0.0) for c in told if isinstance(c, PersonaEffect))
    return min(1.0, shown / total) if total else 0.0
