"""Hold what a server is told: where it listens, who may ask, and how much at once."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from whythis.recsys.errors import DataError


class ServerConfig(BaseModel):
    """Configure a server.

    keys: the file of API keys (see `whythis.server.keys`); without one everybody on this machine
        may ask for every user, and nobody else.
    rate, burst: requests a second that a key may make in the long run, and at once.
    body_bytes, depth: the largest body, and how deep its JSON may be nested.
    seconds, model_seconds: how long a request may take, without and with a language model.
    threads: answers computed at once without a language model; with one it is one at a time.
    waiting: requests of one key that may wait for their turn; queue: of all keys.
    grace: seconds that running requests have to end when the server stops.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    keys: Path | None = None
    page: bool = True
    otel: bool = False
    rate: float = Field(default=20.0, gt=0)
    burst: int = Field(default=40, ge=1)
    body_bytes: int = Field(default=256 * 1024, ge=1024)
    depth: int = Field(default=12, ge=2)
    seconds: float = Field(default=15.0, gt=0)
    model_seconds: float = Field(default=120.0, gt=0)
    threads: int = Field(default=1, ge=1)
    waiting: int = Field(default=16, ge=1)
    queue: int = Field(default=64, ge=1)
    grace: int = Field(default=20, ge=1)


def check_reach(config: ServerConfig) -> None:
    """Refuse to listen beyond this machine without keys (`DataError`)."""
    if config.keys is None and not is_loopback(config.host):
        raise DataError(
            f"--host {config.host} can be reached from elsewhere and there are no keys: make some "
            "with `whythis keys FILE --add NAME` and give --keys FILE, or use --host 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address, without a port, is this machine and no other."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
