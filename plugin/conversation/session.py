"""Hold what a conversation may refer back to; the caller keeps it, nothing here writes it down."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whythis.conversation.intents import Intent
from whythis.recsys.errors import DataError
from whythis.recsys.interactions import shown as quoted
from whythis.recsys.scorer import Scorer

MOST_SHOWN = 100
MOST_EDITED = 20
"""How many items of a list are kept, and how many one correction may name."""

_Id = Annotated[str, Field(max_length=200)]


class Proposal(BaseModel):
    """Hold a correction that waits for the user's yes.

    forget: past items that shall be as if they had never been; reject: items that shall never count
    as liked and never be recommended. data_hash: of the data it was proposed on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    act: Literal["forget", "reject"]
    items: tuple[_Id, ...] = Field(min_length=1, max_length=MOST_EDITED)
    data_hash: str = Field(max_length=200)


class Asked(BaseModel):
    """Hold a question that lacked an item or a taste, so that a bare name can complete it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intent: Intent
    items: tuple[_Id, ...] = Field((), max_length=MOST_EDITED)


class Session(BaseModel):
    """Hold the state after a turn: ids alone, no text of the user's.

    turns: how many there were. shown: the last list, in its order. focus: the item last spoken of;
    other: the one it was compared with. seed: equal seeds word alike. proposal: what waits for a
    yes. asked: what was asked back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str = Field(max_length=1000)
    turns: int = Field(0, ge=0)
    shown: tuple[_Id, ...] = Field((), max_length=MOST_SHOWN)
    focus: _Id | None = None
    other: _Id | None = None
    seed: int = Field(0, ge=0)
    proposal: Proposal | None = None
    asked: Asked | None = None

    @classmethod
    def from_json(cls, data: object) -> Session:
        """Read a session that came back from a client; raise `DataError` where it is none."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the session"
            raise DataError(f"this is no session: at {quoted(where)}, {first['msg']}") from None

    def known(self, rec: Scorer) -> Self:
        """Return the session without items that the data do not hold."""

        def there(item: str | None) -> bool:
            return item is not None and item in rec.item_ids

        proposal, asked = self.proposal, self.asked
        if proposal is not None and not all(map(there, proposal.items)):
            proposal = None
        return self.model_copy(
            update={
                "shown": tuple(filter(there, self.shown)),
                "focus": self.focus if there(self.focus) else None,
                "other": self.other if there(self.other) else None,
                "proposal": proposal,
                "asked": None if asked is None or not all(map(there, asked.items)) else asked,
            }
        )
