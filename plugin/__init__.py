"""Answer "why this?" about a recommendation, and release no sentence that was not checked."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from whythis.conversation.assistant import WhyThis

__all__ = ["WhyThis"]


def __getattr__(name: str) -> Any:
    """Load what is named only when it is asked for: importing the package costs nothing."""
    if name == "WhyThis":
        from whythis.conversation.assistant import WhyThis

        return WhyThis
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
