"""Find what a summary of a user rests on: tastes, typical items, what was rated low, aspects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from pydantic import JsonValue

from whythis.recsys.naming import persona_cards
from whythis.recsys.recommender import Recommender
from whythis.tools.evidence import Evidence, evidence
from whythis.tools.tones import tones
from whythis.tools.workspace import Workspace

TYPICAL, REJECTED, ASPECTS = 3, 5, 5
"""How many typical items of a taste, items rated low or rejected, and aspects are told."""

CORRECTIONS = "corrections"
"""Under this name a finding holds the ids of the user's corrections that it was made under."""

_DECIMALS = 6


def findings(ws: Workspace, user: str) -> Iterator[Evidence]:
    """Yield what is known of a user, each finding with the ids of the corrections behind it.

    Tastes are known where the recommender's model is, aspects where reviews were read for them.
    """
    rec = ws.recommender
    rec.user_ids.index(user)
    made = [event.id for event in ws.memory.get(user, ()) if event.act != "contest"]
    behind: dict[str, JsonValue] = {CORRECTIONS: list[JsonValue](made)}

    def found(kind: str, source: str, **value: JsonValue) -> Evidence:
        return evidence(kind, value | behind, source=source, probe="summary", user=user)

    rows = rec.interactions[(rec.interactions["user"] == user).to_numpy(dtype=bool)]
    yield found("past", ws.data_source, liked=len(rec.liked(user)), of=len(rows))
    if isinstance(rec, Recommender):
        for card in persona_cards(rec, user, shown=TYPICAL):
            of: dict[str, JsonValue] = {"persona": card.persona, "name": card.name}
            typical = [item for item, weight in card.items if weight > 0]
            yield found("taste", ws.model_source, **of, mass=round(card.mass, _DECIMALS))
            if typical:
                yield found(
                    "typical",
                    ws.model_source,
                    **of,
                    items=list[JsonValue](typical),
                    titles=[rec.title(item) for item in typical],
                    weights=[round(weight, _DECIMALS) for _, weight in card.items[: len(typical)]],
                )
    critical, _ = tones(ws)
    low = rows[(rows["rating"] <= critical).to_numpy(dtype=bool)].sort_values(
        ["rating", "time", "item"], ascending=[True, False, True]
    )
    for item, rating in list(zip(low["item"], low["rating"], strict=True))[:REJECTED]:
        yield found(
            "rated_low",
            ws.data_source,
            item=item,
            title=rec.title(item),
            rating=float(rating),
            best=rec.ratings.highest,
        )
    for item in rec.withheld.get(user, ())[:REJECTED]:
        yield found("rejected", ws.data_source, item=item, title=rec.title(item))
    for aspect, (well, badly) in _aspects(ws, user, set(rows["item"])).items():
        source = f"reviews:{ws.store().fingerprint}"
        yield found("own_aspect", source, aspect=aspect, well=well, badly=badly)


def _aspects(ws: Workspace, user: str, items: Collection[str]) -> Mapping[str, tuple[int, int]]:
    """Return how often the user's reviews of `items` judge each aspect well and badly."""
    if ws.opinions is None:
        return {}
    told: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in ws.opinions.of_user(user):
        past = ws.moment is None or one.time is None or one.time < ws.moment
        if past and one.item in items:
            told[one.aspect][one.polarity < 0] += 1
    most = sorted(told.items(), key=lambda pair: (-sum(pair[1]), pair[0]))[:ASPECTS]
    return {aspect: (well, badly) for aspect, (well, badly) in most}
