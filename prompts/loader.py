"""Load prompts: strict data files whose variables are declared and whose content is hashed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from string import Template

from pydantic import BaseModel, ConfigDict, Field, ValidationError

OWN = frozenset({"audience", "style"})
"""The places of a text that the file itself fills."""


class PromptError(ValueError):
    """Report a prompt file that is absent, malformed, or filled with the wrong variables."""


class Prompt(BaseModel):
    """Hold one prompt file; texts use `$variable` places, braces are left for sentence slots.

    `variables` declares for each text which places it has; a text with others is refused. The
    places `$audience` and `$style` need no declaring: the file itself fills them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    version: int = Field(ge=1)
    purpose: str
    audience: str
    style: str
    variables: Mapping[str, tuple[str, ...]]
    texts: Mapping[str, str]
    hash: str

    def fill(self, text: str, **values: str) -> str:
        """Return a text with its places filled; `PromptError` for a missing or unused variable."""
        if text not in self.texts:
            raise PromptError(f"prompt {self.name!r} has no text {text!r}: {', '.join(self.texts)}")
        wanted = set(self.variables.get(text, ()))
        if wanted != set(values):
            off = ", ".join(sorted(wanted ^ set(values)))
            raise PromptError(f"text {text!r} of prompt {self.name!r} is filled wrongly: {off}")
        own = {name: getattr(self, name) for name in OWN}
        return Template(self.texts[text]).substitute(own | values)


def load_prompt(name: str, folder: Path | None = None) -> Prompt:
    """Return a prompt by name from `folder`, else from the package.

    Raises `PromptError` where there is none, or where the file is not strict.
    """
    places = [folder / f"{name}.toml"] if folder is not None else []
    own = files("whythis.prompts").joinpath(f"{name}.toml")
    raw = next((p.read_bytes() for p in places if p.is_file()), None)
    if raw is None:
        if not own.is_file():
            known = sorted(
                p.name.removesuffix(".toml")
                for p in files("whythis.prompts").iterdir()
                if p.name.endswith(".toml")
            )
            raise PromptError(f"there is no prompt {name!r}: {', '.join(known)}")
        raw = own.read_bytes()
    try:
        content = tomllib.loads(raw.decode("utf-8"))
        prompt = Prompt.model_validate({**content, "hash": sha256(raw).hexdigest()})
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise PromptError(f"prompt file {name}.toml: {str(error).splitlines()[0]}") from error
    if "hash" in content:
        raise PromptError(f"prompt file {name}.toml states a hash: it is computed, leave it out")
    if unknown := sorted(set(prompt.variables) - set(prompt.texts)):
        raise PromptError(f"prompt {name!r} declares variables of no text: {', '.join(unknown)}")
    for text, template in prompt.texts.items():
        places_ = Template(template)
        if not places_.is_valid():
            raise PromptError(f"text {text!r} of prompt {name!r} has a stray $: write $$")
        declared = set(prompt.variables.get(text, ()))
        found = set(places_.get_identifiers()) - (OWN - declared)
        if found != declared:
            off = ", ".join(sorted(found ^ declared))
            raise PromptError(f"text {text!r} of prompt {name!r}: undeclared or unused: {off}")
    return prompt
