"""Turn an explanation into a LangChain message whose text says, span by span, what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from langchain_core.messages import AIMessage
from langchain_core.messages.content import Citation, create_citation, create_text_block

from whythis.claims.kinds import Claim, ReviewQuote
from whythis.explanation import Explanation, Sentence
from whythis.surfaces.view import view
from whythis.text.wording import clean


def cited_message(found: Explanation) -> AIMessage:
    """Return the answer as a message with one text block, each claim of it a citation.

    Raises `ModelError` where a sentence cites what the record lacks.
    """
    block = create_text_block(found.answer, id="answer", annotations=list(citations(found)))
    return AIMessage(
        content_blocks=[block],
        response_metadata={
            "model_hash": found.model_hash,
            "data_hash": found.data_hash,
            "code_hash": found.code_hash,
        },
    )


def citations(found: Explanation) -> Iterator[Citation]:
    """Yield a citation for each claim of each sentence, in the order of the text.

    It spans the sentence, or of a review the quoted words alone; indices count code points of the
    answer. `cited_text` is what the claim says, of a review its words. `extras` name the claim, its
    level and verdict, the evidence, and as `source_id` the first of it or the review's sentence.
    """
    claims = {claim.id: claim for claim in found.claims}
    for sentence, line in zip(found.sentences, view(found).lines, strict=True):
        for id_, proof in zip(sentence.claims, line.proofs, strict=True):
            claim = claims[id_]
            start, end = _span(sentence, claim)
            review = claim.subject.review if isinstance(claim, ReviewQuote) else None
            words = found.answer[start:end] if review else "".join(proof.words)
            citation = create_citation(
                id=f"{line.number}-{id_}",
                title=proof.kind,
                start_index=start,
                end_index=end,
                cited_text=words,
                source_id=review or next(iter(claim.evidence), id_),
                claim=id_,
                level=claim.level,
                verdict=proof.outcome,
                evidence=list(claim.evidence),
            )
            if review:
                citation["url"] = f"review://{quote(review, safe='')}"
            yield citation


def _span(sentence: Sentence, claim: Claim) -> tuple[int, int]:
    if isinstance(claim, ReviewQuote):
        words = clean(claim.value.quote)
        at = sentence.text.find(f"“{words}”")
        if at >= 0:
            return sentence.start + at + 1, sentence.start + at + 1 + len(words)
    return sentence.start, sentence.end
