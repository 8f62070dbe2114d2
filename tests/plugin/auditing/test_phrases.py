"""Sentences of ours about aspects and similar users are recognised, changed ones refuted."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.recsys.small import NOBODY, ONCE
from whythis.auditing.auditor import audit
from whythis.claims.kinds import CLAIM
from whythis.claims.offer import offer
from whythis.claims.slots import slots
from whythis.explain import gather
from whythis.text.language import load_language
from whythis.tools.workspace import Workspace

KINDS = {"basis": "basis", "circle": "circle", "aspect_count": "aspect", "own_aspect": "own_aspect"}

OTHERS, NEAREST = "reviews of other titles", "people whose likes are most like yours"


def told(ws: Workspace) -> Iterator[tuple[str, str, str, str]]:
    """Yield (user, item, kind, sentence) for every phrasing of what is true of some pairs."""
    for user in dict.fromkeys((NOBODY, ONCE, "u05", *ws.recommender.user_ids.ids[:4])):
        item = ws.recommender.recommend(user, 1)[0].item
        for claim in offer(gather(ws, user, item), user, item):
            if topic := KINDS.get(claim.kind):
                filled = slots(CLAIM.validate_python(claim.model_dump()), {})
                for template in load_language().say[topic]:
                    text = template.format_map({topic: _Slots(filled)})
                    yield user, item, claim.kind, text[0].upper() + text[1:]


class _Slots:
    def __init__(self, filled: dict[str, str]) -> None:
        self.__dict__.update(filled)


def test_every_phrasing_of_what_is_true_is_supported(small_workspace: Workspace) -> None:
    seen = set()
    for user, item, kind, text in told(small_workspace):
        found = audit(text, user=user, item=item, ws=small_workspace).sentences
        assert [(s.verdict, s.findings[0].kind) for s in found] == [("supported", kind)], text
        seen.add(kind)
    assert seen == set(KINDS)


def test_another_number_is_refuted(small_workspace: Workspace) -> None:
    changed = 0
    for user, item, _, text in told(small_workspace):
        for number in re.finditer(r"\d+", text):
            wrong = f"{text[: number.start()]}{int(number[0]) + 7}{text[number.end() :]}"
            (found,) = audit(wrong, user=user, item=item, ws=small_workspace).sentences
            assert found.verdict == "refuted", wrong
            changed += 1
    assert changed > 20


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("You are new here, so this rests on what its reviews say.", "refuted"),
        ("You are new here, so this rests on magic.", "uncheckable"),
        (f"You judge the “moonlight” in 2 of your 9 {OTHERS}, as rules read them.", "refuted"),
        (f"Of the 50 {NEAREST}, all loved it; the rest did not.", "uncheckable"),
    ],
)
def test_what_is_not_so_is_never_supported(
    small_workspace: Workspace, text: str, verdict: str
) -> None:
    user = small_workspace.recommender.user_ids.ids[0]
    item = small_workspace.recommender.recommend(user, 1)[0].item
    (found,) = audit(text, user=user, item=item, ws=small_workspace).sentences
    assert found.verdict == verdict
