"""Make the sentences of a saved explanation say more than, or other than, their claims."""

from __future__ import annotations

import re

from whythis.bench.falsehoods import Scene, falsehoods
from whythis.bench.mutation_forgery import Answer, Forgeries, Record, added, fresh, resaid, worded
from whythis.bench.mutation_texts import mutants

_DIRECTED = frozenset({"persona_effect", "history_effect"})

_BECAUSE = (
    "It is in your list because ",
    "This was recommended to you since ",
    "The reason for it is that ",
    "Thanks to this it ranks so high: ",
)


def turned_words(answer: Answer, _scene: Scene) -> Forgeries:
    """Turn a word of direction round, in the draft and the text of a sentence alike."""
    for place, sentence in enumerate(answer.saved["sentences"]):
        if any(answer.saved["claims"][i]["kind"] in _DIRECTED for i in sentence["claims"]):
            for pattern, by in falsehoods().flips:
                record = worded(answer.saved, place, pattern, by)
                if record is not None:
                    yield record, f"“{by}” is the wrong direction"


def caused_by_share(answer: Answer, _scene: Scene) -> Forgeries:
    """Tell the weight of a taste as a cause: a share says nothing of causes."""
    for place, sentence in enumerate(answer.saved["sentences"]):
        kinds = {answer.saved["claims"][i]["kind"] for i in sentence["claims"]}
        if kinds == {"persona_share"}:
            for head in _BECAUSE:
                yield _headed(answer, place, head), "a share is told as a cause"


def false_comparison(answer: Answer, _scene: Scene) -> Forgeries:
    """Call a taste the greatest that is not, exchange greater and less, or what is compared."""
    effects = [t.effect for t in answer.truth.tastes]
    for place, sentence in enumerate(answer.saved["sentences"]):
        found = [answer.saved["claims"][i] for i in sentence["claims"]]
        lesser = [c for c in found if c["kind"] == "persona_effect"]
        if lesser and 0 < lesser[0]["value"]["effect"] < max(effects) - 1e-3:
            for head in (
                "More than any other taste of yours: ",
                "The strongest reason of all is this: ",
            ):
                yield _headed(answer, place, head), "another taste does more"
    for id_, claim in answer.saved["claims"].items():
        for other in {"=", "<", ">"} - {claim["comparator"]}:
            record = fresh(answer)
            record["claims"][id_]["comparator"] = other
            yield record, f"{id_} compares by {other!r} instead of {claim['comparator']!r}"


def added_sentence(answer: Answer, scene: Scene) -> Forgeries:
    """Put in a sentence that no data support: without claims, or citing one that says otherwise."""
    texts = [t for t in falsehoods().unsupported if "{" not in t]
    ids = list(answer.saved["claims"])
    for text in scene.some(texts, 4):
        yield added(fresh(answer), text, text, ()), "nothing supports the sentence put in"
        cited = (scene.pick(ids),)
        yield added(fresh(answer), text, text, cited), f"{cited[0]} does not say that"


def added_clause(answer: Answer, scene: Scene) -> Forgeries:
    """Append an unsupported clause to a true sentence, in its text and its draft."""
    for place in range(len(answer.saved["sentences"])):
        for clause in scene.some(falsehoods().clauses, 2):
            yield _tailed(answer, place, clause), "nothing supports the clause at its end"


def leaked_review(answer: Answer, _scene: Scene) -> Forgeries:
    """Leave the record as it is: the review quoted is to be made the user's own."""
    if any(told.quote is not None for told in answer.told):
        yield fresh(answer), "it quotes the user's own review of the item"


def edited_text(answer: Answer, scene: Scene) -> Forgeries:
    """Edit the text of a sentence, or the answer, and leave draft and claims as they are."""
    for place, told in enumerate(answer.told):
        lies = [m.text for m in mutants(told, answer.truth, scene) if not m.leaked]
        for text in scene.some(lies, 3):
            draft = answer.saved["sentences"][place].get("draft")
            yield (
                resaid(fresh(answer), place, None, text, draft),
                "the text is not what was checked",
            )
    record = fresh(answer)
    record["answer"] += " You will love it."
    yield record, "the answer says more than its sentences"


def exchanged_claims(answer: Answer, _scene: Scene) -> Forgeries:
    """Let a sentence cite the claims of another, no claim at all, or one that is not there."""
    count = len(answer.saved["sentences"])
    for place, sentence in enumerate(answer.saved["sentences"]):
        other = answer.saved["sentences"][(place + 1) % count]["claims"]
        for cited in (other, [], ["z9"], ["z9", *sentence["claims"][1:]]):
            if set(cited) != set(sentence["claims"]):
                record = fresh(answer)
                record["sentences"][place]["claims"] = list(cited)
                yield record, f"the claims {cited} do not say this"


def _headed(answer: Answer, place: int, head: str) -> Record:
    sentence = answer.saved["sentences"][place]
    text, draft = (
        head + _lowered(sentence[k]) if k in sentence else None for k in ("text", "draft")
    )
    return resaid(fresh(answer), place, None, str(text), draft)


def _tailed(answer: Answer, place: int, tail: str) -> Record:
    sentence = answer.saved["sentences"][place]
    text, draft = (
        re.sub(r"\.?$", "", sentence[k]) + tail + "." if k in sentence else None
        for k in ("text", "draft")
    )
    return resaid(fresh(answer), place, None, str(text), draft)


def _lowered(text: str) -> str:
    return (
        text[0].lower() + text[1:]
        if re.match(r"Your|It|One|In|On|When|From|Put|The\b", text)
        else text
    )
