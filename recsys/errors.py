"""Name every error a user can meet; each message says the value, the place and the mend."""

from __future__ import annotations


class WhyThisError(Exception):
    """Base of every error raised on purpose; its text is one line a person can act on."""


class DataError(WhyThisError):
    """Report input data that cannot be used as it stands."""


class UnknownIdError(WhyThisError):
    """Report an id the artefact does not know, with the nearest known ones."""


class ArtefactError(WhyThisError):
    """Report a saved artefact that is damaged, foreign or incomplete."""


class ModelError(WhyThisError):
    """Report a result that may not be used, such as parts that do not sum to the score."""


class MissingPartError(WhyThisError):
    """Report a real part (package, model file, store, server) that is absent, and how to get it."""


class LanguageModelError(WhyThisError):
    """Report a language model that failed, timed out or answered with what cannot be parsed."""
