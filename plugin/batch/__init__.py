"""Explain many recommendations: rows in, rows out, in shards, going on where it stopped."""
