"""Whatever the bytes of a file, the order of records or the length of sentences."""

from __future__ import annotations

import gzip
import json
import lzma
import string
import tempfile
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistant.errors import InputError
from assistant.schema import Paper, Record
from assistant.storage.catalog import Catalog
from assistant.text.sentences import spans
from ingest import pipeline
from ingest.chunks import chunk_papers
from ingest.identity import match_keys, merge
from ingest.parsers.base import LONGEST_ABSTRACT, SHORTEST_ABSTRACT, Problem
from ingest.parsers.detect import parse
from ingest.parsers.latex import decode_bibtex
from tests.unit.ingest.test_chunks import EMBEDDER, assert_chunked

# Files

PIECES = st.sampled_from(
    [
        *(
            b"Abstract:",
            b"Abstract: x",
            b"Get trending papers in your email inbox\n",
            b"Subscribe",
            b"Lin, Yong",
            b", ",
        ),
        *(b"\n", b"\r\n", b"\r", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00", b"\xe9", b"\xe2\x80\xa8"),
        *(b"A title of words", b"A sentence of an abstract. " * 10, b"x" * 300, b"y" * (LONGEST_ABSTRACT + 1)),
    ]
)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=300), st.lists(PIECES | st.binary(max_size=9), max_size=24).map(b"".join)))
def test_any_bytes_give_records_and_problems_or_one_error(data: bytes) -> None:
    items: list[Record | Problem] = []
    try:
        items.extend(parse(data, "x.txt"))
    except InputError as error:
        items.append(Problem(error.source, error.line or 1, error.reason))
    lines = len(data.splitlines()) or 1
    for item in items:
        assert item.source.startswith("x.txt")
        assert 0 <= item.line <= lines
        if isinstance(item, Record):
            assert_sound(item)


# Whatever becomes of a file that was good

FILES = Path(__file__).parent.parent / "formats"
GOOD = {file.name: file.read_bytes() for file in sorted(FILES.iterdir())}


def all_items(data: bytes) -> list[Record | Problem]:
    try:
        return list(parse(data, "x"))
    except InputError as error:
        return [Problem(error.source, error.line, error.reason)]


@settings(max_examples=400)
@given(st.data(), st.sampled_from(sorted(GOOD)))
def test_a_damaged_file_of_any_format_gives_records_and_problems(data: st.DataObject, name: str) -> None:
    good = GOOD[name]
    start = data.draw(st.integers(0, len(good)))
    until = data.draw(st.integers(start, min(len(good), start + 200)))
    put = data.draw(
        st.binary(max_size=20) | st.sampled_from([b"{", b"}", b'"', b"<", b"]]>", b"\n", b"\\", b"$", b"@a{", b"\xff"])
    )
    again = data.draw(st.sampled_from([good, b"", good[:start]]))
    for item in all_items(good[:start] + put + good[until:] + again):
        assert item.source == "x"
        if isinstance(item, Record):
            assert_sound(item)


@settings(max_examples=100)
@given(st.data(), st.sampled_from(sorted(GOOD)), st.sampled_from([gzip.compress, lzma.compress]))
def test_a_damaged_container_gives_records_and_problems(
    data: st.DataObject, name: str, pack: Callable[[bytes], bytes]
) -> None:
    packed = bytearray(pack(GOOD[name]))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    for item in all_items(bytes(packed[: data.draw(st.integers(1, len(packed)))])):
        assert isinstance(item, Record | Problem)


KEYS = st.sampled_from(
    "title abstract authors author id paper content forum replyto summary upvotes issued date-parts family name year "
    "abstract_inverted_index authorships locations externalIds paperId versions authors_parsed categories _id text doi "
    "container-title DOI results hits value cdate".split()
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)


@settings(max_examples=150)
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=8), max_size=4))
def test_objects_of_any_shape_give_records_and_problems(objects: list[dict[str, object]]) -> None:
    for text in (json.dumps(objects), "\n".join(map(json.dumps, objects))):
        for item in all_items(text.encode()):
            if isinstance(item, Record):
                assert_sound(item)


@given(st.text(max_size=200))
def test_any_text_survives_the_reading_of_latex(text: str) -> None:
    assert isinstance(decode_bibtex(text), str)


def assert_sound(record: Record) -> None:
    """What every record promises, whatever it was made of."""
    assert record.line
    assert record.title or record.abstract
    assert len(record.abstract) <= LONGEST_ABSTRACT
    for text in (record.title or "", record.abstract, record.doi or "", record.url or "", *record.authors):
        assert text.strip() == text
        assert text.isprintable() or "\t" in text
    assert match_keys(record)
    assert merge([record]).id


