"""Let a language model look up evidence and word the answer."""
