"""Remember a user: events of the past, an abstracted summary, and the user's own corrections."""
