"""Show explanations to people and to other programs."""
