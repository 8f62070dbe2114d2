import re
from importlib.resources import files
from pathlib import Path

import pytest

from tests.plugin.samples import explanation
from tests.plugin.server.serving import Served, keys_of, serving
from whythis.conversation.assistant import WhyThis
from whythis.server.page import FILES
from whythis.tools.workspace import Workspace
from whythis.web.card import card
from whythis.web.marked import marked
from whythis.web.state import state, what_if

WEB = files("whythis.web")
SCRIPTS = {name: WEB.joinpath(name).read_text("utf-8") for name in FILES if name.endswith(".js")}
STYLE = WEB.joinpath("style.css").read_text("utf-8")
HTML = WEB.joinpath("index.html").read_text("utf-8")


def test_every_file_is_served_with_the_strict_policy(served: Served) -> None:
    with served.client() as client:
        for name, kind in FILES.items():
            got = client.get("/" if name == "index.html" else f"/page/{name}")
            assert got.status_code == 200
            assert got.content == WEB.joinpath(name).read_bytes()
            assert got.headers["content-type"].startswith(kind)
            parts = got.headers["content-security-policy"].split(";")
            policy = dict(part.strip().split(" ", 1) for part in parts)
            assert policy == {
                "default-src": "'none'",
                "script-src": "'self'",
                "style-src": "'self'",
                "connect-src": "'self'",
                "img-src": "'self'",
                "base-uri": "'none'",
                "form-action": "'self'",
                "frame-ancestors": "'none'",
                "require-trusted-types-for": "'script'",
                "trusted-types": "'none'",
            }
        for path in ("/page/", "/page/nothing.js", "/page/..%2fstate.py", "/page/__init__.py"):
            assert client.get(path).status_code == 404


def test_the_folder_holds_no_file_that_is_not_served() -> None:
    there = {one.name for one in WEB.iterdir() if not one.name.startswith("__")}
    assert {name for name in there if not name.endswith(".py")} == set(FILES)


@pytest.mark.parametrize(
    "word",
    [
        "innerHTML", "outerHTML", "insertAdjacent", "document.write", "createContextualFragment",
        "DOMParser", "setHTML", "srcdoc", "eval(", "new Function", "importScripts", "localStorage",
        "javascript:", "http:", "https:", "//cdn", "style=", "cssText",
    ],
)  # fmt: skip
def test_no_script_can_make_markup_of_text_or_load_from_elsewhere(word: str) -> None:
    for name, text in SCRIPTS.items():
        bare = text.replace('"http://www.w3.org/2000/svg"', "")
        assert word not in bare, name


def test_page_and_style_load_nothing_from_elsewhere_and_hold_no_inline_code() -> None:
    assert set(re.findall(r'(?:src|href)="([^"]*)"', HTML)) == {
        "#list", "#switches", "page/icon.svg", "page/style.css", "page/app.js",
    }  # fmt: skip
    assert not re.search(r'<script(?![^>]*src=)|<style|\sstyle="|\son\w+="', HTML)
    assert not re.search(r"url\(|@import|http", STYLE)


def test_page_and_report_have_the_same_colours() -> None:
    report = files("whythis.surfaces").joinpath("report.css").read_text("utf-8")
    colour = re.compile(r"(--[\w-]+): (#\w+)")
    assert colour.findall(STYLE.split("*, ::before")[0]) == colour.findall(
        report.split("*, ::before")[0]
    )


def test_the_state_is_that_of_python(served: Served, small_workspace: Workspace) -> None:
    with served.client() as client:
        got = client.get("/v1/page/state", params={"user": "u04", "n": 6}).json()
    assert got == {**state(small_workspace, "u04", 6), "writer": None}


def test_what_if_is_that_of_python(served: Served, small_workspace: Workspace) -> None:
    rec = small_workspace.recommender
    gone = rec.item_ids.ids[int(rec.history("u04")[-1])]
    asked = {"user": "u04", "without_personas": [1], "without_items": [gone], "n": 6}
    with served.client() as client:
        got = client.post("/v1/page/what-if", json=asked).json()
    assert got == what_if(small_workspace, "u04", [1], [gone], 6)
    assert got["list"]["rows"] != state(small_workspace, "u04", 6)["list"]["rows"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": "u04", "without_personas": [99]}, 422),
        ({"user": "u04", "without_items": ["i38"]}, 422),
        ({"user": "u04", "without_items": ["no such item"]}, 404),
        ({"user": "u04", "n": 51}, 422),
        ({"user": "u04", "without_personas": ["0; DROP"]}, 422),
        ({"user": "u04", "more": 1}, 422),
        ({"user": "no such user"}, 404),
    ],
)
def test_what_cannot_be_asked_is_refused(
    served: Served, body: dict[str, object], status: int
) -> None:
    with served.client() as client:
        assert client.post("/v1/page/what-if", json=body).status_code == status


