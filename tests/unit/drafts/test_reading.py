"""Drafts are read as sentences whose offsets are exact, with the keys that they cite."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.drafts.reading import DraftText, read_draft
from assistant.drafts.values import DraftFormat
from assistant.errors import InputError

Read = list[tuple[str, tuple[str, ...]]]


def read(source: str, draft_format: DraftFormat | None = None) -> Read:
    """Return the statements with the keys that they cite, and see that all offsets are right."""
    draft = read_draft(source, draft_format)
    sentences = list(draft.sentences())
    for sentence in sentences:
        assert source[sentence.start : sentence.end] == sentence.text
        assert all(sentence.start <= cited.start < cited.end <= sentence.end for cited in sentence.citations)
    return [(sentence.statement, tuple(cited.key for cited in sentence.citations)) for sentence in sentences]


def latex(body: str) -> Read:
    return read(f"\\documentclass{{article}}\n\\title{{A title.}}\n\\begin{{document}}\n{body}\n\\end{{document}}")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (r"Bees dance~\cite{a}.", [("Bees dance.", ("a",))]),
        (r"Bees dance \citep[see][p.~3]{a, b}.", [("Bees dance.", ("a", "b"))]),
        (r"Bees dance.\autocite{a} Bread rises.", [("Bees dance.", ("a",)), ("Bread rises.", ())]),
        (r"Bees \parencites(see)()[2]{a}[3]{b} dance.", [("Bees dance.", ("a", "b"))]),
        (
            r"Ice is old. \citet{a} show that it melts.",
            [("Ice is old.", ()), ("The authors show that it melts.", ("a",))],
        ),
        (r"\cite{a} show that ice melts.", [("The authors show that ice melts.", ("a",))]),
        (r"It was shown by \cite{a}.", [("It was shown by the authors.", ("a",))]),
        (r"A loss of 20\% is \emph{large}, as G\"odel knew.", [("A loss of 20% is large, as Gödel knew.", ())]),
        (r"With $n=4$ it works.", [("With n=4 it works.", ())]),
        ("Bees dance. % Comments do not.\nBread rises.", [("Bees dance.", ()), ("Bread rises.", ())]),
        (r"\nocite{x}Bees dance.", [("Bees dance.", ())]),
    ],
)
def test_latex_citations_of_the_whole_family_belong_to_their_sentence(body: str, expected: Read) -> None:
    assert latex(body) == expected


@pytest.mark.parametrize(
    "left_alone",
    [
        r"\begin{equation} a = b \end{equation}",
        r"\[ x = 1 \]",
        r"\begin{figure}\caption{Bees sleep.}\end{figure}",
        r"\begin{table}[h] Bees & sleep \\ \end{table}",
        r"\caption{Bees sleep.}",
        r"\section{Bees sleep}",
        r"\begin{lstlisting}Bees sleep.\end{lstlisting}",
        r"\label{sec:bees}",
    ],
)
def test_formulas_captions_headings_and_code_are_left_alone(left_alone: str) -> None:
    assert latex(f"Bees dance.\n\n{left_alone}\n\nBread rises.") == [("Bees dance.", ()), ("Bread rises.", ())]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            r"Bees dance.\footnote{Old bees dance longer \cite{a}.} Bread rises.",
            [("Bees dance.", ()), ("Bread rises.", ()), ("Old bees dance longer.", ("a",))],
        ),
        (
            r"Bees\footnote{See also \citet{a,b}.} dance. Bread rises.",
            [("Bees dance.", ("a", "b")), ("Bread rises.", ())],
        ),
        (r"Bees dance.\footnote{\cite[p.~3]{a}} Bread rises.", [("Bees dance.", ("a",)), ("Bread rises.", ())]),
        (r"Bees dance\footnote{\url{https://bees.org}}.", [("Bees dance.", ())]),
        (r"\section{Bees\footnote{Ice melts.}} Bees dance.", [("Bees dance.", ())]),
        (
            r"Bees dance.\footnote{Ice \emph{melts \cite{a}. Bread rises.",
            [("Bees dance.", ()), ("Ice melts.", ("a",)), ("Bread rises.", ())],
        ),
    ],
    ids=["that states", "that only cites", "behind a sentence", "without prose", "of a heading", "without an end"],
)
def test_a_latex_footnote_is_read_behind_its_paragraph_and_cites_for_its_sentence(body: str, expected: Read) -> None:
    assert latex(body) == expected


def test_broken_braces_cost_nothing_but_themselves() -> None:
    broken = r"{\bf Bees dance \cite{a}. \emph{Bread rises. \section{Open Ice melts \begin{table} 5 \cite{"
    statements = [statement for statement, _ in latex(broken)]
    assert statements[0] == "Bees dance."
    assert statements[1].startswith("Bread rises.")


def test_an_included_file_is_named_and_never_opened(tmp_path: object) -> None:
    draft = read_draft("Bees dance. \\input{/etc/passwd}\\include{../x} \\cite{a}")
    assert [sentence.statement for sentence in draft.sentences()] == ["Bees dance."]
    assert [note.text.split(":")[0] for note in draft.notes] == ["\\input /etc/passwd", "\\include ../x"]


def test_the_bibliography_of_latex_is_read() -> None:
    draft = read_draft(
        r"Bees \cite{a}. \begin{thebibliography}{9}\bibitem{a} Lin. {\em On bees}. 2020. \end{thebibliography}"
    )
    assert [(entry.key, entry.record.title, entry.record.year) for entry in draft.entries] == [
        ("a", "Lin. On bees. 2020.", 2020)
    ]
    assert [sentence.statement for sentence in draft.sentences()] == ["Bees."]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Bees dance [@a; see @b, p. 3].", [("Bees dance.", ("a", "b"))]),
        ("@a [p. 4] shows that **bees** dance.", [("The authors shows that bees dance.", ("a",))]),
        ("Bees dance [-@a]. Mail ann@bees.org.", [("Bees dance.", ("a",)), ("Mail ann@bees.org.", ())]),
        ("# Bees sleep\n\nBees dance [@a].\n\n```\nBees sleep.\n```\n", [("Bees dance.", ("a",))]),
        ("---\nbibliography: x.bib\n---\nBees [dance](http://x.org) [@a].", [("Bees dance.", ("a",))]),
        ("- Bees dance [@a].\n- Bread rises.", [("Bees dance.", ("a",)), ("Bread rises.", ())]),
        ("> Bees\n> dance [@a].", [("Bees dance.", ("a",))]),
    ],
)
def test_pandoc_citations_belong_to_their_sentence(source: str, expected: Read) -> None:
    assert read(source, DraftFormat.MARKDOWN) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "Bees dance.[^1] Bread rises.\n\n[^1]: Old bees dance\nlonger [@a].\n\nIce melts.",
            [("Bees dance.", ()), ("Bread rises.", ()), ("Old bees dance longer.", ("a",)), ("Ice melts.", ())],
        ),
        (
            "Bees dance.[^x] Bread rises[^y].\n\n[^x]: See [@a; @b].\n[^y]: Lin et al. (2020).",
            [("Bees dance.", ("a", "b")), ("Bread rises.", ("Lin et al., 2020",))],
        ),
        ("Bees dance^[See [@a]]. Bread rises.", [("Bees dance.", ("a",)), ("Bread rises.", ())]),
        (
            "Bees dance.^[Old bees dance longer (Lin et al., 2020).] Bread rises.",
            [("Bees dance.", ()), ("Bread rises.", ()), ("Old bees dance longer.", ("Lin et al., 2020",))],
        ),
        (
            "Bees[^1] dance[^1].[^2]\n\n[^1]: Old bees[^1] dance very much longer.",
            [("Bees dance.", ()), ("Old bees dance very much longer.", ())],
        ),
    ],
    ids=["that states", "that only cites", "inline", "inline that states", "twice, in itself, and nowhere"],
)
def test_a_markdown_footnote_is_read_behind_its_paragraph_and_cites_for_its_sentence(
    source: str, expected: Read
) -> None:
    assert read(source, DraftFormat.MARKDOWN) == expected


def test_numbers_are_citations_where_there_is_a_numbered_list() -> None:
    body = "Bees dance [1, 3-4]. In [2] bread rises. The interval [0, 1] is closed.\n\n"
    listed = "References\n[1] Lin. On bees. 2020.\n[2] Wu. On bread. doi:10.1234/x. 2019.\n"
    keys = [keys for _, keys in read(body + listed)]
    assert keys == [("1", "3", "4"), ("2",), ()]
    assert [keys for _, keys in read(body)] == [(), (), ()]
    assert [entry.record.doi for entry in read_draft(body + listed).entries] == [None, "10.1234/x"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "Bees dance (Lin et al., 2020; Wu and Ice, 2019a).",
            [("Bees dance.", ("Lin et al., 2020", "Wu and Ice, 2019a"))],
        ),
        ("Lin et al. (2020) show that bees dance.", [("The authors show that bees dance.", ("Lin et al., 2020",))]),
        ("Bees dance (see García-Molina, 2020, p. 3).", [("Bees dance.", ("García-Molina, 2020",))]),
        ("Bees danced (in 2020) and later (May 2021).", [("Bees danced (in 2020) and later.", ("May, 2021",))]),
    ],
)
def test_authors_with_a_year_are_citations(source: str, expected: Read) -> None:
    assert read(source, DraftFormat.TEXT) == expected


def test_a_sentence_with_several_citations_has_a_clause_for_each() -> None:
    source = r"Honey bees tell others where flowers are \cite{a}, whereas sourdough bread rises by wild yeast \cite{b}."
    (sentence,) = read_draft(source).sentences()
    assert [cited.clause for cited in sentence.citations] == [
        "Honey bees tell others where flowers are",
        "whereas sourdough bread rises by wild yeast.",
    ]


def test_line_ends_of_windows_keep_the_offsets() -> None:
    assert latex("Bees dance\r\n\\cite{a}.\r\n\r\nBread rises.\r\n") == [("Bees dance.", ("a",)), ("Bread rises.", ())]


@pytest.mark.parametrize("source", ["", "  \n\t", "\n"])
def test_an_empty_draft_is_refused(source: str) -> None:
    with pytest.raises(InputError, match="empty"):
        read_draft(source)


def test_a_thesis_is_read_in_a_second_or_two_whether_it_has_paragraphs_or_not() -> None:
    sentence = r"Bees tell others where flowers are by a dance of 4 degrees~\citep{a,b}, which takes 20\% of the day. "
    for gap in ("", "\n\n"):
        started = time.perf_counter()
        assert len(list(read_draft((sentence + gap) * 8000).sentences())) == 8000
        assert time.perf_counter() - started < 15


WORDS = r"\cite{a} \citet{b} { } $ % . Bees dance \begin{table} \end{table} [1] [@a] \ (Lin,2020) ` * _ <b> \verb| \["
PIECES = st.lists(
    st.sampled_from([*WORDS.split(), "\n", "\n\n", " ", "\r\n", "References\n", r"\input{x}"]), max_size=40
)


@given(PIECES, st.sampled_from(DraftFormat))
def test_any_draft_is_read_and_its_sentences_are_in_order(pieces: list[str], draft_format: DraftFormat) -> None:
    source = "x" + "".join(pieces)
    sentences = list(DraftText(source, draft_format).sentences())
    assert all(source[sentence.start : sentence.end] == sentence.text for sentence in sentences)
    assert all(first.start <= second.start for first, second in pairwise(sentences))
    read_draft(source)
