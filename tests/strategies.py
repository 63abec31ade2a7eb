"""Values of paperchat for property tests: any text that can be encoded, numbers to the digits that the JSON writes."""

from __future__ import annotations

from hypothesis import strategies as st

from assistant.schema import (
    Answer,
    Citation,
    Filters,
    Hit,
    Paper,
    Passage,
    Recipe,
    Scope,
    Sentence,
    Strength,
    Verdict,
    Withdrawn,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
MAYBE = st.none() | TEXT
SHARES = st.floats(0, 1).map(lambda share: round(share, 4))
TIMES = st.dictionaries(st.sampled_from(["total_ms", "retrieve_ms", "embed_ms", "rerank_ms"]), st.floats(0, 1e6))
TEXTS = st.lists(TEXT, max_size=2).map(tuple)
YEARS = st.none() | st.integers(0, 9999)

FILTERS = st.builds(
    Filters,
    authors=TEXTS,
    titles=TEXTS,
    venues=TEXTS,
    sources=TEXTS,
    since=YEARS,
    until=YEARS,
    phrases=TEXTS,
    without=TEXTS,
    collections=TEXTS,
    tags=TEXTS,
    notes=TEXTS,
)
SCOPES = st.builds(Scope, TEXTS, TEXTS, TEXTS)

PAPERS = st.builds(
    Paper,
    id=st.text("0123456789abcdef", min_size=16, max_size=16),
    abstract=TEXT,
    title=MAYBE,
    authors=st.lists(TEXT, max_size=3).map(tuple),
    year=st.none() | st.integers(1500, 2100),
    venue=MAYBE,
    doi=MAYBE,
    arxiv_id=MAYBE,
    url=MAYBE,
    sources=st.lists(TEXT, max_size=2).map(tuple),
)
PASSAGES = st.lists(st.builds(Passage, TEXT, st.integers(0, 9999), st.integers(0, 9999)), max_size=2).map(tuple)
HITS = st.builds(
    Hit,
    rank=st.integers(1, 1000),
    score=SHARES,
    paper=PAPERS,
    passages=PASSAGES,
    scores=st.dictionaries(st.sampled_from(["dense", "lexical", "rerank"]), SHARES),
)
CITATIONS = st.builds(Citation, number=st.integers(1, 99), paper=PAPERS, passages=PASSAGES)
SENTENCES = st.builds(
    Sentence,
    text=TEXT,
    citations=st.lists(st.integers(1, 99), max_size=3).map(tuple),
    verdict=st.sampled_from(Verdict),
    support=SHARES,
    reason=TEXT,
    attributed=st.booleans(),
    replaces=MAYBE,
)
ANSWERS = st.builds(
    Answer,
    question=TEXT,
    standalone=TEXT,
    strength=st.sampled_from(Strength),
    confidence=SHARES,
    text=TEXT,
    reason=MAYBE,
    citations=st.lists(CITATIONS, max_size=3).map(tuple),
    sentences=st.lists(SENTENCES, max_size=3).map(tuple),
    hits=st.lists(HITS, max_size=2).map(tuple),
    nearest=st.lists(PAPERS, max_size=2).map(tuple),
    model=TEXT,
    prompt=MAYBE,
    recipe=st.none() | st.builds(Recipe, TEXT, TEXT, st.integers(1, 4096), st.integers(32, 512), TEXT, TEXT, TEXT),
    timings=TIMES,
    done=st.just(True),
    filters=FILTERS,
    scope=SCOPES,
    dropped=st.integers(0, 99),
    cut=st.booleans(),
    withdrawn=st.none() | st.builds(Withdrawn, TEXT, TEXT, st.booleans()),
)
