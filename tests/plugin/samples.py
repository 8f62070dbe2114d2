"""Build explanations by hand, for tests of the surfaces that show them."""

from typing import Any

from whythis.claims.kinds import (
    Claim,
    HistoryEffect,
    HistoryEffectValue,
    NamedItems,
    NamedShare,
    NotAboutYou,
    NotAboutYouValue,
    PersonaEffect,
    PersonaEffectValue,
    PersonaItems,
    PersonaShare,
    PopularityFact,
    PopularityValue,
    RankFact,
    RankValue,
    RatingFact,
    RatingValue,
    ReviewQuote,
    ReviewQuoteValue,
    Subject,
)
from whythis.explanation import (
    Dropped,
    Explanation,
    Metrics,
    PersonaBar,
    PromptRef,
    Sentence,
    Verdict,
)
from whythis.tools.evidence import evidence

MODEL = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
DATA = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
CODE = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
PROMPT = "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13"

TITLES = {"50": "Star Wars (1977)", "183": "Alien (1979)", "89": "Blade Runner (1982)"}
BARS = (
    PersonaBar(
        name="science fiction and adventure",
        share=0.62,
        effect=0.84,
        titles=("Star Wars (1977)", "Alien (1979)", "Blade Runner (1982)"),
    ),
    PersonaBar(
        name="drama and film noir",
        share=0.23,
        effect=0.07,
        titles=("L.A. Confidential (1997)", "Chinatown (1974)", "Fargo (1996)"),
    ),
    PersonaBar(
        name="family films and musicals",
        share=0.15,
        effect=-0.31,
        titles=("Mary Poppins (1964)", "Babe (1995)", "Aladdin (1992)"),
    ),
)
QUOTE = "Jodie Foster makes listening look like the bravest thing a scientist can do."

PARAGRAPHS: tuple[tuple[tuple[str, tuple[str, ...], str], ...], ...] = (
    (
        (
            "The taste for science fiction and adventure speaks for it: 41st without, 3rd with it.",
            ("c1", "c2"),
            "model",
        ),
        (
            "That taste rests most on Star Wars (1977), Alien (1979) and Blade Runner (1982).",
            ("c3",),
            "realiser",
        ),
        (
            "Take Star Wars (1977) and Alien (1979) out of your history and it leaves the top ten.",
            ("c4",),
            "model",
        ),
        ("Your taste for family films and musicals held it back.", ("c5",), "model"),
    ),
    (
        (f"One sample review says: “{QUOTE}”", ("c6",), "model"),
        ("It is rated 3.80 of 5 on average, over 509 ratings.", ("c7",), "realiser"),
    ),
)
DROPPED = (
    Dropped(
        text="You will love its Oscar-winning score.",
        reason="“Oscar-winning” stands in no claim that the sentence cites",
    ),
    Dropped(
        text="Your family films taste is why it is here.",
        reason="the effect of family films and musicals is negative, the sentence says it helps",
    ),
)


def claims(user: str = "42", item: str = "258") -> tuple[Claim, ...]:
    """Return one claim of every kind, ids c1 to c10."""

    def subject(**more: Any) -> Subject:
        return Subject(user=user, item=item, **more)

    first, third = BARS[0].name, BARS[2].name
    return (
        PersonaEffect(
            id="c1",
            subject=subject(persona=0),
            evidence=(PROOFS[0].id,),
            value=PersonaEffectValue(name=first, effect=0.84, rank_before=3, rank_after=41),
        ),
        PersonaShare(
            id="c2",
            subject=subject(persona=0),
            evidence=(PROOFS[0].id,),
            value=NamedShare(name=first, share=0.62),
        ),
        PersonaItems(
            id="c3",
            subject=subject(persona=0, items=("50", "183", "89")),
            evidence=(PROOFS[0].id,),
            value=NamedItems(name=first),
        ),
        HistoryEffect(
            id="c4",
            subject=subject(items=("50", "183")),
            evidence=(PROOFS[3].id,),
            value=HistoryEffectValue(
                score_before=4.21,
                score_after=3.1,
                rank_before=3,
                rank_after=27,
                top=10,
                outside=True,
            ),
        ),
        PersonaEffect(
            id="c5",
            subject=subject(persona=2),
            evidence=(PROOFS[2].id,),
            value=PersonaEffectValue(name=third, effect=-0.31, rank_before=3, rank_after=3),
        ),
        ReviewQuote(
            id="c6",
            subject=subject(review="sample-258-2"),
            evidence=(PROOFS[4].id,),
            value=ReviewQuoteValue(quote=QUOTE, rating=4.0, source="sample"),
        ),
        RatingFact(
            id="c7",
            subject=subject(),
            evidence=(PROOFS[5].id,),
            value=RatingValue(mean=3.8035, count=509, best=5.0),
        ),
        PopularityFact(
            id="c8",
            subject=subject(),
            evidence=(PROOFS[5].id,),
            value=PopularityValue(liked=311, place=12, of=1682),
        ),
        RankFact(
            id="c9",
            subject=subject(),
            evidence=(PROOFS[0].id,),
            value=RankValue(rank=3, of=1500),
        ),
        NotAboutYou(
            id="c10",
            subject=subject(),
            evidence=(PROOFS[0].id,),
            value=NotAboutYouValue(rank=3, rank_without_history=9, top=10),
        ),
    )


