"""Answer "why this?": gather evidence, offer claims, write, check, release what holds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from whythis.claims.kinds import RankFact
from whythis.claims.offer import offer
from whythis.claims.slots import titled
from whythis.code_hash import code_hash
from whythis.explanation import Dropped, Explanation, Metrics, Sentence, bars, coverage
from whythis.recsys.errors import LanguageModelError, ModelError
from whythis.text.checker import Checked, Ledger, Veto, check, examine
from whythis.text.language import Language, load_language
from whythis.text.realiser import Style, order, realise
from whythis.text.wording import in_words
from whythis.text.words import Cited
from whythis.tools import probes
from whythis.tools.aspect_probes import aspects, own_aspects
from whythis.tools.evidence import Evidence
from whythis.tools.ladder import rests_on
from whythis.tools.workspace import Workspace
from whythis.writers.opinion import DOUBT, Opinion
from whythis.writers.writer import Conversation, Writer

ROUNDS = 2
"""How often refused sentences go back to the writer with the reasons."""

_MUST = ("basis", "circle", "persona_effect", "history_effect", "review_quote")


@dataclass
class _Course:
    """Collect what happens on the way to one answer."""

    released: list[tuple[Checked, bool]] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    precision: float | None = None
    rounds: int = 0
    tokens: int = 0
    tried: set[str] = field(default_factory=set)  # claims that only refused sentences told
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
    second_opinion: Opinion | None = None,
    vetoes: Sequence[Veto] = (),
) -> Explanation:
    """Explain why an unseen item stands where it does for a user.

    Without a `writer`, or where it fails, the built-in realiser answers; the explanation says
    which. `second_opinion` may take away what the writer said and the rules passed, see
    `whythis.writers.opinion`; the realiser then says it. `vetoes` may refuse any sentence that the
    rules passed, the realiser's too (`whythis.extending.checker`). Raises `UnknownIdError` for
    unknown ids and `DataError` for an item already seen.
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
        examined = examine(offer(found, user, item), item, ws)
        ledger = replace(examined, style=style, vetoes=vetoes)
    if talk is not None and course.error is None:
        _written(talk, ledger, language, course)
        if second_opinion is not None:
            _doubted(second_opinion, ledger, course, ws)
    with course.timed("check"):
        _complete(ledger, language, course, f"{seed}/{user}")
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
    if ws.opinions is not None:
        found += aspects(ws, user, item, 5) + own_aspects(ws, user, item, 1)
    return found + probes.facts(ws, user, item) + rests_on(ws, user, item)


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


def _written(talk: Conversation, ledger: Ledger, language: Language, course: _Course) -> None:
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
    course.tried = {claim for one in refused for claim in one.draft.claims}


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


def _doubted(opinion: Opinion, ledger: Ledger, course: _Course, ws: Workspace) -> None:
    """Take away what the opinion strongly doubts; it is tried again by the realiser."""
    kept = []
    for one, by_model in course.released:
        cited = [ledger.verified[id_].claim for id_ in one.draft.claims]
        said = ["".join(in_words(c, titled(c, ws.recommender))) for c in cited]
        try:
            with course.timed("opinion"):
                likely = opinion(f"{ledger.title}: {'; '.join(said)}", one.text or "")
        except LanguageModelError as error:
            course.error = str(error)
            return
        if likely < DOUBT:
            reason = f"a second opinion finds it true with probability {likely:.2f} only"
            course.dropped.append(Dropped(text=one.draft.text, reason=reason))
            course.tried |= set(one.draft.claims)
        else:
            kept.append((one, by_model))
    course.released = kept


def _complete(ledger: Ledger, language: Language, course: _Course, key: str) -> None:
    """Add what every answer must have, without a writer the whole answer; order by importance.

    Every answer has the main effect, the effect of past likes, a voice from the reviews, and what
    its style tells of further causes; where a writer failed to tell a claim, code tells it.
    """
    told = course.told
    missing = set(_MUST) - {ledger.verified[i].claim.kind for i in told}
    ranks = [c.claim.value.rank for c in ledger.verified.values() if isinstance(c.claim, RankFact)]
    place = ranks[0] - 1 if ranks else 0
    drafts = realise(ledger, language, key=key, style=ledger.style, place=place, told=told)
    if told:
        drafts = [
            draft
            for draft in drafts
            if ledger.verified[draft.claims[0]].claim.kind in missing
            or course.tried & set(draft.claims)
            or all(_speaks_for(ledger.verified[id_]) for id_ in draft.claims)
        ]
    added = check(drafts, ledger, language, told)
    course.released += [(one, False) for one in added if one.reason is None]
    vetoed = [(one.draft.text, one.reason) for one in added if one.vetoed and one.reason]
    course.dropped += [Dropped(text=text, reason=reason) for text, reason in vetoed]
    telling = order(ledger)
    course.released.sort(key=lambda r: min(telling.get(c, len(telling)) for c in r[0].draft.claims))


def _speaks_for(cited: Cited) -> bool:
    return cited.claim.kind in ("persona_effect", "persona_items") and "sign:-" not in cited.traits


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
                draft=one.draft.text,
                start=start,
                end=len(answer),
                claims=one.draft.claims,
                writer="model" if by_model else "realiser",
            )
        )
    cited = {id_ for s in sentences for id_ in s.claims}
    claims = tuple(ledger.verified[i].claim for i in ledger.verified if i in cited)
    about = [e for e in found if _of_pair(e, user, item)]
    needed = {e for c in claims for e in c.evidence}
    used = any(s.writer == "model" for s in sentences)
    return Explanation(
        user=user,
        item=item,
        title=ws.recommender.title(item),
        question=question,
        model_hash=ws.recommender.hashes["model"],
        data_hash=ws.recommender.hashes["data"],
        code_hash=code_hash(),
        prompt=writer.prompt if writer is not None else None,
        llm=writer.name if writer is not None and used else "none",
        llm_error=course.error,
        seed=seed,
        answer=answer,
        sentences=tuple(sentences),
        claims=claims,
        verdicts={c.id: ledger.verdicts[c.id] for c in claims},
        evidence=tuple(e for e in about if e.id in needed or e.kind == "persona_effect"),
        dropped=tuple(course.dropped),
        personas=bars(about),
        metrics=Metrics(
            claim_precision_draft=course.precision,
            coverage=coverage(about, claims),
            rounds=course.rounds,
            tokens=course.tokens,
            ms=course.ms,
        ),
    )


def _of_pair(record: Evidence, user: str, item: str) -> bool:
    """Return whether a probe that asked about a user or an item asked about this one."""
    args = record.probe.args
    return args.get("user", user) == user and args.get("item", item) == item