# Printable, so that nothing in it is to be cleaned, and with a letter, so that something is said.
TEXTS = (
    st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), min_size=1, max_size=60)
    .map(str.strip)
    .filter(lambda text: any(character.isalpha() for character in text))
)
ABSTRACTS = TEXTS.map(lambda text: f"{text} " * (SHORTEST_ABSTRACT // len(text) + 1)).map(str.strip)
WORDS = st.text(string.ascii_letters + "äöüßéñøÅŁΩ-'", min_size=1, max_size=9).filter(lambda word: word[0].isalpha())
NAMES = st.tuples(WORDS, st.lists(WORDS, min_size=1, max_size=3).map(" ".join))


@given(st.lists(ABSTRACTS, min_size=1, max_size=5))
def test_any_abstracts_come_back_from_lines(abstracts: list[str]) -> None:
    text = "".join(f"Abstract: {abstract}\n" for abstract in abstracts)
    assert list(parse(text.encode(), "x.txt")) == [Record(abstract, source="x.txt") for abstract in abstracts]


@given(st.lists(st.tuples(TEXTS, ABSTRACTS), min_size=1, max_size=5))
def test_any_titles_and_abstracts_come_back_from_pairs(pairs: list[tuple[str, str]]) -> None:
    text = "".join(f"{title}\n{abstract}\n" for title, abstract in pairs)
    assert list(parse(text.encode(), "x.txt")) == [
        Record(abstract, title=title, source="x.txt") for title, abstract in pairs
    ]


@given(st.lists(st.tuples(TEXTS, st.lists(NAMES, min_size=1, max_size=4), ABSTRACTS), min_size=1, max_size=5))
def test_any_titles_authors_and_abstracts_come_back_from_triplets(
    groups: list[tuple[str, list[tuple[str, str]], str]],
) -> None:
    text = "".join(
        f"{title}\n{', '.join(f'{last}, {first}' for last, first in names)}\n{abstract}\n"
        for title, names, abstract in groups
    )
    assert list(parse(text.encode(), "x.txt")) == [
        Record(abstract, title=title, authors=tuple(f"{first} {last}" for last, first in names), source="x.txt")
        for title, names, abstract in groups
    ]


# Identity

ICE = "Glaciers in the Alps lost a third of their ice since 1990. We scan 412 of them by laser. Small ones shrink most."
BEES = (
    "Honey bees tell the place of flowers by a dance. We decode 5,096 dances with a network. Older bees dance longer."
)
RECORDS = st.builds(
    Record,
    abstract=st.sampled_from([ICE, ICE.replace("third", "quarter"), ICE.upper(), BEES, BEES + " It is so."]),
    title=st.sampled_from([None, "Editorial", "On the Ice of Mountains", "On the Dances of Bees"]),
    authors=st.sampled_from([(), ("Ada Alp",), ("Bea Berg", "Ada Alp")]),
    year=st.sampled_from([None, 2024, 2025]),
    doi=st.sampled_from([None, "10.1/ice", "10.1/bees"]),
    arxiv_id=st.sampled_from([None, "2401.00001", "2401.00002"]),
    source=st.sampled_from(["a.txt", "b.txt"]),
)


def papers(batches: list[list[Record]]) -> list[Paper]:
    """The papers of a new catalog, by id, after one ingest run of these batches."""
    with tempfile.TemporaryDirectory() as folder, closing(Catalog(Path(folder) / "catalog.db")) as catalog:
        for batch in batches:
            pipeline.store_records(batch, catalog, run=1)
        return catalog.ledger.pending(100)


@settings(max_examples=25)
@given(st.data(), st.lists(RECORDS, max_size=6))
def test_records_make_the_same_papers_in_every_order_and_in_batches_of_any_size(
    data: st.DataObject, records: list[Record]
) -> None:
    shuffled = data.draw(st.permutations(records))
    cut = data.draw(st.integers(0, len(records)))
    expected = papers([records])
    assert papers([shuffled]) == expected
    assert papers([shuffled[:cut], shuffled[cut:]]) == expected
    assert {source for paper in expected for source in paper.sources} == {record.source for record in records}


# Sentences and chunks

PROSE = st.lists(
    st.sampled_from(
        [*"aAzZ09.?!,:;-)(]['\"”“$\\%", " ", "  ", "\n", "\u3000", "et al.", "e.g.", "i.e. ", "Fig. 3", ". The ", "?) "]
    ),
    max_size=60,
).map("".join)


@settings(max_examples=300)
@given(PROSE | st.text())
@example("A. B. C. D")
@example(". . . A")
def test_sentences_are_apart_in_order_stripped_and_leave_nothing_out(text: str) -> None:
    sentence_spans = spans(text)
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in sentence_spans)
    assert all(before[1] <= after[0] for before, after in pairwise(sentence_spans))
    edges = [0, *(edge for span in sentence_spans for edge in span), len(text)]
    assert [text[start:end].strip() for start, end in zip(edges[::2], edges[1::2], strict=True)] == [""] * (
        len(sentence_spans) + 1
    )


@given(st.lists(st.tuples(PROSE, st.none() | TEXTS), max_size=4), st.integers(1, 60))
def test_chunks_hold_every_sentence_once_and_within_the_limit(
    written: list[tuple[str, str | None]], limit: int
) -> None:
    made = [Paper(str(number), abstract, title=title) for number, (abstract, title) in enumerate(written)]
    chunks = chunk_papers(made, EMBEDDER, limit)
    for paper in made:
        assert_chunked(paper, [chunk for chunk in chunks if chunk.paper_id == paper.id], limit)