PROOFS = (
    *(
        evidence(
            "persona_effect",
            {
                "persona": n,
                "name": bar.name,
                "items": list(TITLES) if n == 0 else [],
                "titles": list(bar.titles) if n == 0 else [],
                "share": bar.share,
                "effect": bar.effect,
                "rank": 3,
                "rank_without": (41, 5, 3)[n],
            },
            source=f"model:{MODEL}",
            probe="personas",
            user="42",
            item="258",
        )
        for n, bar in enumerate(BARS)
    ),
    evidence(
        "history_effect",
        {
            "items": ["50", "183"],
            "rank_before": 3,
            "rank_after": 27,
            "score_before": 4.21,
            "score_after": 3.1,
        },
        source=f"model:{MODEL}",
        probe="history",
        user="42",
        item="258",
    ),
    evidence(
        "review",
        {"sentence": "sample-258-2", "text": QUOTE, "rating": 4.0, "source": "sample"},
        source="reviews:sample",
        probe="reviews",
        item="258",
        about=None,
    ),
    evidence(
        "facts",
        {"mean": 3.8035, "ratings": 509, "best": 5.0, "liked": 311, "place": 12, "of": 1682},
        source=f"data:{DATA}",
        probe="facts",
        user="42",
        item="258",
    ),
)


def explanation(**changes: Any) -> Explanation:
    """Return a full explanation of one recommendation; keyword arguments replace its fields.

    `paragraphs`: (text, claim ids, writer) in paragraphs, instead of the sample's own.
    """
    answer, sentences = laid_out(changes.pop("paragraphs", PARAGRAPHS))
    backing = changes.get("claims", claims())
    fields: dict[str, Any] = {
        "user": "42",
        "item": "258",
        "title": "Contact (1997)",
        "question": 'Why "Contact (1997)" for user 42?',
        "model_hash": MODEL,
        "data_hash": DATA,
        "code_hash": CODE,
        "prompt": PromptRef(name="write", hash=PROMPT),
        "llm": "qwen2.5-coder-1.5b",
        "llm_error": None,
        "seed": 7,
        "answer": answer,
        "sentences": sentences,
        "claims": backing,
        "verdicts": {
            c.id: Verdict(outcome="verified", reason="executed again: equal") for c in backing
        },
        "evidence": PROOFS,
        "dropped": DROPPED,
        "personas": BARS,
        "metrics": Metrics(
            claim_precision_draft=0.67,
            coverage=0.94,
            rounds=1,
            tokens=412,
            ms={"probes": 120.4, "write": 5200.0, "check": 83.9},
        ),
    }
    return Explanation(**fields | changes)


def laid_out(
    paragraphs: tuple[tuple[tuple[str, tuple[str, ...], str], ...], ...],
) -> tuple[str, tuple[Sentence, ...]]:
    """Join sentences to an answer; every sentence knows its place in it."""
    answer, sentences = "", []
    for paragraph in paragraphs:
        answer += "\n\n" if answer else ""
        for n, (text, cited, writer) in enumerate(paragraph):
            answer += " " if n else ""
            start = len(answer)
            answer += text
            sentences.append(
                Sentence(
                    text=text,
                    draft=text,
                    start=start,
                    end=len(answer),
                    claims=cited,
                    writer=writer,
                )
            )
    return answer, tuple(sentences)
