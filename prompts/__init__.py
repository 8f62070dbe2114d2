"""Hold prompts as strict data files, and load them."""
