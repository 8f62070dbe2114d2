"""Score generated texts against one reference each as PETER and ERRA do: BLEU, ROUGE, repetition.

PETER (Li, Zhang, Chen, ACL 2021, arXiv 2105.11601) and ERRA (Cheng et al., ACL 2023, arXiv
2306.12657) measure with the same functions; their BLEU and ROUGE are those of TensorFlow NMT. Both
cut references and texts to 15 words before they measure; here nothing is cut.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from whythis.bench.explainers import needed

Tokens = Sequence[str]

_TINY, _TINIEST = 1e-8, 1e-12  # what TensorFlow NMT adds so as not to divide by 0


def tokens(text: str) -> list[str]:
    """Return the words and punctuation marks of a text, in lower case (mteval-13a, sacrebleu)."""
    return str(_tokenizer()(text.lower())).split()


def bleu(generated: Sequence[Tokens], references: Sequence[Tokens], order: int) -> float:
    """Return the BLEU of a corpus with n-grams up to `order`, 0..100.

    100 * min(1, exp(1 - r/c)) * (p_1 * ... * p_order)^(1/order), without smoothing: p_n is the
    clipped n-gram precision of all texts together, c their length, r that of the references
    (Papineni et al., ACL 2002). One n-gram order without a match makes it 0. TensorFlow NMT's
    `compute_bleu(smooth=False)` with one reference a text is the same formula; sacrebleu computes.

    Raises `ValueError` where the two differ in number or there are none.
    """
    _check(generated, references)
    scorer = needed("sacrebleu").metrics.BLEU(
        tokenize="none", smooth_method="none", max_ngram_order=order, force=True
    )
    score = scorer.corpus_score(
        [" ".join(text) for text in generated], [[" ".join(text) for text in references]]
    )
    return float(score.score)


def rouge(generated: Sequence[Tokens], references: Sequence[Tokens]) -> dict[str, np.ndarray]:
    """Return ROUGE-1, ROUGE-2 and ROUGE-L of each text as F1, 0..100 (Lin, 2004; rouge-score).

    An n-gram that stands twice counts twice. Raises like `bleu`.
    """
    scores = _scores(generated, references)
    return {
        name: np.asarray([100 * score[name].fmeasure for score in scores])
        for name in ("rouge1", "rouge2", "rougeL")
    }


def peter_rouge(generated: Sequence[Tokens], references: Sequence[Tokens]) -> dict[str, np.ndarray]:
    """Return ROUGE-1, ROUGE-2 and ROUGE-L of each text as PETER reports them: its F, 0..100.

    Two things differ from ROUGE proper. ROUGE-N is over sets: an n-gram counts once however often
    it stands, F = 2PR/(P + R + 1e-8). ROUGE-L weighs recall by beta = P/(R + 1e-12) instead of 1:
    F = (1 + beta^2)RP/(R + beta^2 P + 1e-12), which is nearer than F1 to the smaller of the two.
    P and R of ROUGE-L are rouge-score's: the longest common subsequence by either length. A text
    without words gets 0. Raises like `bleu`.
    """
    scores = _scores(generated, references)
    pairs = list(zip(generated, references, strict=True))
    return {
        "rouge1": np.asarray([100 * _of_sets(text, reference, 1) for text, reference in pairs]),
        "rouge2": np.asarray([100 * _of_sets(text, reference, 2) for text, reference in pairs]),
        "rougeL": np.asarray(
            [100 * _leaning(s["rougeL"].precision, s["rougeL"].recall) for s in scores]
        ),
    }


def unique_ratio(generated: Sequence[Tokens]) -> float:
    """Return USR, the share of different texts among all, 0..1 (PETER; 1 is best)."""
    if not generated:
        raise ValueError("there is no text to compare; give at least one")
    return len({tuple(text) for text in generated}) / len(generated)


def repeated_share(text: Tokens) -> float:
    """Return the share of a text's tokens that stood in it before, 0..1; 0 without tokens."""
    return 1 - len(set(text)) / len(text) if text else 0.0


def entropy(generated: Sequence[Tokens], order: int) -> float:
    """Return ENTR-n, the entropy in nats of the n-grams of all texts together.

    -sum_w F(w)/F log(F(w)/F), F(w) being how often w stands (Zhang et al., NeurIPS 2018, Ent-n);
    more is more varied. 0 where there is no n-gram.
    """
    counts = Counter(gram for text in generated for gram in _grams(text, order))
    whole = counts.total()
    return -sum(n / whole * math.log(n / whole) for n in counts.values())


class _AsGiven:
    """Hand rouge-score the tokens that there are."""

    def tokenize(self, text: str) -> list[str]:
        return text.split()


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    return needed("sacrebleu.tokenizers.tokenizer_13a").Tokenizer13a()


def _scores(generated: Sequence[Tokens], references: Sequence[Tokens]) -> list[Any]:
    _check(generated, references)
    scorer = needed("rouge_score.rouge_scorer").RougeScorer(
        ["rouge1", "rouge2", "rougeL"], tokenizer=_AsGiven()
    )
    return [
        scorer.score(" ".join(reference), " ".join(text))
        for text, reference in zip(generated, references, strict=True)
    ]


def _check(generated: Sequence[Tokens], references: Sequence[Tokens]) -> None:
    if len(generated) != len(references) or not generated:
        raise ValueError(
            f"{len(generated)} texts and {len(references)} references: give each text one"
        )


def _grams(text: Tokens, order: int) -> list[tuple[str, ...]]:
    return [tuple(text[start : start + order]) for start in range(len(text) - order + 1)]


def _of_sets(text: Tokens, reference: Tokens, order: int) -> float:
    own, wanted = set(_grams(text, order)), set(_grams(reference, order))
    both = len(own & wanted)
    precision, recall = both / max(1, len(own)), both / max(1, len(wanted))
    return 2 * precision * recall / (precision + recall + _TINY)


def _leaning(precision: float, recall: float) -> float:
    beta = precision / (recall + _TINIEST)
    return (1 + beta**2) * recall * precision / (recall + beta**2 * precision + _TINIEST)
