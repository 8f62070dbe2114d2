"""Test sentences on what reviewers wrote."""

from __future__ import annotations

from whythis.auditing.causes import Talk, Tested, Values, number
from whythis.auditing.grammar import Reading
from whythis.auditing.ground import Ground
from whythis.text.wording import clean
from whythis.tools.reviews.store import Sentence

PARTIAL = "only a part of a sentence stands in a review of it, which may change its sense"


def quote(reading: Reading, talk: Talk) -> Tested:
    """Test that a whole stored sentence is quoted, of whom and with which rating."""
    ground = talk.ground
    said = reading.parts["quote"].values[0]
    known = [(_bare(stored.text), stored) for stored in ground.sentences]
    alike = [stored for text, stored in known if text == _bare(said)]
    if not alike:
        inside = any(_bare(said) in text for text, _ in known)
        return PARTIAL if inside else "no review of this item has this sentence", {}
    # several reviewers may have written the same words: one of whom it is true is enough
    answers = [_quoted(reading, stored, ground) for stored in alike]
    return next((answer for answer in answers if answer[0] is None), answers[0])


def _quoted(reading: Reading, stored: Sentence, ground: Ground) -> Tested:
    values: Values = {"review": stored.id, "rating": stored.rating, "source": stored.source}
    low, high = ground.tones
    wrong = None
    rating = number(reading.parts.get("rating"))
    if stored.user == ground.user:
        wrong = "that is the user's own review of this item"
    elif not ground.ws.is_past(stored):
        wrong = "that review is not older than what is explained"
    elif rating is not None and rating != stored.rating:
        wrong = "the review's rating is another"
    elif (best := number(reading.parts.get("best"))) is not None and best != ground.facts.best:
        wrong = f"the best rating is {ground.facts.best}"
    elif "sample" in reading.flags and stored.source != "sample":
        wrong = "the review is no sample"
    elif "favourable" in reading.flags and (stored.rating is None or stored.rating < high):
        wrong = "the review is not favourable"
    elif "critical" in reading.flags and (stored.rating is None or stored.rating > low):
        wrong = "the review is not critical"
    return wrong, values


def dissent(_reading: Reading, talk: Talk) -> Tested:
    """Test whether a review by another user is critical."""
    ground = talk.ground
    low, _ = ground.tones
    others = ground.ws.item_sentences(ground.user, ground.item)
    critical = [s.id for s in others if s.rating is not None and s.rating <= low]
    wrong = None if critical else "no review of it is critical"
    return wrong, {"review": critical[0] if critical else None}


def _bare(text: str) -> str:
    return str(clean(text)).strip(" .,").replace("’", "'")
