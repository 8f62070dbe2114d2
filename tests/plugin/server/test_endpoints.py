"""Each endpoint answers what the assistant does, and refuses what is none of its business."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from whythis.conversation.assistant import WhyThis
from whythis.conversation.reply import Reply
from whythis.explanation import Explanation
from whythis.server.edge import SECURITY

from .serving import ITEM, USER, Served, keys_of, serving

PAIR = {"user": USER, "item": ITEM}
OTHERS = {"user": "u02"}


def events(response: httpx.Response) -> list[tuple[str, Any]]:
    found, name = [], ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            found.append((name, json.loads(line[6:])))
    return found


def told(response: httpx.Response, status: int, type_: str) -> dict[str, str]:
    """Insist on a refusal in our one shape, and return it."""
    assert response.status_code == status, response.text
    error: dict[str, str] = response.json()["error"]
    assert set(error) == {"type", "message", "request_id"}
    assert error["type"] == type_, error
    assert error["request_id"] == response.headers["x-request-id"]
    assert "\n" not in error["message"]
    return error


def test_an_explanation_is_the_assistants(served: Served, assistant: WhyThis) -> None:
    with served.client() as client:
        said = client.post("/v1/explain", json={**PAIR, "style": "detailed", "seed": 3})
    found = Explanation.from_json(said.json())
    mine = assistant.explain(USER, ITEM, style="detailed", seed=3)
    assert found.answer == mine.answer
    assert found.claims == mine.claims
    assert {v.outcome for v in found.verdicts.values()} == {"verified"}


def test_an_item_may_be_named_by_its_title(served: Served, assistant: WhyThis) -> None:
    title = assistant.ws.recommender.title("i01")
    with served.client() as client:
        said = client.post("/v1/explain", json={"user": "u02", "item": title})
    assert said.json()["item"] == "i01", said.text


def test_recommendations_are_the_assistants(served: Served, assistant: WhyThis) -> None:
    with served.client() as client:
        said = client.post("/v1/recommend", json={"user": USER, "n": 4}).json()
    assert said["items"] == [one.model_dump() for one in assistant.recommend(USER, 4)]


def test_an_audit_judges_each_sentence(served: Served) -> None:
    with served.client() as client:
        said = client.post("/v1/audit", json={**PAIR, "text": "It is red. It ranks 1st."}).json()
    first, second = said["sentences"]
    assert first["verdict"] == "uncheckable"
    assert second["verdict"] in ("supported", "refuted")


def test_a_conversation_goes_on_with_its_session(served: Served) -> None:
    with served.client() as client:
        first = client.post("/v1/ask", json={"user": USER, "text": "What do you recommend?"})
        listed = Reply.from_json(first.json())
        assert listed.items
        asked = {"user": USER, "text": "Why the first one?", "session": first.json()["session"]}
        second = Reply.from_json(client.post("/v1/ask", json=asked).json())
    assert second.intent == "why"
    assert second.session.focus == listed.items[0].item
    assert {v.outcome for v in second.verdicts.values()} == {"verified"}


def test_a_conversation_is_streamed(served: Served) -> None:
    accept = {"Accept": "text/event-stream"}
    asked = {"user": USER, "text": f"Why is {ITEM} recommended?"}
    with (
        served.client() as client,
        client.stream("POST", "/v1/ask", json=asked, headers=accept) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        found = events(response)
    names = [name for name, _ in found]
    assert names[0] == "step"
    assert names[-1] == "done"
    reply = Reply.from_json(found[-1][1])
    said = [data["text"] for name, data in found if name == "sentence"]
    assert " ".join(said) == reply.text
    told_ = {data["id"] for name, data in found if name == "evidence"}
    assert {e.id for e in reply.evidence} <= told_


@pytest.mark.parametrize(
    ("path", "sent", "status", "type_"),
    [
        ("/v1/explain", {"user": USER, "item": "zz"}, 404, "unknown_id"),
        ("/v1/explain", {"user": "zz", "item": ITEM}, 404, "unknown_id"),
        ("/v1/explain", {"user": "../../etc/passwd", "item": ITEM}, 404, "unknown_id"),
        ("/v1/explain", {"user": USER, "item": "../manifest.json"}, 404, "unknown_id"),
        ("/v1/explain", {"user": USER}, 422, "invalid_request"),
        ("/v1/explain", {**PAIR, "style": "rude"}, 422, "invalid_request"),
        ("/v1/explain", {**PAIR, "writer": "x"}, 422, "invalid_request"),
        ("/v1/explain", {**PAIR, "seed": -1}, 422, "invalid_request"),
        ("/v1/explain", [], 422, "invalid_request"),
        ("/v1/recommend", {"user": USER, "n": 0}, 422, "invalid_request"),
        ("/v1/recommend", {"user": USER, "n": 10**9}, 422, "invalid_request"),
        ("/v1/ask", {"user": USER, "text": ""}, 422, "invalid_request"),
        ("/v1/ask", {"user": USER, "text": "x" * 5000}, 422, "invalid_request"),
        ("/v1/ask", {"user": USER, "text": "x", "session": {}}, 422, "invalid_request"),
        (
            "/v1/ask",
            {"user": USER, "text": "x", "session": {"user": "u02"}},
            422,
            "invalid_request",
        ),
        ("/v1/nothing", {}, 404, "not_found"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    served: Served, path: str, sent: Any, status: int, type_: str
) -> None:
    with served.client() as client:
        told(client.post(path, json=sent), status, type_)


def test_an_item_that_was_seen_is_refused(served: Served, assistant: WhyThis) -> None:
    rec = assistant.ws.recommender
    seen = rec.item_ids.ids[rec.history(USER)[0]]
    with served.client() as client:
        told(client.post("/v1/explain", json={"user": USER, "item": seen}), 422, "invalid_request")


@pytest.mark.parametrize(
    ("content", "type_", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"user": "u01", "user": "u02", "item": "i00"}', "application/json", 400),
        (b'{"user": NaN}', "application/json", 400),
        (b'{"user": "\\ud800", "item": "i00"}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b'{"user": ' + b"[" * 20 + b"]" * 20 + b"}", "application/json", 400),
        (b'{"user": "u01", "item": "i00"}', "text/plain", 415),
        (b"user=u01&item=i00", "application/x-www-form-urlencoded", 415),
    ],
)
def test_bodies_that_are_no_json_are_refused(
    served: Served, content: bytes, type_: str, status: int
) -> None:
    with served.client() as client:
        for path in ("/v1/explain", "/v1/chat/completions"):
            said = client.post(path, content=content, headers={"Content-Type": type_})
            assert said.status_code in (status, 422 if not content else status), said.text
            assert "error" in said.json()


def test_bodies_that_are_too_large_are_refused(served: Served) -> None:
    def endless() -> Any:
        for _ in range(2_000):
            yield b" " * 1_000

    sent = {"Content-Type": "application/json"}
    with served.client() as client:
        told(client.post("/v1/explain", content=b" " * 300_000, headers=sent), 413, "too_large")
        told(client.post("/v1/explain", content=endless(), headers=sent), 413, "too_large")


@pytest.mark.parametrize("path", ["/../etc/passwd", "/v1/../../etc/passwd", "/%2e%2e/x", "/v1//x"])
def test_paths_lead_nowhere_else(served: Served, path: str) -> None:
    with served.client() as client:
        assert client.get(httpx.URL(served.url + path)).status_code == 404


def test_every_answer_has_a_number_and_says_what_browsers_may_do(served: Served) -> None:
    with served.client() as client:
        for said in (
            client.get("/healthz"),
            client.get("/none"),
            client.put("/healthz"),
            client.post("/v1/explain", json=PAIR),
            client.post("/v1/explain", json={}),
            client.post("/v1/explain", content=b" " * 300_000),
        ):
            assert len(said.headers["x-request-id"]) == 32
            for name, value in SECURITY.items():
                assert said.headers[name] == value
            assert "server" not in said.headers


def test_pages_of_other_sites_are_kept_out(served: Served) -> None:
    with served.client() as client:
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}):
            told(client.post("/v1/explain", json=PAIR, headers=headers), 403, "forbidden")
        rebound = {"Host": "evil.example"}
        told(client.post("/v1/explain", json=PAIR, headers=rebound), 421, "misdirected")
        assert client.get("/healthz", headers={"Origin": served.url}).status_code == 200
        assert "access-control-allow-origin" not in client.get("/healthz").headers


def test_health_and_figures(served: Served, assistant: WhyThis) -> None:
    with served.client() as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        ready = client.get("/readyz").json()
        client.post("/v1/explain", json=PAIR)
        figures = client.get("/metrics").text
    assert ready["model_hash"] == assistant.ws.recommender.hashes["model"]
    assert 'whythis_requests_total{method="POST",route="/v1/explain",status="200"}' in figures
    assert 'whythis_claims_total{verdict="verified"}' in figures
    assert 'whythis_waiting{lane="plain"} 0.0' in figures


def test_the_description_is_complete(served: Served) -> None:
    with served.client() as client:
        told_ = client.get("/openapi.json").json()
    assert {"/v1/explain", "/v1/recommend", "/v1/ask", "/v1/audit"} <= set(told_["paths"])
    assert {"/v1/chat/completions", "/v1/models", "/healthz", "/readyz"} <= set(told_["paths"])
    for name in ("ExplainRequest", "RecommendRequest", "AskRequest", "AuditRequest", "ChatRequest"):
        assert told_["components"]["schemas"][name]["examples"], name


def test_logs_hold_no_word_of_what_was_asked(assistant: WhyThis) -> None:
    secret = "zebra-in-the-kitchen"
    with serving(assistant) as one, one.client() as client:
        client.post("/v1/explain", json={"user": secret, "item": ITEM})
        client.post("/v1/explain", json={"user": USER, "item": secret})
        client.post("/v1/ask", json={"user": USER, "text": secret})
        client.get(f"/{secret}?{secret}", headers={"User-Agent": secret, "Authorization": secret})
        client.post("/v1/explain", json=PAIR)
        text, lines = one.lines.getvalue(), one.log
    assert secret not in text
    assert f'"{USER}"' not in text
    assert f'"{ITEM}"' not in text
    assert [line["status"] for line in lines] == [404, 404, 200, 404, 200]
    assert [line["route"] for line in lines] == [
        "/v1/explain",
        "/v1/explain",
        "/v1/ask",
        "other",
        "/v1/explain",
    ]
    assert len({line["request_id"] for line in lines}) == 5


def test_with_keys_nobody_else_is_let_in(assistant: WhyThis, tmp_path: Path) -> None:
    keys = keys_of(tmp_path / "keys.json", mine=[USER], all="*")
    with serving(assistant, keys=tmp_path / "keys.json") as one:
        for bad in ("", "x", keys["mine"][:-1], keys["mine"] + "x", "wt--", "ä" * 9):
            with one.client() as client:
                head = {"Authorization": f"Bearer {bad}".encode()} if bad else {}
                for path in ("/v1/explain", "/v1/recommend", "/v1/ask", "/v1/audit"):
                    said = client.post(path, content=b"{", headers=head)
                    told(said, 401, "unauthorized")
                    assert said.headers["www-authenticate"] == "Bearer"
                said = client.post("/v1/chat/completions", json={}, headers=head)
                assert (said.status_code, said.json()["error"]["type"]) == (
                    401,
                    "authentication_error",
                )
                assert client.get("/v1/models", headers=head).status_code == 401
                assert client.get("/metrics", headers=head).status_code == 401
                assert client.get("/healthz", headers=head).status_code == 200
        with one.client(keys["mine"]) as client:
            assert client.post("/v1/explain", json=PAIR).status_code == 200
            told(client.post("/v1/explain", json={**PAIR, "user": "u02"}), 403, "forbidden")
            told(client.post("/v1/explain", json={**PAIR, "user": "nope"}), 403, "forbidden")
            told(client.get("/metrics"), 403, "forbidden")
        with one.client(keys["all"]) as client:
            assert client.post("/v1/recommend", json={"user": "u02"}).status_code == 200
            assert client.get("/metrics").status_code == 200
        assert {line["key"] for line in one.log} == {None, "mine", "all"}


def test_a_key_that_asks_too_often_waits(assistant: WhyThis, tmp_path: Path) -> None:
    keys = keys_of(tmp_path / "keys.json", mine=[USER], other=[USER])
    settings = {"keys": tmp_path / "keys.json", "rate": 0.01, "burst": 2}
    with serving(assistant, **settings) as one, one.client(keys["mine"]) as client:
        said = [client.post("/v1/recommend", json={"user": USER}) for _ in range(3)]
        assert [r.status_code for r in said] == [200, 200, 429]
        told(said[-1], 429, "too_many_requests")
        assert int(said[-1].headers["retry-after"]) > 50
        with one.client(keys["other"]) as other:
            assert other.post("/v1/recommend", json={"user": USER}).status_code == 200
