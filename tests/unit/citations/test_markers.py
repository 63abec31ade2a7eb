"""What is understood as a citation, of all that language models write, and what is left as it is."""

from __future__ import annotations

import pytest

from assistant.citations import Resolved, resolve, settled, strip
from assistant.schema import Hit, Paper

PAPERS = [
    Paper("a", "Bees.", "On the waggle dance", ("Karl Lin", "Ada Wu"), 2021),
    Paper("b", "Ice.", "The melting of alpine ice", ("Chen, Bo",), 2020),
    Paper("c", "Bread.", "Wild yeast in bread", ("Ursula Müller", "Karl Lin"), None),
    Paper("d", "Birds.", "Why birds sing", ("J. de Vries", "Bo Chen"), 2020),
]
HITS = [Hit(rank, 1.0, paper) for rank, paper in enumerate(PAPERS, start=1)]


def cites(resolved: Resolved) -> str:
    """The papers cited, by their ids."""
    return "".join(hit.paper.id for hit in resolved.hits)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Bees dance [Source 2].", "b"),
        ("Bees dance [Abstract 1, Abstract 3].", "ac"),
        ("Bees dance [Abstracts 1 and 3].", "ac"),
        ("Bees dance [Doc. 4].", "d"),
        ("Bees dance [Source 2: The melting of ice].", "b"),
        ("Bees dance (Source 2).", "b"),
        ("Bees dance (see Abstract 2).", "b"),
        ("Bees dance [#2].", "b"),
        ("Bees dance [[2]].", "b"),
        ("Bees dance \\[2\\].", "b"),
        ("Bees dance [^2].", "b"),
        ("Bees dance [1 to 3].", "abc"),
        ("Bees dance 【2†source】.", "b"),
        ("Bees dance (2).", "b"),
        ("Bees dance (2, 3).", "bc"),
        ("Bees dance. (2)", "b"),
        ("Bees dance (2) [1].", "ba"),
        ("Bees dance (2)\nIce melts (1)", "ba"),
        ("Bees dance.² Ice melts.¹", "ba"),
        ("Bees dance².", "b"),
        ("Bees dance¹,².", "ab"),
        ("Bees dance¹².", "ab"),
        ("Bees dance [Lin et al.].", "a"),
        ("Bees dance [Lin et al., 2021].", "a"),
        ("Bees dance (Lin et al., 2021).", "a"),
        ("Bees dance (Lin and Wu, 2021).", "a"),
        ("Bees dance (Lin & Wu 2021).", "a"),
        ("Bees dance (cf. Lin et al. 2021; Müller, 2019).", "ac"),
        ("Bees dance [Muller].", "c"),
        ("Bees dance (de Vries et al., 2020).", "d"),
        ("Bees dance [On the Waggle Dance].", "a"),
    ],
)
def test_what_models_write_for_a_citation_is_one(written: str, meant: str) -> None:
    resolved = resolve(written, HITS)
    assert (cites(resolved), resolved.dropped) == (meant, 0)
    assert not set("[](){}【】¹²^\\").intersection(strip(resolved.text))


@pytest.mark.parametrize(
    "text",
    [
        "There are two ways: (1) Bees dance, (2) bees sing.",
        "(1) First, bees dance.",
        "1) Bees dance.",
        "In 1967 (2020) bees danced (2020).",
        "Four (4) bees dance.",
        "Bees dance in groups of four (4).",
        "Bees dance (3), and ice melts.",
        "Bees follow equation (1).",
        "Bees dance as in Table (2).",
        "The complexity is O(1).",
        "Bees dance (9).",
        "An area of 12 m² and 10² bees, p < 10⁻³.",
        "Bees danced at NeurIPS (NeurIPS, 2021) in spring (May, 2020).",
        "Bees dance (since 2021) and rest (as expected).",
        "Values lie in [0, 1].",
        "Bees [often] dance.",
        "Lin et al. (2021) say that bees dance.",
    ],
)
def test_what_is_no_citation_stays_as_it_is(text: str) -> None:
    assert resolve(text, HITS) == Resolved(text, ())


@pytest.mark.parametrize(
    ("invented", "count"),
    [
        ("[9]", 1),
        ("[8, 9]", 2),
        ("[Source 9]", 1),
        ("(Abstract 9)", 1),
        ("[^9]", 1),
        ("[Smith et al.]", 1),
        ("[Smith, 2019]", 1),
        ("(Smith et al., 2019)", 1),
        ("(Smith, 2019; Jones and Kim, 2018)", 2),
        ("(Wu et al., 1999)", 1),
    ],
)
def test_a_citation_of_what_was_not_shown_is_dropped_and_counted(invented: str, count: int) -> None:
    assert resolve(f"Bees dance {invented}.", HITS) == Resolved("Bees dance.", (), count)


