"""Every format in its own dialect, as the programs and services write it, about three invented papers."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.schema import Record
from ingest.parsers.base import Problem
from ingest.parsers.detect import parse, read_records
from ingest.parsers.fields import split_names, strip_markup
from ingest.parsers.latex import decode_bibtex, decode_latex

FILES = Path(__file__).parents[2] / "formats"
BEES, DANCE = "Decoding the Waggle Dance", "Honey bees tell the place of flowers by a dance."


# What each file says, as fields of its records.
def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {name: tuple(fields.get(name, ())) for name in ("authors", "keywords")}


GOLDEN: dict[str, list[Record]] = {
    name: [Record(**_tuples(fields) | {"source": name}) for fields in records]
    for name, records in json.loads(FILES.with_suffix(".json").read_text(encoding="utf-8")).items()
}


def parsed(data: bytes | str, source: str = "x") -> tuple[list[Record], list[Problem]]:
    """Records and problems of a file's content."""
    items = list(parse(data.encode() if isinstance(data, str) else data, source))
    return [i for i in items if isinstance(i, Record)], [i for i in items if isinstance(i, Problem)]


def titles(data: bytes | str) -> list[str | None]:
    return [record.title for record in parsed(data)[0]]


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


# Files


@pytest.mark.parametrize("name", GOLDEN)
def test_a_file_of_each_dialect_gives_its_papers_with_their_lines(name: str) -> None:
    records = [item for item in read_records(FILES / name) if isinstance(item, Record)]
    assert records == GOLDEN[name]
    assert [record.line for record in records] == [record.line for record in GOLDEN[name]]


def test_every_file_is_tested() -> None:
    assert {file.name for file in FILES.iterdir()} == set(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_format_is_told_from_the_content_alone(name: str, tmp_path: Path) -> None:
    unnamed = tmp_path / "unnamed.dat"
    unnamed.write_bytes((FILES / name).read_bytes())
    assert [i.title for i in read_records(unnamed) if isinstance(i, Record)] == [
        record.title for record in GOLDEN[name]
    ]


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, lambda data: zipped(**{"a/b": data})])
def test_a_packed_file_gives_the_same(name: str, pack: Callable[[bytes], bytes]) -> None:
    records, _ = parsed(pack((FILES / name).read_bytes()))
    assert [(record.title, record.abstract, record.line) for record in records] == [
        (record.title, record.abstract, record.line) for record in GOLDEN[name]
    ]


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("change", [(b"\n", b"\r\n"), (b"\n", b"\r")])
def test_line_ends_of_other_systems_change_nothing(name: str, change: tuple[bytes, bytes]) -> None:
    data = (FILES / name).read_bytes().replace(b"\r\n", b"\n")
    assert titles(data.replace(*change)) == titles(data)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_file_in_utf_16_or_with_a_mark_gives_the_same(name: str) -> None:
    text = (FILES / name).read_text(encoding="utf-8")
    expected = [record.title for record in GOLDEN[name]]
    assert titles(b"\xef\xbb\xbf" + text.encode()) == titles(text.encode("utf-16")) == expected


# BibTeX


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (
            r"G{\"o}del, Erd{\H o}s, \'{E}tude, Nu{\~n}ez, {\L}ukasz, \v{S}koda, \c{c}a",
            "Gödel, Erdős, Étude, Nuñez, Łukasz, Škoda, ça",
        ),
        (
            r"\aa ngstr\"om, stra{\ss}e, {\O}re, \ae on, fa{\c c}ade, na\"{\i}ve",
            "ångström, straße, Øre, æon, façade, naïve",
        ),
        (r"50\% of R\&D at \$5, a\_b \#1", "50% of R&D at $5, a_b #1"),
        (r"\emph{so} \textbf{bold}, \url{http://a.org/b_c}", "so bold, http://a.org/b_c"),
        (r"{BERT}: a {B}i-model", "BERT: a Bi-model"),
        (r"where $\alpha_{2} \leq \frac{1}{2}$ holds", r"where $\alpha_{2} \leq \frac{1}{2}$ holds"),
        ("100 % of x", "100 % of x"),
        (r"unknown \foo and {unclosed", r"unknown \foo and unclosed"),
        ("\\verb", "\\verb"),
    ],
)
def test_latex_becomes_characters_and_formulas_stay(text: str, plain: str) -> None:
    assert decode_latex(text) == plain


