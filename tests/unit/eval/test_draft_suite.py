"""The paragraphs of the suite of drafts are sound, and its figures count what they say."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from assistant.settings import Settings
from eval.measures import drafts as measures
from eval.suites.drafts import RelatedWork, load_papers, load_paragraphs
from eval.training import draft_citations, draft_statements


def test_half_of_sixty_paragraphs_are_dev_and_every_kind_of_fault_is_planted_in_both() -> None:
    paragraphs = load_paragraphs()
    assert Counter(paragraph.split for paragraph in paragraphs) == {"dev": 30, "test": 30}
    for split in ("dev", "test"):
        statements = [item for paragraph in load_paragraphs(split) for item in paragraph.statements]
        kinds = Counter(fault.kind for statement in statements for fault in statement.faults)
        assert set(kinds) == {"number", "direction", "negation", "reversal"}
        assert min(kinds.values()) >= 15
        assert sum(statement.paper is None for statement in statements) == 30


def test_no_paper_is_cited_in_both_halves() -> None:
    dev, test = ({key for item in load_paragraphs(split) for key in item.cited} for split in ("dev", "test"))
    assert not dev & test


def test_the_cited_abstracts_beside_the_seeds_are_there() -> None:
    papers = {paper.id for paper in load_papers()}
    cited = {key for paragraph in load_paragraphs() for key in paragraph.cited if key.startswith("arxiv-")}
    assert cited <= papers
    assert len(papers) == 280


@pytest.fixture
def paragraph() -> RelatedWork:
    """Return a paragraph of the suite whose true sentences are the first ones of their abstracts."""
    papers = {paper.id: paper for paper in load_papers()}
    found = next(item for item in load_paragraphs("dev") if item.cited[0] in papers)
    statements = tuple(
        dataclasses.replace(item, text=papers[item.paper].abstract.split(". ")[0] + ".") if item.paper else item
        for item in found.statements
    )
    return dataclasses.replace(found, statements=statements)


def test_the_figures_are_shares_of_the_planted_faults(eval_settings: Settings, paragraph: RelatedWork) -> None:
    assistant = measures.open_library(eval_settings)
    figures = measures.figures([paragraph], assistant)
    assistant.library.close()
    assert figures["false alarms"] == 0
    assert figures["false alarms (number)"] == len(paragraph.cited)
    assert figures["found: wrong citation"] == 1
    assert figures["dropped citation: R@5"] == 1
    assert figures["found: invented reference"] == 1
    assert "false alarms" in measures.table({"dev": figures})


def test_templates_of_both_kinds_are_filled() -> None:
    examples = draft_statements.templates()
    assert {kind for _, kind, _, _ in examples} == {"statement", "nothing"}
    assert not any("{" in text for text, _, _, _ in examples)


def test_citations_are_fitted_to_paragraphs_whose_true_sentences_are_told_from_faults(
    eval_settings: Settings, paragraph: RelatedWork
) -> None:
    assistant = measures.open_library(eval_settings)
    cited = list(draft_citations.cited_papers(paragraph, assistant))
    found = list(draft_citations.found_papers(paragraph, assistant))
    assistant.library.close()
    kinds = Counter(example.kind for example in cited)
    assert kinds["true"] == kinds["wrong citation"] == len(paragraph.cited)
    assert sum(example.kind == "true" for example in found) == len(paragraph.cited)
    others = [dataclasses.replace(example, paragraph=str(number)) for number in range(5) for example in cited]
    report = draft_citations.report_cited(others)
    assert "wrong citation 1.000" in report
