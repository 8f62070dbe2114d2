"""Make saved explanations false: operators on their claims, evidence, sentences and marks.

Each operator takes an explanation in its public JSON form and what is true of its recommendation,
and yields records that say something false, or mix up what belongs to different users, items, runs
or reviews. Values are changed twice: in the claim alone, and as a careful forger would, in claim,
evidence and text together, the evidence's id computed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from whythis.bench import mutation_claims, mutation_sentences
from whythis.bench.falsehoods import Scene
from whythis.bench.mutation_forgery import Answer, Forgeries, Record


@dataclass(frozen=True)
class RecordMutant:
    """Hold a record and what is false in it now.

    `leaked`: it is false only where the quoted review is the user's own.
    """

    operator: str
    record: Record
    false: str
    leaked: bool = False


Operator = Callable[[Answer, Scene], Forgeries]


def record_mutants(answer: Answer, scene: Scene) -> Iterator[RecordMutant]:
    """Yield every mutant of a saved explanation."""
    for name, operator in OPERATORS.items():
        for record, false in operator(answer, scene):
            leaked = name == "target review leaked"
            if record != answer.saved or leaked:
                yield RecordMutant(name, record, false, leaked)


OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "item swapped": mutation_claims.swapped_item,
        "persona swapped": mutation_claims.swapped_persona,
        "persona invented": mutation_claims.invented_persona,
        "sign flipped": mutation_claims.flipped_sign,
        "direction flipped": mutation_sentences.turned_words,
        "number shifted": mutation_claims.shifted_number,
        "rank changed": mutation_claims.changed_rank,
        "count changed": mutation_claims.false_count,
        "because for a share": mutation_sentences.caused_by_share,
        "comparison false": mutation_sentences.false_comparison,
        "another user's evidence": mutation_claims.others_evidence,
        "stale model": mutation_claims.stale_model,
        "quote altered": mutation_claims.altered_quote,
        "unsupported sentence": mutation_sentences.added_sentence,
        "false clause appended": mutation_sentences.added_clause,
        "target review leaked": mutation_sentences.leaked_review,
        "level changed": mutation_claims.changed_level,
        "user exchanged": mutation_claims.exchanged_user,
        "text edited": mutation_sentences.edited_text,
        "verdict forged": mutation_claims.forged_verdict,
        "tolerance widened": mutation_claims.widened_tolerance,
        "claims exchanged": mutation_sentences.exchanged_claims,
    }
)
