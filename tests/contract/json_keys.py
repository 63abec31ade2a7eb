"""The keys of the JSON that scripts rely on: names may be added to it, never changed or taken away."""

PAPER = {"id", "title", "abstract", "authors", "year", "venue", "doi", "arxiv_id", "url", "sources", "notice"}
HIT = {"rank", "score", "paper", "passages", "scores"}
SEARCH = {"query", "standalone", "filters", "scope", "hits", "timings"}
ANSWER = {
    "question",
    "standalone",
    "filters",
    "scope",
    "answered",
    "strength",
    "reason",
    "confidence",
    "text",
    "citations",
    "sentences",
    "hits",
    "searched",
    "nearest",
    "model",
    "prompt",
    "recipe",
    "timings",
    "dropped",
    "cut",
    "withdrawn",
    "intent",
    "opening",
    "read_as",
    "headings",
    "table",
    "cost",
}
COST = {"strategy", "calls", "prompt_tokens", "output_tokens", "seconds", "failed", "limit"}
SENTENCE = {
    "text",
    "citations",
    "verdict",
    "support",
    "reason",
    "attributed",
    "replaces",
    "is_context",
    "lead",
    "emphasis",
}
VERIFICATION = {"claim", "paper_id", "verdict", "support", "contradiction", "passage", "reason"}
PASSAGE = {"text", "start", "end"}
CONVERSATION = {"id", "title", "created", "changed", "turns"}
TURN = {"id", "question", "scope", "asked", "settings", "prompt", "feedback", "answer"}
# The scope of a question that is asked of the whole library.
WHOLE_LIBRARY: dict[str, object] = {
    "pinned": [],
    "excluded": [],
    "collections": [],
    "topics": [],
    "since": None,
    "until": None,
}
