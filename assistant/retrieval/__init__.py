"""Find the papers that bear on a question."""
