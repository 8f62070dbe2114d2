"""`whythis keys`: make and delete the keys by which a server knows who asks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whythis.commands.output import JsonFlag, answer, check_parent, paint, print_lines, say, table
from whythis.recsys.errors import DataError, MissingPartError, UnknownIdError

EXAMPLE = "whythis keys keys.json --add shop --user 42 --user 7"


def keys(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of keys.")],
    add: Annotated[str | None, typer.Option(metavar="NAME", help="Make a key.")] = None,
    user: Annotated[
        list[str] | None, typer.Option(help="A user it may ask for; may be repeated.")
    ] = None,
    all_users: Annotated[
        bool, typer.Option("--all-users", help="It may ask for every user.")
    ] = False,
    remove: Annotated[str | None, typer.Option(metavar="NAME", help="Delete a key.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the keys of a file, make one or delete one.

    A new key is printed once, and is found nowhere after that: the file holds its salted hash. A
    running server reads the file when it starts.
    """
    try:
        from whythis.server.keys import load_keys, new_key, read, write
    except ImportError as error:
        raise MissingPartError(
            f"{error.name} is not installed: pip install 'whythis[server]'"
        ) from error
    check_parent("FILE", file)
    if (add is None) == bool(user or all_users) or (add is not None and remove is not None):
        raise DataError("--add NAME needs --user U or --all-users, and these need --add")
    if user and all_users:
        raise DataError("--user and --all-users: give one of them")
    known = {key.name: key for key in read(file)}
    if add is not None:
        if add in known:
            raise DataError(f"there is a key {add!r} in {file}: --remove it first")
        secret, made = new_key(add, "*" if all_users else user or ())
        write(file, [*known.values(), made])
        say(f"added to {file}; the key itself is shown this once")
        if as_json:
            answer({"name": add, "key": secret})
        else:
            print_lines(secret)
        return
    if remove is not None:
        if remove not in known:
            raise UnknownIdError(f"no key {remove[:60]!r} in {file}; there is {', '.join(known)}")
        write(file, [key for name, key in known.items() if name != remove])
        say(f"removed from {file}")
        return
    load_keys(file)
    if as_json:
        answer([{"name": k.name, "id": k.id, "users": k.users} for k in known.values()])
        return
    rows = [(k.name, k.id, "*" if k.users == "*" else ", ".join(k.users)) for k in known.values()]
    paint(table([("name", "id", "users"), *rows]))
