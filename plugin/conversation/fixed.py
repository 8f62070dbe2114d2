"""Hold the sentences that are always the same: they ask, or say what can be asked; no claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from whythis.text.wording import clean

ECHO = 60
"""Characters of a question that are repeated, at most, and only inside quotation marks."""

FIXED: Mapping[str, str] = MappingProxyType(
    {
        "help": "You can ask why a title is recommended or not, or why one stands above another.",
        "help_more": (
            "You can ask what would happen if you had never liked something, what people say about "
            "a title, what is known of you, and for more or less of something."
        ),
        "help_edit": (
            "If something known of you is wrong, say so: every correction is shown before it is "
            "kept, and can be undone."
        ),
        "unrelated": "I can only speak about your recommendations.",
        "which": "Which title do you mean?",
        "which_other": "Which two titles do you want to compare?",
        "which_past": "Which of the titles in your past, or which of your tastes, do you mean?",
        "which_taste": "Which of your tastes do you mean?",
        "mean": "Did you mean one of these?",
        "unsure": "I am not sure what you are asking.",
        "unclear": "I could not place “{echo}”.",
        "confirm": "Shall I keep this correction?",
        "left": "Nothing was changed.",
        "nothing_open": "No correction is waiting for a yes.",
        "nothing_undone": "There is no correction to take back.",
        "no_place": "Corrections cannot be kept here.",
        "stale": "The data have changed since I asked: please say it again.",
        "contest_what": "Name the title or the taste that is wrong, and I will leave it out.",
        "unseen_only": "I can only look into what you have not seen yet.",
        "cannot": "That cannot be found out here.",
        "nothing": "Nothing could be said about this that holds.",
        "again": "What is forgotten can be recommended again.",
        "undo": "You can take it back at any time: say “undo”.",
    }
)
"""Every sentence without a claim, by name; `{echo}` is filled by `echoed` alone."""


def echoed(text: str) -> str:
    """Return somebody's words as they may be repeated: on one line, cut, no quotation mark."""
    plain = clean(text[: 4 * ECHO]).replace("“", "'").replace("”", "'").replace('"', "'")
    return plain if len(plain) <= ECHO else f"{plain[: ECHO - 1]}…"


def is_fixed(text: str) -> bool:
    """Return whether a sentence is one of these, with at most `ECHO` characters echoed."""
    if text in FIXED.values():
        return True
    before, _, after = FIXED["unclear"].partition("{echo}")
    inside = text[len(before) : len(text) - len(after)]
    whole = text.startswith(before) and text.endswith(after) and len(text) > len(before + after)
    return whole and len(inside) <= ECHO and inside == echoed(inside)


def suggestions(names: Sequence[str], titles: Sequence[str]) -> tuple[str, ...]:
    """Return questions to ask next, `{}` filled with a title or the name of a taste."""
    filled = []
    for name in names:
        template = _NEXT[name]
        if "{}" not in template:
            filled.append(template)
        elif titles:
            filled.append(template.format(clean(titles[0])))
    return tuple(filled)


_NEXT: Mapping[str, str] = MappingProxyType(
    {
        "list": "What do you recommend?",
        "why": "Why {}?",
        "why_not": "Why not {}?",
        "people": "What do people say about it?",
        "without": "What if I forget {}?",
        "more": "Show me more like that.",
        "less": "Show me less like that.",
        "me": "Who do you think I am?",
        "not_why": "That's not why.",
        "keep": "Forget {}.",
        "never": "Never recommend {}.",
        "taste_more_like": "Show me more of my taste for {}.",
        "taste_less_of": "Show me less of my taste for {}.",
        "taste_what_if": "What if I had no taste for {}?",
        "undo": "Undo that.",
        "yes": "Yes.",
        "no": "No.",
    }
)