def test_typesetters_signs_become_characters_except_in_addresses() -> None:
    assert decode_bibtex("``Yes''---pages 1--9 of D.~Knuth") == "“Yes”—pages 1–9 of D. Knuth"
    assert decode_bibtex("http://a.org/~ada") == "http://a.org/~ada"


def test_two_entries_of_one_key_are_two_records() -> None:
    assert titles("@article{a, title={One}}\n@article{a, title={Two}}") == ["One", "Two"]


def test_an_entry_without_its_sign_is_reported() -> None:
    records, (problem,) = parsed("@article{a, title={One}}\n\narticle{b,\n title={Two}}\n")
    assert [record.title for record in records] == ["One"]
    assert "without its @" in problem.reason


# RIS


@pytest.mark.parametrize("tag", ["TY  - JOUR", "TY - JOUR"])
def test_a_ris_record_without_its_end_does_not_swallow_the_next(tag: str) -> None:
    dash = tag[2:].partition("JOUR")[0]
    data = f"{tag}\nTI{dash}One\n{tag}\nTI{dash}Two\nAU{dash}Alp, Ada\nER{dash}\n"
    records, problems = parsed(data)
    assert [(record.title, record.authors) for record in records] == [("One", ()), ("Two", ("Ada Alp",))]
    assert problems == []


# XML


def test_a_broken_element_costs_itself_alone() -> None:
    first, second = (f"<record><titles><title>{title}</title></titles></record>" for title in ("One", "Two"))
    broken, endless = "<record><titles></record>", "<record><titles>"
    records, problems = parsed(f"<xml><records>{first}{broken}{endless}{second}</records></xml>")
    assert [record.title for record in records] == ["One", "Two"]
    assert [(problem.line, problem.lost) for problem in problems] == [(1, True), (1, True)]


def test_xml_in_the_encoding_that_it_declares_is_read() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-2"?><feed><entry><title>Škoda</title></entry></feed>'
    assert titles(text.encode("iso-8859-2")) == ["Škoda"]


def test_names_of_html_characters_are_read_in_xml() -> None:
    assert titles("<feed><entry><title>Ice&nbsp;&amp;&eacute;tude</title></entry></feed>") == ["Ice &étude"]


def test_an_error_of_arxivs_service_is_reported() -> None:
    entry = "<entry><id>http://arxiv.org/api/errors#bad</id><title>Error</title><summary>bad id</summary></entry>"
    records, (problem,) = parsed(f"<feed>{entry}</feed>")
    assert records == []
    assert "bad id" in problem.reason


# JSON


def test_the_papers_of_a_search_are_found_in_it() -> None:
    paper = {"id": "1", "title": BEES, "abstract": DANCE, "authors": ["Bea Berg"]}
    assert titles(json.dumps({"query": "bees", "hits": [{"rank": 1, "paper": paper}]})) == [BEES]


def test_crossrefs_works_are_read() -> None:
    work = {"DOI": "10.5555/x", "title": [BEES], "container-title": ["J"], "issued": {"date-parts": [[2021, 1]]}}
    (record,), _ = parsed(json.dumps({"status": "ok", "message": {"items": [work]}}))
    assert (record.title, record.doi, record.venue, record.year) == (BEES, "10.5555/x", "J", 2021)


def test_a_review_is_no_paper() -> None:
    note = {"id": "r", "forum": "f", "replyto": "f", "invitations": [], "content": {"title": {"value": "Review"}}}
    assert titles(json.dumps({"notes": [note]})) == []


def test_papers_around_a_broken_one_are_read_from_a_document_of_one_line() -> None:
    papers = [
        {"title": f"Paper {n}", "abstract": DANCE, "authors": [{"name": "Ada"}, {"name": "Bea"}]} for n in range(5)
    ]
    records, (problem,) = parsed(json.dumps(papers).replace('"Paper 2",', '"Paper 2"'))
    assert [record.title for record in records] == ["Paper 0", "Paper 1", "Paper 3", "Paper 4"]
    assert "broken JSON" in problem.reason


def test_a_document_that_was_cut_off_gives_its_whole_papers() -> None:
    papers = [{"title": f"Paper {n}", "abstract": DANCE} for n in range(5)]
    for text in (json.dumps(papers), json.dumps({"meta": 1, "results": papers}, indent=1)):
        records, problems = parsed(text[: text.index("Paper 4")])
        assert [record.title for record in records] == ["Paper 0", "Paper 1", "Paper 2", "Paper 3"]
        assert problems


