"""The report: one page that needs nothing else and shows whatever it is given as text."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from assistant.schema import Strength, Verdict
from eval import report
from eval.runs.records import QuestionRecord, Record, RetrievedPaper
from eval.runs.storage import Run
from tests.evaluation import answer_record, claim_record, question_record, run_of

ATTACK = "<script>alert('owned')</script><img src=x onerror=alert(1)> & \"quotes\" {{ 7 * 7 }} http://elsewhere.example"
VOID = {"meta"}


class Page(HTMLParser):
    """Every tag with its attributes, the text, and tags that were not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.open = "", list[str]()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text += data

    def of(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        """The attributes of each such tag that has these."""
        return [own for name, own in self.tags if name == tag and attributes.items() <= own.items()]


def answers() -> list[Record]:
    """Questions with and without an answer, of several fates, and a claim."""
    return [
        question_record("good", "a", "ab", answer_record(cited="a", confidence=0.9), timings={"total_ms": 12.0}),
        question_record("wrong", "a", "ba", answer_record(cited="b", confidence=0.6), timings={"total_ms": 55.0}),
        question_record("refused", "a", "ab", answer_record(Strength.NONE, confidence=0.2), timings={"total_ms": 7.0}),
        question_record(
            "none", "", "b", answer_record(cited="b", confidence=0.8), suite="unanswerable", timings={"total_ms": 150.0}
        ),
        claim_record("1", False, Verdict.SUPPORTED, 0.8, passage="Ice melts."),
    ]


def page(*runs: Run) -> Page:
    return Page(report.page(runs))


EVERY_KIND = {
    "one run": [run_of(answers())],
    "several runs": [run_of(answers(), name) for name in ("first", "second", "third", "fourth", "fifth")],
    "the same run twice": [run_of(answers())] * 2,
    "without answers": [run_of([question_record("one", "a", "ab", timings={"total_ms": 3.0})])],
    "claims alone": [run_of([claim_record("1", True), claim_record("2", False)])],
    "nothing": [run_of([])],
    "nothing but failures": [
        run_of([question_record("one", "a", error="gone"), claim_record("1", True, None, error="gone")])
    ],
    "nothing beside something": [run_of([], "empty"), run_of(answers(), "full")],
    "no measurable time": [run_of([question_record("one", "a", "a", timings={"total_ms": 0.0})])],
    "hours": [run_of([question_record("one", "a", "a", timings={"total_ms": 1e8})])],
    "an untitled paper": [
        run_of([replace(question_record("one", "b", "a"), retrieved=(RetrievedPaper("a", None, 0.5),))])
    ],
}


@pytest.mark.parametrize("runs", EVERY_KIND.values(), ids=EVERY_KIND.keys())
def test_every_run_makes_a_sound_page_with_three_charts(runs: list[Run]) -> None:
    found = page(*runs)
    assert found.open == []
    assert [each["aria-label"] for each in found.of("svg")] == [
        "Risk-coverage curve",
        "Reliability diagram",
        "Histogram of latency",
    ]
    for run in runs:
        assert run.name in found.text
    numbers = [value for _, own in found.tags for value in own.values() if value]
    assert not any(word in value.casefold() for value in numbers for word in ("nan", "inf "))


@pytest.mark.parametrize("runs", EVERY_KIND.values(), ids=EVERY_KIND.keys())
def test_the_page_needs_nothing_else(runs: list[Run]) -> None:
    text = report.page(runs)
    found = Page(text)
    assert "://" not in text
    assert "@import" not in text
    assert "url(" not in text
    names = {name for name, _ in found.tags}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form", "a"})
    assert {"src", "href", "srcset"}.isdisjoint(key for _, own in found.tags for key in own)
    assert not any(key.startswith("on") for _, own in found.tags for key in own)


def test_whatever_comes_from_papers_questions_and_models_is_text() -> None:
    record = question_record(
        ATTACK, ATTACK, "b", answer_record(cited="b", text=ATTACK), question=ATTACK, group=ATTACK, suite=ATTACK
    )
    titled = replace(record, papers=(ATTACK,), retrieved=(RetrievedPaper("b", ATTACK, 0.5),))
    failed = replace(question_record("failed", "a", error=ATTACK), question=ATTACK)
    claim = replace(claim_record("1", False, passage=ATTACK), claim=ATTACK)
    run = run_of([titled, failed, claim], ATTACK, commit=ATTACK, started=ATTACK, versions={ATTACK: ATTACK})
    run = replace(run, description=replace(run.description, settings={ATTACK: ATTACK}, options={ATTACK: ATTACK}))
    text = report.page([run])
    assert "<script" not in text
    assert "<img" not in text
    found = Page(text)
    assert found.open == []
    assert found.text.count(ATTACK) > 10
    assert "49" not in found.text


def test_figures_stand_beside_each_other_run_by_run() -> None:
    found = page(run_of(answers(), "first"), run_of(answers()[:1], "second"))
    assert "R@10.6671.000\n" in found.text


def test_the_charts_have_what_each_run_has() -> None:
    found = page(run_of(answers(), "first"), run_of(answers(), "second"))
    assert len(found.of("polyline")) == 2
    assert len(found.of("circle")) == 2 * 4
    assert len(found.of("rect")) == 2 * 4
    for bar in found.of("rect"):
        x, width, y, height = (float(bar[name] or "") for name in ("x", "width", "y", "height"))
        assert 0 <= x <= x + width <= 100.5
        assert y + height == pytest.approx(100)
    assert [float(bar["height"] or "") for bar in found.of("rect")] == [100.0] * 8


def test_the_curve_is_the_risk_at_each_coverage() -> None:
    (curve,) = page(run_of(answers())).of("polyline")
    points = [tuple(map(float, each.split(","))) for each in (curve["points"] or "").split()]
    assert points == [(25, 100), (50, 50), (75, 33.3), (100, 25)]


def test_a_run_without_answers_says_why_there_is_no_curve() -> None:
    reason = "each needs answers to questions with and without a paper that answers them"
    assert reason in page(run_of([question_record("one", "a", "a")])).text
    assert reason not in page(run_of(answers())).text


def test_a_run_that_is_unfinished_or_failed_says_so() -> None:
    found = page(run_of([*answers(), question_record("failed", "a", error="timed out")], missing=7))
    assert "Unfinished: 7 questions were never asked." in found.text
    assert "1 questions failed and count as zero." in found.text
    assert "Unfinished" not in page(run_of(answers())).text


def test_the_worst_questions_are_shown_the_gravest_first_with_what_was_wanted_and_found() -> None:
    records = [
        *answers(),
        question_record("lost", "a", "b", answer_record(cited="b")),
        question_record("failed", "a", error="timed out"),
    ]
    text = page(run_of(records)).text
    order = [
        "failed: timed out",
        "answered firmly, though no paper answers it",
        "relevant paper not retrieved",
        "refused, though a relevant paper was retrieved",
        "no relevant paper cited",
        "wrong verdict",
    ]
    assert sorted(order, key=text.index) == order
    assert "good?" not in text
    assert "supported, support 0.80, by: Ice melts." in text


def test_no_more_than_the_twenty_worst_are_shown() -> None:
    found = page(run_of([question_record(f"q{number:02}", "a", "b") for number in range(30)]))
    assert len(found.of("div", **{"class": "worst"})) == 20


def test_when_nothing_went_wrong_the_page_says_so() -> None:
    assert "No question has a problem." in page(run_of(answers()[:1])).text


def test_settings_that_differ_from_the_defaults_are_shown() -> None:
    run = run_of(answers())
    changed = replace(run, description=replace(run.description, settings={"top_k": 10, "dense_weight": 1.0}))
    text = page(changed).text
    assert "dense_weight 1.0" in text
    assert "top_k 10" not in text


def test_tokens_money_and_memory_are_shown_where_there_are_any() -> None:
    record = question_record("one", "a", "a", answer_record(cited="a", tokens=(2_000_000, 100_000)))
    text = page(run_of([record], prices=(0.5, 2.0), peak_memory=812.4)).text
    assert "2000000 in, 100000 out, 1.2000 in money" in text
    assert "812 MB" in text
    plain = page(run_of(answers())).text
    assert "in money" not in plain
    assert "peak memory" not in plain


def test_a_record_is_read_for_the_page_from_any_suite() -> None:
    other = question_record("one", "a", "ab", suite="elsewhere")
    assert isinstance(other, QuestionRecord)
    assert "elsewhere" in page(run_of([other])).text
