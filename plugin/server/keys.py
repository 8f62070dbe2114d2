"""Tell who is asking: API keys of which only hashes are kept, each for users of its own.

A file of keys is JSON: `{"schema": "whythis/keys/1", "keys": [{"name", "id", "salt", "hash",
"users"}]}`; `users` is a list of ids, or "*" for all. A key reads `wt-ID-SECRET`. Its secret has
256 random bits, so that one SHA-256 with a salt suffices: a slow hash protects what can be guessed.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whythis.recsys.errors import ArtefactError, DataError, MissingPartError
from whythis.server.errors import Refused
from whythis.strict_json import strict_json

SCHEMA: Literal["whythis/keys/1"] = "whythis/keys/1"
LOCAL = "local"
"""The caller's name where there are no keys."""

_LONGEST = 200
_NOBODY = "0" * 64


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Key(_Frozen):
    """Keep what is known of a key: its public id, the salted hash of its secret, its users."""

    name: str = Field(pattern=r"^[\w.@-]{1,60}$")
    id: str = Field(pattern=r"^[0-9a-f]{8}$")
    salt: str = Field(pattern=r"^[0-9a-f]{32}$")
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    users: tuple[str, ...] | Literal["*"]


class _File(_Frozen):
    schema_: Literal["whythis/keys/1"] = Field(default=SCHEMA, alias="schema")
    keys: tuple[Key, ...] = ()


class Caller(_Frozen):
    """Say who asks, and for which users; `users` is None where it may ask for all."""

    name: str
    users: frozenset[str] | None = None

    def sees(self, user: str) -> bool:
        """Tell whether this caller may ask for a user."""
        return self.users is None or user in self.users

    def may(self, user: str) -> None:
        """Raise 403 for a user that is not this caller's, whether there is such a user or not."""
        if not self.sees(user):
            raise Refused(403, "forbidden", "this key may not ask for this user")


class Keys:
    """Know the callers by their keys."""

    def __init__(self, keys: Iterable[Key]) -> None:
        """Take the keys; `DataError` where two have one id or one name."""
        listed = tuple(keys)
        self._known = {key.id: key for key in listed}
        names = {key.name for key in listed}
        if len(self._known) < len(listed) or len(names) < len(listed):
            raise DataError("two keys have one name or one id: remove one of them")

    def caller(self, secret: str) -> Caller | None:
        """Return whose key this is, or None; the time it takes tells nothing of the secret."""
        parts = secret.split("-", 2)
        id_ = parts[1] if len(parts) == 3 and parts[0] == "wt" else ""
        key = self._known.get(id_)
        wanted, salt = (key.hash, key.salt) if key else (_NOBODY, "")
        if not hmac.compare_digest(_hash(salt, secret[:_LONGEST]), wanted) or key is None:
            return None
        return Caller(name=key.name, users=None if key.users == "*" else frozenset(key.users))


async def guard(request: Request) -> Caller:
    """Return who asks, known by `Authorization: Bearer KEY`; a dependency of every endpoint.

    Raises `Refused`: 401 without a valid key, 429 where it asks too often.
    """
    state = request.app.state
    caller = await known(request)
    request.state.caller = caller
    if state.keys is not None:
        state.rates.take(caller.name)
    return caller


async def known(request: Request) -> Caller:
    """Return who asks, without counting the request; raises as `guard` does."""
    keys: Keys | None = request.app.state.keys
    if keys is None:
        return Caller(name=LOCAL)
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    caller = keys.caller(secret.strip()) if kind.lower() == "bearer" else None
    if caller is None:
        raise Refused(
            401,
            "unauthorized",
            "give a valid API key as `Authorization: Bearer KEY`",
            {"WWW-Authenticate": "Bearer"},
        )
    return caller


def load_keys(path: Path) -> Keys:
    """Read a file of keys.

    Raises `MissingPartError` where there is none, `ArtefactError` where it is damaged.
    """
    if not path.is_file():
        raise MissingPartError(f"no file of keys {path}: make one with `whythis keys {path} --add`")
    return Keys(read(path))


def read(path: Path) -> tuple[Key, ...]:
    """Return the keys of a file, none where there is no file; raises as `load_keys`."""
    if not path.exists():
        return ()
    try:
        return _File.model_validate(strict_json(path.read_bytes())).keys
    except (ValidationError, DataError, OSError) as error:
        what = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise ArtefactError(f"{path} is no file of keys ({what}): make it again") from error


def new_key(name: str, users: Sequence[str] | Literal["*"]) -> tuple[str, Key]:
    """Return a new secret, to be shown once, and what is kept of it.

    Raises `DataError` for a name that is none.
    """
    id_, salt = secrets.token_hex(4), secrets.token_hex(16)
    secret = f"wt-{id_}-{secrets.token_urlsafe(32)}"
    allowed = users if users == "*" else tuple(dict.fromkeys(users))
    try:
        key = Key(name=name, id=id_, salt=salt, hash=_hash(salt, secret), users=allowed)
    except ValidationError:
        raise DataError(
            f"{name[:60]!r} is no name of a key: use letters, digits, '.', '-' and '_', at most 60"
        ) from None
    return secret, key


def write(path: Path, keys: Iterable[Key]) -> None:
    """Write a file of keys that its owner alone can read, whole or not at all."""
    plain = _File(schema=SCHEMA, keys=tuple(keys)).model_dump(by_alias=True, mode="json")
    part = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(json.dumps(plain, indent=2) + "\n")
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _hash(salt: str, secret: str) -> str:
    return sha256(f"{salt}{secret}".encode("utf-8", "replace")).hexdigest()