def test_an_array_in_a_large_object_is_read_element_by_element() -> None:
    papers = [{"title": f"Paper {n}", "abstract": DANCE, "extra": "x" * 200_000} for n in range(60)]
    records, problems = parsed(json.dumps({"results": papers, "meta": {"count": 60}}))
    assert len(records) == 60
    assert problems == []


# Tables


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_stand_in_any_order_with_any_delimiter(delimiter: str) -> None:
    rows = [["Year", "Notes", "ABSTRACT", "Authors", "Paper Title"], ["2020", "n", DANCE, "Ada Alp", "One"]]
    (record,), _ = parsed("\n".join(delimiter.join(row) for row in rows))
    assert record == Record(DANCE, title="One", authors=("Ada Alp",), year=2020, source="x")


def test_a_stray_quote_costs_its_own_row() -> None:
    records, problems = parsed('title,abstract,year\nOne,a,2020\n"Two,b,2021\nThree,c,2022\nFour,d,2023\n')
    assert [record.title for record in records] == ["One", "Three", "Four"]
    assert [problem.line for problem in problems] == [3]


def test_a_table_without_a_column_of_abstracts_gives_records_without() -> None:
    records, _ = parsed("Title,Year\nOne,2020\n")
    assert records == [Record("", title="One", year=2020, source="x")]


# Fields


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("Ada Alp, Bea Berg and Cy Crown", ["Ada Alp", "Bea Berg", "Cy Crown"]),
        ("Alp, Ada; van der Berg, Bea", ["Ada Alp", "Bea van der Berg"]),
        ("Alp, Ada and Berg, Bea", ["Ada Alp", "Bea Berg"]),
        ("Alp, Ada, Berg, Bea", ["Ada Alp", "Bea Berg"]),
        ("Alp A, Berg BC", ["A Alp", "BC Berg"]),
        ("Ada Alp, Bea Berg", ["Ada Alp", "Bea Berg"]),
        ("Alp, Ada", ["Ada Alp"]),
        ("Plato", ["Plato"]),
        ("", []),
    ],
)
def test_names_in_one_string_are_told_apart(names: str, expected: list[str]) -> None:
    assert split_names(names) == expected


def test_markup_goes_and_comparisons_stay() -> None:
    assert (
        strip_markup("<p>Ice <i>melts</i>&nbsp;if a&lt;b and c < d</p>\n<p>Yes</p>") == "Ice melts if a<b and c < d Yes"
    )


@pytest.mark.parametrize("abstract", ["", "N/A", "[No abstract available]", "null", "---"])
def test_a_word_for_nothing_is_no_abstract(abstract: str) -> None:
    (record,), _ = parsed(json.dumps({"title": BEES, "abstract": abstract}))
    assert record.abstract == ""


@pytest.mark.parametrize(
    ("written", "doi", "arxiv_id"),
    [
        ({"doi": "https://doi.org/10.5555/A.b(1)-2"}, "10.5555/A.b(1)-2", None),
        ({"doi": "doi:10.5555/x."}, "10.5555/x", None),
        ({"doi": "none"}, None, None),
        ({"doi": "10.5555/bees\u200b"}, "10.5555/bees", None),
        ({"doi": "10.5555/bees\ud800"}, "10.5555/bees", None),
        ({"arxiv": "2203.01234v12"}, None, "2203.01234"),
        ({"arxiv_id": "1805.0178899999999"}, None, None),
        ({"url": "https://arxiv.org/abs/1805.0178899999999"}, None, None),
        ({"doi": "10.1000/bees(1)"}, "10.1000/bees(1)", None),
        ({"doi": "(10.1000/bees)."}, "10.1000/bees", None),
        ({"url": "http://arxiv.org/abs/math.GT/0301001v2"}, None, "math.GT/0301001"),
        ({"doi": "10.48550/arXiv.2203.01234"}, "10.48550/arXiv.2203.01234", "2203.01234"),
    ],
)
def test_identifiers_are_found_however_they_are_written(
    written: dict[str, str], doi: str | None, arxiv_id: str | None
) -> None:
    (record,), _ = parsed(json.dumps({"title": BEES, "abstract": DANCE} | written))
    assert (record.doi, record.arxiv_id) == (doi, arxiv_id)


def test_what_cannot_be_seen_is_taken_out_of_titles() -> None:
    written = {"title": "On\u202e ecI\u202c and\x07 Sn\u00adow\u200b", "abstract": DANCE}
    assert titles(json.dumps(written)) == ["On ecI and Snow"]
    assert titles(b'{"title": "A\x01B", "abstract": "Ice melts."}') == ["A B"]