def test_users_are_searched_in_their_own_order(served: Served) -> None:
    with served.client() as client:
        got = client.get("/v1/page/users", params={"search": "U1", "n": 3}).json()
    assert got == {"users": ["u10", "u11", "u12"], "of": 10}


def test_a_key_sees_its_own_users_only(assistant: WhyThis, tmp_path: Path) -> None:
    secrets = keys_of(tmp_path / "keys", ann=["u01", "u02"], all="*")
    with serving(assistant, page=True, keys=tmp_path / "keys") as one:
        with one.client() as stranger:
            # the page itself holds nothing of anybody
            assert stranger.get("/").status_code == 200, stranger.get("/").text
            for path in ("users", "state?user=u01"):
                assert stranger.get(f"/v1/page/{path}").status_code == 401
        with one.client(secrets["ann"]) as ann:
            assert ann.get("/v1/page/users").json() == {"users": ["u01", "u02"], "of": 2}
            assert ann.get("/v1/page/users", params={"search": "u03"}).json()["users"] == []
            assert ann.get("/v1/page/state", params={"user": "u01"}).status_code == 200
            other = {"user": "u03"}
            reply = ann.post("/v1/ask", json={"user": "u01", "text": "Who do you think I am?"})
            swapped = reply.text.replace('"u01"', '"u03"').encode()
            asked = b'{"reply": ' + swapped + b"}"
            sent = {"Content-Type": "application/json"}
            for got in (
                ann.get("/v1/page/state", params=other),
                ann.post("/v1/page/what-if", json=other),
                ann.post("/v1/page/explain", json={**other, "item": "i00"}),
                ann.post("/v1/page/reply", content=asked, headers=sent),
            ):
                assert got.status_code == 403
                assert "i0" not in got.text
        with one.client(secrets["all"]) as everybody:
            assert everybody.get("/v1/page/users", params={"n": 200}).json()["of"] == 62


def test_no_answer_names_a_reviewer(served: Served, small_workspace: Workspace) -> None:
    seen = 0
    with served.client() as client:
        for user in ("u01", "u03", "u07", "u09"):
            for row in small_workspace.recommender.recommend(user, 5):
                got = client.post("/v1/page/explain", json={"user": user, "item": row.item})
                seen += "review" in got.text
                assert '"theirs":"reviewer"' not in got.text
                facts = [
                    fact
                    for line in got.json()["lines"]
                    for proof in line["proofs"]
                    for finding in proof["findings"]
                    for fact in finding["facts"]
                ]
                assert not any(value["theirs"] in ("ann", "bob", "cid") for _, value in facts)
    assert seen


def test_a_quoted_review_is_shown_whole_with_the_quotation_apart(
    assistant: WhyThis, small_workspace: Workspace
) -> None:
    shown = 0
    for user in small_workspace.recommender.user_ids.ids[:20]:
        for row in assistant.recommend(user, 10):
            for line in card(assistant.explain(user, row.item), small_workspace)["lines"]:
                for proof in line["proofs"]:
                    if not (review := proof["review"]):
                        continue
                    shown += 1
                    parts = (review["before"]["theirs"], review["quote"]["quote"],
                             review["after"]["theirs"])  # fmt: skip
                    whole = " ".join(filter(None, parts))
                    stored = small_workspace.store().of_item(row.item)
                    texts: dict[str, str] = {}
                    for one in stored:
                        texts[one.review] = f"{texts.get(one.review, '')} {one.text}".strip()
                    assert whole in texts.values()
        if shown > 3:
            return
    raise AssertionError("no review was quoted")


def test_an_answer_says_what_its_claims_took_away(small_workspace: Workspace) -> None:
    shown = card(explanation(), small_workspace)
    switches = [[proof["switch"] for proof in line["proofs"]] for line in shown["lines"]]
    assert switches[0] == [{"personas": [0], "items": []}, None]
    assert switches[2] == [{"personas": [], "items": ["50", "183"]}]
    assert [text["theirs"] for text, _ in shown["dropped"]] == [
        "You will love its Oscar-winning score.",
        "Your family films taste is why it is here.",
    ]


def test_a_mark_says_whose_words_they_are() -> None:
    from whythis.text.wording import Quote, clean

    assert marked(("we say ", clean("<b>they</b>"), Quote("q"), 1, None)) == [
        "we say ", {"theirs": "<b>they</b>"}, {"quote": "q"}, 1, None,
    ]  # fmt: skip
