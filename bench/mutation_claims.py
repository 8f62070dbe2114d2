"""Make the claims and the evidence of a saved explanation false."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from whythis.bench.falsehoods import Scene, falsehoods
from whythis.bench.mutation_forgery import (
    Answer,
    Forgeries,
    Record,
    added,
    forged,
    fresh,
    of_kind,
    resaid,
    sourced,
)
from whythis.bench.mutation_texts import mutants

_RANKS = frozenset(
    {"rank", "rank_before", "rank_after", "rank_without_history", "rank_alone", "other_rank"}
)

_COUNTS = frozenset(
    {"count", "liked", "sentences", "favourable", "critical", "of", "place"}
    | {"positive", "negative", "seen", "likes", "reviews"}
    | {"size", "everyone", "users", "refits", "raised"}
)

_LEVELS = ("exact", "executed", "refit", "observed")


def swapped_item(answer: Answer, scene: Scene) -> Forgeries:
    """Put another item in the record, in all claims, or in one; nothing told is true of it."""
    truth = answer.truth
    if (other := scene.one(list(truth.others(None)))) is None:
        return
    title = truth.ws.recommender.title(other)
    record = fresh(answer)
    record |= {"item": other, "title": title}
    yield record, "the record is of another item than its claims"
    record = fresh(answer)
    for claim in record["claims"].values():
        claim["subject"]["item"] = other
    yield record, f"the claims are true of {truth.title}, not of {title}"
    record = copy.deepcopy(record)
    record |= {"item": other, "title": title, "question": f"Why {title}?"}
    yield record, f"all of it is true of {truth.title}, not of {title}"
    record = fresh(answer)
    id_ = scene.pick(list(record["claims"]))
    record["claims"][id_]["subject"]["item"] = other
    yield record, f"{id_} is about another item"


def swapped_persona(answer: Answer, scene: Scene) -> Forgeries:
    """Let a claim about a taste name another one: by number, by name, or both, text included."""
    for id_, claim in _with_persona(answer):
        taste = answer.truth.taste(claim["value"].get("name", ""))
        free = [t for t in answer.truth.tastes if t != taste]
        if taste is None or not free:
            continue
        other = scene.pick(free)
        record = fresh(answer)
        record["claims"][id_]["subject"]["persona"] = other.persona
        yield record, f"{id_} has the number of the taste for {other.name}"
        record = fresh(answer)
        record["claims"][id_]["value"]["name"] = other.name
        yield record, f"{id_} has the name of the taste for {other.name}"
        record = copy.deepcopy(record)
        record["claims"][id_]["subject"]["persona"] = other.persona
        yield resaid(record, id_, taste.name, other.name), f"{id_} is told of {other.name}"


def invented_persona(answer: Answer, scene: Scene) -> Forgeries:
    """Let a claim name a taste that nobody has, by name or by number."""
    for id_, claim in _with_persona(answer):
        name = scene.pick(falsehoods().tastes)
        record = fresh(answer)
        record["claims"][id_]["value"]["name"] = name
        yield resaid(record, id_, claim["value"]["name"], name), "there is no such taste"
        record = fresh(answer)
        record["claims"][id_]["subject"]["persona"] = 99
        yield record, "there is no persona 99"


def flipped_sign(answer: Answer, _scene: Scene) -> Forgeries:
    """Turn an effect round: its sign, or its ranks."""
    for id_, claim in of_kind(answer, "persona_effect", "persona_comparison"):
        for deep in (False, True):
            value = -claim["value"]["effect"]
            yield forged(answer.saved, id_, "effect", value, deep), "the effect has the other sign"
    for id_, claim in of_kind(answer, "persona_effect", "history_effect"):
        value = claim["value"]
        before, after = value["rank_before"], value["rank_after"]
        if after is not None and before != after:
            record = fresh(answer)
            record["claims"][id_]["value"] |= {"rank_before": after, "rank_after": before}
            yield record, f"the ranks {before} and {after} are exchanged"


def shifted_number(answer: Answer, _scene: Scene) -> Forgeries:
    """Shift every number that is neither a rank nor a count, by little and by much."""
    yield from _shifted(answer, lambda field: field not in _RANKS | _COUNTS)
    for id_, claim in answer.saved["claims"].items():
        value = claim["value"]
        if "outside" in value and value["rank_after"] is not None:
            top = value["rank_after"] if value["outside"] else value["rank_after"] - 1
            if top >= 1:
                yield (
                    forged(answer.saved, id_, "top", top, deep=False),
                    "it is not so with that top",
                )
            outside = not value["outside"]
            yield forged(answer.saved, id_, "outside", outside, deep=False), "it is the other way"


def changed_rank(answer: Answer, _scene: Scene) -> Forgeries:
    """Change every rank by one and by much."""
    yield from _shifted(answer, lambda field: field in _RANKS)


def false_count(answer: Answer, _scene: Scene) -> Forgeries:
    """Change every count by one and by much."""
    yield from _shifted(answer, lambda field: field in _COUNTS)


def others_evidence(answer: Answer, scene: Scene) -> Forgeries:
    """Put the evidence, claims or sentences of another user in."""
    theirs = [o for o in answer.others if o.saved["user"] != answer.saved["user"]]
    if (other := scene.one(theirs)) is None:
        return
    record = fresh(answer)
    record["evidence"] = copy.deepcopy(other.saved["evidence"])
    yield record, "the evidence is another user's"
    record = fresh(answer)
    for claim in record["claims"].values():
        claim["evidence"] = [next(iter(other.saved["evidence"]))]
    record["evidence"] |= copy.deepcopy(other.saved["evidence"])
    yield record, "the claims cite another user's evidence"
    for id_, claim in answer.saved["claims"].items():
        same = [c for c in other.saved["claims"].values() if c["kind"] == claim["kind"]]
        if same and same[0]["value"] != claim["value"]:
            record = fresh(answer)
            record["claims"][id_]["value"] = copy.deepcopy(same[0]["value"])
            yield record, f"{id_} has the values of another user"
            record = fresh(answer)
            record["claims"][id_]["subject"] = copy.deepcopy(same[0]["subject"])
            yield record, f"{id_} is about another user"
    place = int(scene.rng.integers(len(other.saved["sentences"])))
    sentence = other.saved["sentences"][place]
    claims = {f"x{i}": copy.deepcopy(other.saved["claims"][i]) for i in sentence["claims"]}
    record = added(fresh(answer), sentence["text"], sentence.get("draft"), tuple(claims))
    record["claims"] |= claims
    record["evidence"] |= copy.deepcopy(other.saved["evidence"])
    yield record, "a sentence about another user was put in"


def stale_model(answer: Answer, _scene: Scene) -> Forgeries:
    """Tell what an older recommender would have said as if this one did, or the other way round."""
    if (old := answer.stale) is None:
        return
    sources = {e["source"].partition(":")[0] for e in answer.saved["evidence"].values()}
    for name in (f"{source}_hash" for source in ("model", "data") if source in sources):
        record = fresh(answer)
        record[name] = old[name]
        yield record, f"the {name} is that of an older recommender, the evidence is not"
    yield sourced(answer.saved, old["model_hash"]), "the evidence names an older model"
    for id_, claim in answer.saved["claims"].items():
        if id_ in old["claims"] and old["claims"][id_]["kind"] == claim["kind"]:
            past = old["claims"][id_]
            if past["value"] != claim["value"]:
                record = fresh(answer)
                record["claims"][id_]["value"] = copy.deepcopy(past["value"])
                yield record, f"{id_} has the values of an older recommender"
    if _values(old) != _values(answer.saved):
        record = copy.deepcopy(old)
        record |= {name: answer.saved[name] for name in ("model_hash", "data_hash")}
        yield record, "an older recommender said that"


def altered_quote(answer: Answer, scene: Scene) -> Forgeries:
    """Alter a quotation: a word, a negation, a splice, or that of another item; in the claim alone,
    in the text alone, and in both. No review of the item holds the altered words."""
    for place, told in enumerate(answer.told):
        if told.quote is None:
            continue
        id_ = next(
            i
            for i in answer.saved["sentences"][place]["claims"]
            if answer.saved["claims"][i]["kind"] == "review_quote"
        )
        for mutant in mutants(told, answer.truth, scene):
            if not mutant.operator.startswith("quote: ") or mutant.operator.endswith("turned"):
                continue
            head, tail = told.text.split(told.quote.text, 1)
            quote = mutant.text[len(head) : len(mutant.text) - len(tail)]
            yield forged(answer.saved, id_, "quote", quote, deep=False), mutant.false
            yield forged(answer.saved, id_, "quote", quote, deep=True), mutant.false


def changed_level(answer: Answer, _scene: Scene) -> Forgeries:
    """Say that a claim is known in another way than it is."""
    for id_, claim in answer.saved["claims"].items():
        for level in set(_LEVELS) - {claim["level"]}:
            record = fresh(answer)
            record["claims"][id_]["level"] = level
            yield record, f"{id_} is known as {claim['level']}, not as {level}"


def exchanged_user(answer: Answer, scene: Scene) -> Forgeries:
    """Give the record, its claims, or both to another user, for whom the item ranks elsewhere."""
    truth, rec = answer.truth, answer.truth.ws.recommender
    index = rec.item_ids.index(truth.item)
    users = {o.saved["user"] for o in answer.others} - {truth.user}
    free = [
        u for u in sorted(users) if index in rec.seen(u) or rec.rank(u, truth.item) != truth.rank
    ]
    if (other := scene.one(free)) is None:
        return
    record = fresh(answer)
    record["user"] = other
    yield record, "the record is another user's than its claims"
    record = fresh(answer)
    for claim in record["claims"].values():
        claim["subject"]["user"] = other
    yield record, "the claims are another user's than the record"
    record = copy.deepcopy(record)
    record["user"] = other
    yield record, f"all of it is true of user {truth.user}, not of {other}"
    record = fresh(answer)
    for evidence in record["evidence"].values():
        if "user" in evidence["probe"]["args"]:
            evidence["probe"]["args"]["user"] = other
    yield record, "the evidence was found for another user"


def forged_verdict(answer: Answer, _scene: Scene) -> Forgeries:
    """Write another verdict than that of the claim when it is executed."""
    for id_ in answer.saved["claims"]:
        for verdict in ("refuted", "uncheckable"):
            record = fresh(answer)
            record["claims"][id_]["verdict"] = verdict
            yield record, f"{id_} is verified, not {verdict}"


def widened_tolerance(answer: Answer, _scene: Scene) -> Forgeries:
    """Shift a number and allow for it by a tolerance that a claim sets itself."""
    for id_, claim in answer.saved["claims"].items():
        for field, value in _numbers(claim["value"]):
            record = forged(answer.saved, id_, field, value + (1 if _whole(value) else 0.5), False)
            record["claims"][id_]["tolerance"] = 1e6
            yield record, f"{field} is {value}"


def _shifted(answer: Answer, chosen: Callable[[str], bool]) -> Forgeries:
    for id_, claim in answer.saved["claims"].items():
        for field, value in _numbers(claim["value"]):
            if chosen(field):
                small, large = (1, 2 * value + 7) if _whole(value) else (2e-4, 0.5 * value + 0.3)
                down = -1 if _whole(value) and value > 1 else 1
                for other in (value + small * down, value + large):
                    for deep in (False, True):
                        record = forged(answer.saved, id_, field, other, deep)
                        yield record, f"{field} of {id_} is {value}, not {other}"


def _numbers(value: Mapping[str, Any]) -> list[tuple[str, float]]:
    return [
        (field, number)
        for field, number in value.items()
        if isinstance(number, int | float) and not isinstance(number, bool) and field != "top"
    ]


def _whole(value: float) -> bool:
    return isinstance(value, int)


def _with_persona(answer: Answer) -> Iterator[tuple[str, Record]]:
    for id_, claim in answer.saved["claims"].items():
        if claim["subject"].get("persona") is not None:
            yield id_, claim


def _values(saved: Record) -> list[Any]:
    return [claim["value"] for claim in saved["claims"].values()]
