"""Keys are kept as hashes alone, and a key opens what is its own and nothing else."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plugin.running import whythis
from whythis.recsys.errors import ArtefactError, DataError, MissingPartError
from whythis.server.config import ServerConfig, check_reach
from whythis.server.errors import Refused
from whythis.server.keys import Caller, Keys, load_keys, new_key, read, write

SECRET, KEY = new_key("shop", ["42", "7"])


def test_a_key_is_known_and_its_secret_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    write(file, [KEY])
    assert load_keys(file).caller(SECRET) == Caller(name="shop", users=frozenset({"42", "7"}))
    assert SECRET.rpartition("-")[2] not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


@given(st.text(max_size=60))
def test_nothing_else_is_a_key(text: str) -> None:
    keys = Keys([KEY])
    assert keys.caller(text) is None
    assert keys.caller(f"wt-{KEY.id}-{text}") is None
    assert keys.caller(SECRET + text) is None or not text


def test_a_key_with_another_id_is_none() -> None:
    other, _ = new_key("other", "*")
    assert Keys([KEY]).caller(other) is None
    assert Keys([KEY]).caller(SECRET.replace(KEY.id, "00000000")) is None


def test_a_caller_may_ask_for_its_own_users() -> None:
    caller = Caller(name="shop", users=frozenset({"42"}))
    caller.may("42")
    for user in ("43", "", "42 ", "*"):
        with pytest.raises(Refused) as refused:
            caller.may(user)
        assert refused.value.status_code == 403
        assert user not in refused.value.detail.split()
    Caller(name="all").may("anyone")


@pytest.mark.parametrize(
    "content",
    ["", "{}x", '{"schema": "other", "keys": []}', '{"schema": "whythis/keys/1", "k": 1}'],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(content)
    with pytest.raises(ArtefactError, match="no file of keys"):
        load_keys(file)


def test_an_absent_file_and_doubled_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="whythis keys"):
        load_keys(tmp_path / "none.json")
    with pytest.raises(DataError, match="one name or one id"):
        Keys([KEY, KEY])
    with pytest.raises(DataError, match="no name of a key"):
        new_key("a b", "*")


def test_a_file_that_cannot_be_written_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys.json"
    write(file, [KEY])
    (tmp_path / "keys.json.part").mkdir()
    with pytest.raises(OSError, match="directory"):
        write(file, [])
    assert read(file) == (KEY,)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", ""])
def test_without_keys_only_this_machine_can_ask(host: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="whythis keys"):
        check_reach(ServerConfig(host=host))
    check_reach(ServerConfig(host=host, keys=tmp_path / "keys.json"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_this_machine_needs_no_keys(host: str) -> None:
    check_reach(ServerConfig(host=host))


def test_the_command_makes_lists_and_deletes_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    made = whythis("keys", file, "--add", "shop", "--user", "42", "--user", "7")
    assert made.code == 0
    caller = load_keys(file).caller(made.out.strip())
    assert caller == Caller(name="shop", users=frozenset({"42", "7"}))
    assert whythis("keys", file, "--add", "ops", "--all-users", "--json").json["name"] == "ops"
    listed = whythis("keys", file, "--json").json
    assert [(one["name"], one["users"]) for one in listed] == [("shop", ["42", "7"]), ("ops", "*")]
    assert made.out.strip() not in json.dumps(listed)
    assert "42, 7" in whythis("keys", file).out
    whythis("keys", file, "--add", "shop", "--all-users").refused("there is a key 'shop'")
    assert whythis("keys", file, "--remove", "shop").code == 0
    whythis("keys", file, "--remove", "shop").refused("no key 'shop'")
    assert [key.name for key in read(file)] == ["ops"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--add", "x"],
        ["--user", "1"],
        ["--add", "x", "--user", "1", "--all-users"],
        ["--add", "x", "--user", "1", "--remove", "x"],
    ],
)
def test_a_command_that_says_too_little_or_too_much_is_refused(
    tmp_path: Path, arguments: list[str]
) -> None:
    whythis("keys", tmp_path / "keys.json", *arguments).refused("--")
    assert not list(tmp_path.iterdir())
