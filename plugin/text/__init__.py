"""Hold words to the claims they cite, and say claims in plain words."""
