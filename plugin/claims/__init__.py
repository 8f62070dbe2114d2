"""Hold what an explanation may claim, and execute each claim again."""
