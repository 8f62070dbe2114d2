"""Turn what a surface shows into JSON that keeps whose words each text is.

A text of ours is a string; somebody else's is `{"theirs": text}`, a quotation `{"quote": text}`;
a text in pieces is a list of these. A page can then isolate what is not ours and parse nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from whythis.text.wording import Quote, Theirs


def marked(shown: object) -> Any:
    """Return a frozen record of a surface, or a part of it, as JSON."""
    if isinstance(shown, Quote):
        return {"quote": str(shown)}
    if isinstance(shown, Theirs):
        return {"theirs": str(shown)}
    if isinstance(shown, Mapping):
        return {str(key): marked(value) for key, value in shown.items()}
    if isinstance(shown, (list, tuple)):
        return [marked(one) for one in shown]
    if is_dataclass(shown) and not isinstance(shown, type):
        return {field.name: marked(getattr(shown, field.name)) for field in fields(shown)}
    return shown
