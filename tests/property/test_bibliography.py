"""Whatever a paper says of itself, its bibliography is valid and says the same to an independent reader."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from pybtex.database import parse_string
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

from assistant.schema import Annotation, Paper
from assistant.text.printable import one_line
from ui.export.bibliography import bibtex, citation_keys, csl_json, ris

# What LaTeX and BibTeX read as commands, letters with and without accents, and what looks like lines of RIS.
# Runs of - ' ` ! ? are left out: LaTeX draws some of them together, which is as it should be.
CHARACTERS = 'abcXYZ019 .,:;()[]@"/+=*&%#_{}~^\\$<>|éüŁ∇中\n\x00\u2028'
FRAGMENTS = [" and ", "BERT", "$x^2$", r"$\ell_1$", r"\input{x}", r"$\write18{x}$", "}\n@misc{x,"]
PIECES = st.sampled_from([*CHARACTERS, *FRAGMENTS, "\nER  - ", "\nTY  - JOUR\n"])
TEXT = st.lists(PIECES, max_size=12).map("".join)
MAYBE = st.none() | TEXT
PAPERS = st.builds(
    Paper,
    id=st.text("0123456789abcdef", min_size=16, max_size=16) | TEXT,
    abstract=TEXT,
    title=MAYBE,
    authors=st.lists(TEXT, max_size=3).map(tuple),
    year=st.none() | st.integers(1000, 2999),
    venue=MAYBE,
    doi=st.none() | st.from_regex(r"10\.[0-9]{4}/[a-z0-9_.;()]{1,12}", fullmatch=True),
    arxiv_id=st.none() | st.from_regex(r"[0-9]{4}\.[0-9]{5}", fullmatch=True),
    url=MAYBE | TEXT.map("https://x.org/{}".format),
)
LISTS = st.lists(PAPERS, max_size=4, unique_by=lambda paper: paper.id)

SYMBOLS = get_default_latex_context_db()
# LaTeX's names for six characters, which pylatexenc does not know or takes for others.
NAMED = {"textbraceleft": "{", "textbraceright": "}", "textasciicircum": "^"}
NAMED |= {"textless": "<", "textgreater": ">", "textbar": "|"}
SYMBOLS.add_context_category("named", [MacroTextSpec(name, sign) for name, sign in NAMED.items()], prepend=True)
LATEX = LatexNodes2Text(SYMBOLS, math_mode="verbatim", strict_latex_spaces=True)


def read(latex: str) -> str:
    """What a reader of the typeset text sees."""
    return str(LATEX.latex_to_text(latex)).strip()


def known(authors: Sequence[str]) -> list[str]:
    return [one_line(author) for author in authors if one_line(author).strip(" ,")]


def letters(text: str) -> list[str]:
    """The characters of a name, in no order: formats turn it round."""
    return sorted(re.sub(r"[\s,]", "", text))


@given(LISTS)
@example([Paper("0" * 16, "", title="A {B} of C", authors=("Barnes and Noble", "a, b, c, d", "{", "\\"))])
@example([Paper("0" * 16, "100% of $5 and $6 & $x$", title="50% of $\\alpha_{1}$ in BERT_x")])
def test_bibtex_is_read_back_as_what_the_papers_say(papers: list[Paper]) -> None:
    found = parse_string(bibtex(papers), "bibtex").entries
    named = citation_keys(papers)
    assert list(found) == [named[paper.id] for paper in papers]
    for paper in papers:
        entry = found[named[paper.id]]
        fields = {name: value for name, value in entry.fields.items() if name not in ("howpublished", "archiveprefix")}
        assert read(fields.get("title", "")) == one_line(paper.title or "")
        assert read(fields.get("abstract", "")) == one_line(paper.abstract)
        assert fields.get("year", "") == str(paper.year or "")
        assert fields.get("doi") == paper.doi
        assert fields.get("eprint") == paper.arxiv_id
        people = [read(str(person)) for person in entry.persons.get("author", [])]
        assert list(map(letters, people)) == list(map(letters, known(paper.authors)))


@given(LISTS)
def test_no_latex_command_of_a_paper_reaches_who_typesets_it_but_those_of_mathematics(papers: list[Paper]) -> None:
    commands = set(re.findall(r"\\([A-Za-z]+)", bibtex(papers)))
    assert {command for command in commands if not command.startswith("text")} <= {"ell"}


def records(text: str) -> list[dict[str, list[str]]]:
    """RIS, read line by line as its specification says: two characters, two blanks, a dash, a blank, a value."""
    found: list[dict[str, list[str]]] = []
    for line in filter(None, text.split("\n")):
        tag, value = re.fullmatch(r"([A-Z][A-Z0-9])  - (.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]
        if tag == "TY":
            found.append({})
        found[-1].setdefault(tag, []).append(value)
        assert "ER" not in list(found[-1])[:-1], "nothing stands between the end of a record and the next"
    assert all(record["ER"] == [""] for record in found)
    return found


@given(LISTS)
def test_ris_is_read_back_as_what_the_papers_say(papers: list[Paper]) -> None:
    found, named = records(ris(papers)), citation_keys(papers)
    assert [record["ID"] for record in found] == [[named[paper.id]] for paper in papers]
    for paper, record in zip(papers, found, strict=True):
        for tag, value in (("TI", paper.title), ("AB", paper.abstract), ("T2", paper.venue), ("DO", paper.doi)):
            assert record.get(tag, [""]) == [one_line(value or "")]
        assert record.get("PY", [""]) == [str(paper.year or "")]
        assert record.get("AN", []) == ([f"arXiv:{paper.arxiv_id}"] if paper.arxiv_id else [])
        assert list(map(letters, record.get("AU", []))) == list(map(letters, known(paper.authors)))


@given(LISTS)
def test_csl_json_is_read_back_as_what_the_papers_say(papers: list[Paper]) -> None:
    found, named = json.loads(csl_json(papers)), citation_keys(papers)
    for paper, item in zip(papers, found, strict=True):
        assert item["id"] == named[paper.id]
        assert item["type"] in {"article", "article-journal", "paper-conference", "document"}
        for name, value in (("title", paper.title), ("abstract", paper.abstract), ("container-title", paper.venue)):
            assert item.get(name, "") == one_line(value or "")
        assert item.get("DOI") == paper.doi
        assert item.get("issued") == ({"date-parts": [[paper.year]]} if paper.year else None)
        people = ["".join(name.values()) for name in item.get("author", [])]
        assert list(map(letters, people)) == list(map(letters, known(paper.authors)))
        assert all(map(is_name, item.get("author", [])))


def is_name(name: dict[str, Any]) -> bool:
    return set(name) == {"literal"} or {"family"} <= set(name) <= {"family", "given", "non-dropping-particle", "suffix"}


@given(LISTS)
def test_keys_are_unique_plain_and_the_same_whatever_stands_beside_them(papers: list[Paper]) -> None:
    named = citation_keys(papers)
    assert len(set(named.values())) == len(papers)
    for paper in papers:
        assert re.fullmatch(r"[a-z0-9]+-[0-9a-f]+", named[paper.id])
        assert named[paper.id] == citation_keys([paper])[paper.id] or len(named[paper.id].split("-")[1]) > 6
    assert citation_keys(papers[::-1]) == named


KEYS = (
    st.from_regex(r"[a-z]{1,8}[0-9]{4}[a-z]?", fullmatch=True)
    | TEXT
    | st.sampled_from(["Lin2020", "lin2020", "ß", "ss"])
)


@given(LISTS, st.lists(KEYS, min_size=4, max_size=4))
@example([Paper("0" * 16, ""), Paper("1" * 16, "")], ["Lin2020", "lin2020", "", ""])
@example([Paper("0" * 16, "a"), Paper("1" * 16, "b")], ["anon-111111", "c", "", ""])
@example([Paper("0" * 16, "a")], ["a,b={}}@x{c", "", "", ""])
def test_keys_of_a_reference_manager_are_used_where_they_are_safe_and_one_paper_has_them(
    papers: list[Paper], keys: list[str]
) -> None:
    annotations = {paper.id: Annotation(citation_key=key) for paper, key in zip(papers, keys, strict=False)}
    named, made = citation_keys(papers, annotations), citation_keys(papers)
    written = parse_string(bibtex(papers, annotations), "bibtex").entries
    assert list(written) == [item["id"] for item in json.loads(csl_json(papers, annotations))]
    assert list(written) == [named[paper.id] for paper in papers]
    assert [record["ID"] for record in records(ris(papers, annotations))] == [[named[paper.id]] for paper in papers]
    assert len({key.casefold() for key in named.values()}) == len(papers)
    for paper in papers:
        own = annotations[paper.id].citation_key
        assert named[paper.id] in (own, made[paper.id])
        assert re.fullmatch(r"[\w:.+/-]+", named[paper.id])
        if len(papers) == 1 and re.fullmatch(r"[a-z]+[0-9]+[a-z]?", own):
            assert named[paper.id] == own


@given(st.lists(st.text("0123456789abcdef", min_size=10, max_size=10), max_size=5, unique=True))
def test_papers_that_would_share_a_key_are_told_apart(ends: list[str]) -> None:
    papers = [Paper(f"012345{end}", "", title="Editorial", authors=("Lin, Y.",), year=2020) for end in ends]
    assert len(set(citation_keys(papers).values())) == len(ends)


@given(PAPERS)
def test_a_paper_named_twice_is_written_once(paper: Paper) -> None:
    assert (bibtex([paper, paper]), ris([paper, paper])) == (bibtex([paper]), ris([paper]))
