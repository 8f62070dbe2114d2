"""Make sentences false: operators on the free text of an explanation, from the reader's side.

Each operator takes a true sentence and what is true of its recommendation, and yields sentences
that are false or unsupported by it. Where a change might leave a sentence true, the operator looks
into the ground truth first, and says how in its docstring. None knows how sentences are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from whythis.bench import mutation_names, mutation_numbers, mutation_quotes, mutation_words
from whythis.bench.falsehoods import Lies, Scene
from whythis.bench.ground_truth import GroundTruth
from whythis.bench.paraphrasing import Told


@dataclass(frozen=True)
class Mutant:
    """Hold a sentence and what is false in it now.

    `leaked`: it is false only where the quoted review is the user's own.
    """

    operator: str
    text: str
    false: str
    leaked: bool = False


Operator = Callable[[Told, GroundTruth, Scene], Lies]


def mutants(told: Told, truth: GroundTruth, scene: Scene) -> Iterator[Mutant]:
    """Yield every mutant of a true sentence, operator by operator."""
    for name, operator in OPERATORS.items():
        for text, false in operator(told, truth, scene):
            leaked = name == "target review leaked"
            if text != told.text or leaked:
                yield Mutant(name, text, false, leaked)


OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "item swapped": mutation_names.swapped_item,
        "item and cause exchanged": mutation_names.item_for_cause,
        "like swapped": mutation_names.swapped_like,
        "taste swapped": mutation_names.swapped_taste,
        "taste invented": mutation_names.invented_taste,
        "another user's": mutation_names.of_another_user,
        "direction flipped": mutation_words.flipped,
        "place changed": mutation_numbers.changed_places,
        "places exchanged": mutation_numbers.exchanged_places,
        "share changed": mutation_numbers.changed_shares,
        "count changed": mutation_numbers.changed_counts,
        "rating changed": mutation_numbers.changed_ratings,
        "top changed": mutation_numbers.smaller_top,
        "because for a share": mutation_words.caused_by_share,
        "comparison false": mutation_words.compared,
        "exaggerated": mutation_words.exaggerated,
        "negation put in": mutation_words.denied,
        "negation taken out": mutation_words.affirmed,
        "quote: a word changed": mutation_quotes.word_changed,
        "quote: negated": mutation_quotes.negated,
        "quote: spliced": mutation_quotes.spliced,
        "quote: of another item": mutation_quotes.of_another_item,
        "quote: tone turned": mutation_quotes.tone_turned,
        "target review leaked": mutation_quotes.leaked,
        "unsupported sentence": mutation_words.added_sentence,
        "false clause appended": mutation_words.added_clause,
        "about other people": mutation_words.about_others,
    }
)
