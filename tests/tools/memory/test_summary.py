"""A summary says what the data say, of the user it names, and of nobody else."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.recsys.small import COLD, NOBODY, ONCE
from whythis.recsys.editing import edited
from whythis.recsys.errors import DataError, UnknownIdError
from whythis.recsys.naming import persona_cards
from whythis.tools.evidence import evidence
from whythis.tools.memory import summary as module
from whythis.tools.memory.events import append
from whythis.tools.memory.summary import (
    Summary,
    check,
    compose,
    flagged,
    from_json,
    in_words,
    summarise,
    summary,
)
from whythis.tools.reviews.opinions import Opinion
from whythis.tools.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from whythis.tools.reviews.opinions import OpinionTable

USER, OTHER = "u00", "u06"


@pytest.fixture
def folder(small_artefact: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_artefact, tmp_path / "artefact"))


def texts(told: Summary, kind: str) -> list[str]:
    return [one.text for one in told.statements if one.evidence.kind == kind]


def test_it_says_what_the_data_say(small_workspace: Workspace) -> None:
    rec = small_workspace.owned()
    told = summarise(small_workspace, USER)
    rows = rec.interactions[rec.interactions["user"] == USER]
    assert texts(told, "past") == [
        f"{(rows['rating'] >= 4).sum()} of your {len(rows)} choices count as liked."
    ]
    cards = persona_cards(rec, USER, shown=3)
    assert texts(told, "taste") == [
        f"Your {c.name} taste weighs {100 * c.mass:.0f} %." for c in cards
    ]
    for card, text in zip(cards, texts(told, "typical"), strict=True):
        assert text.startswith(f"Typical of your {card.name} taste: {rec.title(card.items[0][0])}")
    low = rows[rows["rating"] <= 2.5].sort_values("rating")
    assert len(texts(told, "rated_low")) == min(5, len(low))
    for text in texts(told, "rated_low"):
        assert any(
            text == f"You rated {rec.title(i)} low: {r:g} of 5."
            for i, r in zip(low["item"], low["rating"], strict=True)
        )


class Opinions:
    """Give the opinions of one user, as a table of them would."""

    def __init__(self, *opinions: Opinion) -> None:
        self._opinions = opinions

    def of_user(self, user: str) -> tuple[Opinion, ...]:
        return tuple(one for one in self._opinions if one.user == user)


def opinion(item: str, aspect: str, polarity: Any, time: float | None = None) -> Opinion:
    return Opinion(
        sentence="r#1",
        review="r",
        item=item,
        user=USER,
        time=time,
        aspect=aspect,
        opinion="word",
        polarity=polarity,
    )


def judging(ws: Workspace, *opinions: Opinion) -> Workspace:
    return replace(ws, opinions=cast("OpinionTable", Opinions(*opinions)))


def test_aspects_of_own_reviews_are_told(small_workspace: Workspace) -> None:
    rec = small_workspace.recommender
    first, second = (rec.item_ids.ids[i] for i in rec.seen(USER)[:2])
    ws = judging(
        small_workspace,
        opinion(first, "plot", -1),
        opinion(first, "music", 1),
        opinion(second, "music", 1),
        opinion(second, "music", -1),
        opinion(COLD, "horses", 1),  # nothing that this user chose
    )
    assert texts(summarise(ws, USER), "own_aspect") == [
        "Your reviews judge music: 2 times well, once badly.",
        "Your reviews judge plot: 0 times well, once badly.",
    ]
    assert texts(summarise(ws, "u01"), "own_aspect") == []
    assert not flagged(summarise(ws, USER), ws)
    # the reviews of a forgotten item are forgotten with it
    without = replace(ws, recommender=edited(ws.owned(), USER, drop=[first]))
    assert texts(summarise(without, USER), "own_aspect") == [
        "Your reviews judge music: once well, once badly."
    ]
    assert flagged(summarise(ws, USER), without)


def test_later_opinions_are_not_told(small_workspace: Workspace) -> None:
    item = small_workspace.recommender.item_ids.ids[small_workspace.recommender.seen(USER)[0]]
    told = [opinion(item, "plot", 1, 10.0), opinion(item, "music", 1, 20.0)]
    ws = replace(judging(small_workspace, *told), moment=20.0)
    assert texts(summarise(ws, USER), "own_aspect") == [
        "Your reviews judge plot: once well, 0 times badly."
    ]


@pytest.mark.parametrize("user", [USER, "u01", NOBODY, ONCE])
def test_every_statement_of_a_summary_holds_for_its_user(
    small_workspace: Workspace, user: str
) -> None:
    told = summarise(small_workspace, user)
    assert told.statements
    assert {one.outcome for one in check(told, small_workspace)} == {"holds"}
    assert not flagged(told, small_workspace)
    assert from_json(json.loads(json.dumps(told.as_json()))) == told
    assert len({one.id for one in told.statements}) == len(told.statements)


def test_the_tool_tells_what_the_summary_rests_on(small_workspace: Workspace) -> None:
    told = summarise(small_workspace, USER)
    assert summary(small_workspace, USER) == tuple(one.evidence for one in told.statements)


def test_equal_artefacts_give_an_equal_hash(folder: Path, small_artefact: Path) -> None:
    one, two = (summarise(open_workspace(f), USER) for f in (folder, small_artefact))
    assert one == two


def test_a_correction_gives_another_hash_and_its_undoing_the_old(folder: Path) -> None:
    before = summarise(open_workspace(folder), USER)
    taste = before.statements[1]
    item = str(before.statements[2].evidence.value["items"][0])  # type: ignore[index,call-overload]
    name = {"text": "weepies", "persona": taste.evidence.value["persona"]}
    seen = {before.hash}
    for act, target, more in (
        ("forget", item, {}),
        ("reject", item, {}),
        ("contest", taste.id, {"text": "no"}),
        ("rename", "x", name | {"model": before.model_hash}),
    ):
        event = append(folder, USER, act, target, time=1.0, **more)  # type: ignore[arg-type]
        now = summarise(open_workspace(folder), USER)
        assert now.hash not in seen
        seen.add(now.hash)
        append(folder, USER, "undo", event.id, time=2.0)
        assert summarise(open_workspace(folder), USER) == before


def test_what_others_correct_changes_nothing(folder: Path) -> None:
    before = summarise(open_workspace(folder), USER)
    append(folder, "u01", "reject", "i38", time=1.0)
    ws = open_workspace(folder)
    now = summarise(ws, USER)
    assert now.data_hash != before.data_hash
    assert now.hash == before.hash
    assert not flagged(before, ws)


def test_a_correction_is_named_in_the_findings_it_changed(folder: Path) -> None:
    assert all(
        one.evidence.value["corrections"] == []
        for one in summarise(open_workspace(folder), USER).statements
    )
    event = append(folder, USER, "reject", "i38", time=1.0)
    told = summarise(open_workspace(folder), USER)
    assert texts(told, "rejected") == [
        f"You rejected {open_workspace(folder).recommender.title('i38')}."
    ]
    assert all(one.evidence.value["corrections"] == [event.id] for one in told.statements)
    assert all(
        one.evidence.source.partition(":")[2] in (told.model_hash, told.data_hash)
        for one in told.statements
    )


def test_an_old_summary_is_flagged_after_a_correction(folder: Path) -> None:
    ws = open_workspace(folder)
    before = summarise(ws, USER)
    liked = ws.recommender.item_ids.ids[ws.recommender.liked(USER)[-1]]
    append(folder, USER, "forget", liked, time=1.0)
    assert flagged(before, open_workspace(folder))


def test_a_contested_statement_is_marked_and_not_handed_on(folder: Path) -> None:
    statement = summarise(open_workspace(folder), USER).statements[1]
    append(folder, USER, "contest", statement.id, text="I watch them with others", time=1.0)
    ws = open_workspace(folder)
    told = summarise(ws, USER)
    (contested,) = [one for one in told.statements if one.contested]
    assert (contested.id, contested.reason) == (statement.id, "I watch them with others")
    assert contested.evidence not in summary(ws, USER)
    assert len(summary(ws, USER)) == len(told.statements) - 1
    assert not flagged(told, ws)


def forged(told: Summary, user: str) -> Summary:
    """Return a summary that names another user throughout, every id and hash made anew."""
    found = []
    for e in (one.evidence for one in told.statements):
        args = {**e.probe.args, "user": user}
        found.append(evidence(e.kind, e.value, source=e.source, probe=e.probe.name, **args))
    return compose(user, found, told.model_hash, told.data_hash)


@pytest.mark.parametrize("user", ["u01", "u02", "u03", OTHER, NOBODY, ONCE])
def test_a_summary_of_somebody_else_is_flagged_under_any_name(
    small_workspace: Workspace, user: str
) -> None:
    swapped = forged(summarise(small_workspace, user), USER)
    assert from_json(swapped.as_json()) == swapped  # nothing about it is malformed
    assert swapped.user == USER
    assert {one.evidence.probe.args["user"] for one in swapped.statements} == {USER}
    assert flagged(swapped, small_workspace)
    reasons = [one.reason for one in check(swapped, small_workspace) if one.outcome == "false"]
    assert all(reasons)


def test_an_unknown_user_has_no_true_statement(small_workspace: Workspace) -> None:
    swapped = forged(summarise(small_workspace, USER), "stranger")
    assert {one.outcome for one in check(swapped, small_workspace)} == {"false"}
    with pytest.raises(UnknownIdError):
        summarise(small_workspace, "stranger")


def test_a_reworded_or_revalued_statement_is_false(small_workspace: Workspace) -> None:
    told = summarise(small_workspace, USER)
    plain = told.as_json()

    def remade(change: Any) -> Summary:
        data = copy.deepcopy(plain)
        change(data["statements"])
        for one in data["statements"]:
            e = one["evidence"]
            args = e["probe"]["args"]
            made = evidence(e["kind"], e["value"], source=e["source"], probe="summary", **args)
            one["evidence"]["id"] = made.id
            one["id"] = module._id(USER, e["kind"], one["text"])
        statements = tuple(module.Statement.model_validate(one) for one in data["statements"])
        data["hash"] = module._hash(USER, statements)
        return from_json(data)

    def reworded(rows: Any) -> None:
        rows[1]["text"] = rows[1]["text"].replace("taste", "obsession")

    def revalued(rows: Any) -> None:
        rows[1]["evidence"]["value"]["mass"] += 0.01
        rows[1]["text"] = in_words(module.Statement.model_validate(rows[1]).evidence)

    def more(rows: Any) -> None:
        rows[1]["evidence"]["value"]["note"] = "loves horses"

    def other_kind(rows: Any) -> None:
        rows[1]["evidence"]["kind"] = "secret"

    assert not flagged(remade(lambda _: None), small_workspace)
    for change in (reworded, revalued, more, other_kind):
        outcomes = [one.outcome for one in check(remade(change), small_workspace)]
        assert outcomes[1] == "false", change
        assert outcomes.count("false") == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(extra=1),
        lambda d: d.update(schema="whythis/summary/2"),
        lambda d: d.update(user="u01"),
        lambda d: d.update(hash="0" * 64),
        lambda d: d.pop("statements"),
        lambda d: d["statements"].pop(),
        lambda d: d["statements"][0].update(text="You love horses."),
        lambda d: d["statements"][0].update(contested=1),
        lambda d: d["statements"][0]["evidence"]["value"].update(liked=99),
        lambda d: d["statements"][0]["evidence"]["probe"]["args"].update(user="u01"),
        lambda d: d["statements"][0]["evidence"]["probe"]["args"].update(kind="x"),
        lambda d: d["statements"][1]["evidence"]["value"].update(mass=float("nan")),
    ],
)
def test_what_was_altered_is_refused(small_workspace: Workspace, change: Any) -> None:
    data = summarise(small_workspace, USER).as_json()
    change(data)
    with pytest.raises(DataError, match="this is no summary") as caught:
        from_json(data)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("data", [None, [], "x", {}, {"user": object()}, 3])
def test_what_is_no_summary_is_refused(data: object) -> None:
    with pytest.raises(DataError, match="this is no summary"):
        from_json(data)


def test_an_empty_summary_is_flagged(small_workspace: Workspace) -> None:
    told = summarise(small_workspace, USER)
    assert flagged(told.model_copy(update={"statements": ()}), small_workspace)
