"""Answer questions in turn: what is asked, what it is about, and what was said before."""
