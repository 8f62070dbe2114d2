"""Answer "why this?" about a recommendation, and release no sentence that was not checked."""
