"""Each claim of an answer is a LangChain citation that stands where the text says it."""

from __future__ import annotations

import re

import pytest
from langchain_core.messages import AIMessage, message_to_dict, messages_from_dict

from tests.plugin.samples import QUOTE, explanation
from whythis.claims.kinds import ReviewQuote
from whythis.explain import explain
from whythis.explanation import Explanation
from whythis.recsys.errors import ModelError
from whythis.surfaces.citations import cited_message
from whythis.tools.workspace import Workspace


def checked(found: Explanation) -> list[dict[str, object]]:
    """Return the citations of an explanation; each is held against the text and the claims."""
    message = cited_message(found)
    (block,) = message.content_blocks
    assert block["type"] == "text"
    assert block["text"] == message.text == found.answer
    claims = {claim.id: claim for claim in found.claims}
    cited = [dict(annotation) for annotation in block["annotations"]]
    assert len(cited) == sum(len(s.claims) for s in found.sentences)
    assert len({c["id"] for c in cited}) == len(cited)
    for citation in cited:
        extras = citation["extras"]
        claim = claims[extras["claim"]]
        (sentence,) = (s for s in found.sentences if s.start <= citation["start_index"] < s.end)
        span = found.answer[citation["start_index"] : citation["end_index"]]
        assert claim.id in sentence.claims
        assert extras["evidence"] == list(claim.evidence)
        assert extras["verdict"] == found.verdicts[claim.id].outcome
        if isinstance(claim, ReviewQuote):
            assert span == citation["cited_text"] == claim.value.quote
            assert extras["source_id"] == claim.subject.review
        else:
            assert span == sentence.text
            assert extras["source_id"] == claim.evidence[0]
            assert citation["cited_text"]
    return cited


def test_a_real_answer_is_cited_claim_by_claim(small_workspace: Workspace) -> None:
    for user in ("u00", "u01", "nobody"):
        for item in small_workspace.recommender.recommend(user, 2):
            cited = checked(explain(small_workspace, user, item.item))
            assert cited


def test_of_a_review_the_quoted_words_are_cited_with_their_address() -> None:
    cited = checked(explanation())
    (review,) = (c for c in cited if "url" in c)
    assert review["cited_text"] == QUOTE
    assert re.fullmatch(r"review://[\w.~%-]+", str(review["url"]))


def test_the_message_survives_being_stored(small_workspace: Workspace) -> None:
    item = small_workspace.recommender.recommend("u00", 1)[0].item
    found = explain(small_workspace, "u00", item)
    message = cited_message(found)
    (read,) = messages_from_dict([message_to_dict(message)])
    assert isinstance(read, AIMessage)
    assert read.content_blocks == message.content_blocks
    assert read.response_metadata["model_hash"] == found.model_hash


def test_a_record_that_lacks_what_it_cites_is_refused() -> None:
    with pytest.raises(ModelError, match="does not hold"):
        cited_message(explanation(claims=()))