def test_a_name_that_two_papers_bear_is_taken_away_and_not_called_invented() -> None:
    twins = [*HITS, Hit(5, 1.0, Paper("e", "Ants.", "On ants", ("Karl Lin",), 2021))]
    assert resolve("Bees dance [Lin et al., 2021].", twins) == Resolved("Bees dance.", ())


def test_a_number_in_words_keeps_them() -> None:
    resolved = resolve("According to Abstract 2, ice melts. Abstract 9 does not say so.", HITS)
    assert (resolved.text, cites(resolved)) == (
        "According to Abstract [1], ice melts. Abstract 9 does not say so.",
        "b",
    )


# Superscripts


@pytest.mark.parametrize(
    "text",
    [
        "MATH² extracts core skills.",
        "MATH² extracts core skills. Bees dance.²",
        "We test on MATH² and on bread.² It works.¹",
        "MATH² extracts core skills [1].",
        "Bees dance.⁹ Ice melts.¹",
        "Bees dance.⁰",
        "The error (x + y)² is small.",
    ],
)
def test_a_superscript_is_no_citation_unless_the_model_cites_by_superscripts_throughout(text: str) -> None:
    resolved = resolve(text, HITS)
    assert resolved.text == text.replace("[1]", f"[{len(resolved.hits)}]")
    assert resolved.dropped == 0


@pytest.mark.parametrize("name", ["MATH²", "MATH$^2$", "$\\text{MATH}^2$", "MATH^{2}", "$MATH^2$"])
def test_a_superscript_of_a_name_that_an_abstract_writes_so_is_no_citation(name: str) -> None:
    skills = Paper("e", f"We extract skills with {name} and test them.", "Skills")
    hits = [*HITS, Hit(5, 1.0, skills)]
    resolved = resolve("MATH² extracts core skills.⁵ Bees dance.¹ We test MATH².", hits)
    assert (resolved.text, cites(resolved)) == ("MATH² extracts core skills.[1] Bees dance.[2] We test MATH².", "ea")


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("Let $(x + y)^2$ be small.", "Small is (x + y)².¹"),
        ("The wave² of bees.", "There is a wave², too.¹"),
        ("An area of 12 cm² and R².", "It takes 12 cm², and R² is 1.¹"),
    ],
)
def test_a_superscript_of_a_formula_that_an_abstract_has_is_no_citation(formula: str, text: str) -> None:
    resolved = resolve(text, [HITS[0], Hit(2, 1.0, Paper("e", formula))])
    assert (resolved.text, cites(resolved)) == (text.replace("¹", "[1]"), "a")


# Lists of references


@pytest.mark.parametrize(
    "references",
    [
        "References:\n[1] foo\n[2] bar",
        "**References**\n\n1. foo\n2. bar\n",
        "## Sources\n- [1] foo\n- [2] bar",
        "Sources: [1] foo [2] bar",
        "Sources: [1], [2]",
        "Works cited:\n(1) foo",
        "[^1]: foo\n[^2]: bar",
        "References:\nLin, K. (2021). On the waggle dance.",
        "[1] On the waggle dance\n[2] The melting of alpine ice",
    ],
)
def test_a_list_of_references_is_no_part_of_the_answer(references: str) -> None:
    resolved = resolve(f"Bees dance [1]. Ice melts [2].\n\n{references}", HITS)
    assert (resolved.text, cites(resolved)) == ("Bees dance [1]. Ice melts [2].", "ab")


@pytest.mark.parametrize(
    "references",
    ["References:\n[1] Why birds sing\n[7] On the waggle dance, 2021", "[^1]: Why birds sing\n[^7]: K. Lin, 2021."],
)
def test_a_list_of_references_says_which_papers_its_numbers_mean(references: str) -> None:
    resolved = resolve(f"Birds sing [1]. Bees dance [7].\n\n{references}", HITS)
    assert (resolved.text, cites(resolved), resolved.dropped) == ("Birds sing [1]. Bees dance [2].", "da", 0)


@pytest.mark.parametrize("text", ["Sources:\nThe sources say that bees dance.", "References: none of them says so."])
def test_what_only_begins_as_a_list_of_references_stays(text: str) -> None:
    assert resolve(text, HITS).text == text


# While a text is written


@pytest.mark.parametrize(
    "written",
    [
        "Bees dance [1].",
        "Bees dance [Source 1].",
        "Bees dance (Lin et al., 2021).",
        "Bees dance (1).",
        "Bees dance (1) and sing.",
        "Bees dance.¹ So it is.",
        "MATH² extracts core skills. So it is.",
        "MATH² extracts core skills [1].",
        "According to Abstract 12, no.",
        "Bees dance [1].\n\nReferences:\n[1] On the waggle dance",
        "Bees dance [1].\n\nSources: [1] On the waggle dance",
    ],
)
def test_no_part_of_a_marker_or_of_a_list_is_shown_before_it_is_whole(written: str) -> None:
    whole = resolve(written, HITS).text
    shown = [resolve(settled(written[:end]), HITS).text for end in range(len(written) + 1)]
    assert [text for text in shown if not whole.startswith(text)] == []
