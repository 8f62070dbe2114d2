"""Log lines of JSON without a word of what people ask: no user, item, question, path or address."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

_FIELDS = "whythis_fields"


class JsonLines(logging.Formatter):
    """Write a record as one line of JSON; of an exception its type and places, not its words."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            told["error"] = type(error).__name__
            told["at"] = [
                f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)[-8:]
            ]
        return json.dumps(told)


class Lines(logging.StreamHandler[TextIO]):
    """Write lines; where they cannot be written, such as at a full disk, go on without."""

    lost = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002
        """Count the line as lost."""
        self.lost += 1


def open_log(stream: TextIO | None = None) -> logging.Logger:
    """Return a logger of its own that writes to `stream` (default: standard error)."""
    log = logging.Logger("whythis.server", logging.INFO)
    handler = Lines(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    return log


def log_event(
    log: logging.Logger, event: str, error: BaseException | None = None, **fields: Any
) -> None:
    """Log an event with its fields; an error makes it one."""
    level = logging.INFO if error is None else logging.ERROR
    log.log(level, event, exc_info=error, extra={_FIELDS: fields})


def uvicorn_config() -> dict[str, Any]:
    """Return the logging configuration for uvicorn's own messages: the same lines of JSON."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": f"{__name__}.JsonLines"}},
        "handlers": {
            "lines": {
                "()": f"{__name__}.Lines",
                "formatter": "json",
                "stream": "ext://sys.stderr",
            }
        },
        "loggers": {
            "uvicorn": {"handlers": ["lines"], "level": "INFO", "propagate": False},
            "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
        },
    }
