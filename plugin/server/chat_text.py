"""Write a reply as one text for chat clients, which may render it as Markdown."""

from __future__ import annotations

import re

from whythis.conversation.reply import Change, Reply

_LINKS = re.compile(r"(\])(?=[(\[:])|(!)(?=\[)")


def safe(text: str) -> str:
    """Return a text in which no title makes a link, a picture or HTML, however it is called."""
    return _LINKS.sub(lambda found: f"{found[0]} ", text.replace("<", "‹").replace(">", "›"))


def said(sentence: str, first: bool) -> str:
    """Return what a sentence adds to the text."""
    return safe(sentence) if first else f" {safe(sentence)}"


def shown(reply: Reply) -> str:
    """Return what is shown below the sentences, or nothing: a list, changes, choices."""
    blocks = [
        [f"{one.rank}. {one.title}" for one in reply.items],
        [_changed(one) for one in reply.changes],
        [f"{n}. {one.title}" for n, one in enumerate(reply.choices, 1)],
    ]
    return "".join("\n\n" + safe("\n".join(block)) for block in blocks if block)


def written(reply: Reply) -> str:
    """Return the whole text of a reply."""
    return safe(reply.text) + shown(reply)


def _changed(one: Change) -> str:
    places = [f"place {rank}" if rank else "not ranked" for rank in (one.before, one.after)]
    return f"- {one.title}: {places[0]} → {places[1]}"
