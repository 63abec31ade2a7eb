from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from assistant.schema import Strength, Verdict
from eval.report import page as report
from eval.runs.records import Record
from tests.browser.conftest import SHOTS, ColorScheme
from tests.evaluation import answer_record, claim_record, question_record, run_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def records(hesitant: float) -> Iterator[Record]:
    """Forty questions, of which some are missed, some are refused and some have no answer, and two claims."""
    for number in range(30):
        strength = Strength.NONE if number % 9 == 8 else Strength.FIRM
        answer = answer_record(strength, "ab"[number % 4 == 3], ["Ice melts."], confidence=(1 - number / 40) * hesitant)
        found = "bcdefghijkl" if number % 7 == 6 else "ab"
        took = {"total_ms": 40.0 + 9 * number, "embed_ms": 12.5}
        question = f"How does {'a very long word '.replace(' ', '') * number} melt in {number} years?"
        yield question_record(
            f"q{number}", "a", found, answer, question=question, evidence=["Ice melts."], timings=took
        )
    for number in range(10):
        answer = answer_record(Strength.FIRM if number % 3 == 0 else Strength.NONE, "b", confidence=number / 20)
        yield question_record(f"n{number}", "", "b", answer, suite="unanswerable", timings={"total_ms": 31.0 + number})
    yield claim_record("1", True, Verdict.SUPPORTED, 0.9, passage="Ice melts.")
    yield claim_record("2", False, Verdict.SUPPORTED, 0.8, passage="<b>Ice</b> melts.")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two runs, one of them unfinished."""
    runs = [run_of(records(1.0), "first"), run_of(records(0.6), "a-second-run-of-a-longer-name", missing=3)]
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report(runs), encoding="utf-8")
    return file


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> ColorScheme:
    found: ColorScheme = request.param
    return found


@pytest.mark.parametrize("width", [360, 1280])
def test_a_report_shows_three_charts_at_any_width_and_asks_nobody(
    browser: Browser, file: Path, width: int, scheme: ColorScheme
) -> None:
    shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    complaints = _complaints(shown)
    shown.goto(file.as_uri())
    for name in ("Risk-coverage curve", "Reliability diagram", "Histogram of latency"):
        chart = shown.get_by_role("img", name=name)
        expect(chart).to_be_visible()
        box = chart.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert chart.locator(".run0 *, .run1 *").count() >= 2
    expect(shown.get_by_text("Unfinished: 3 questions were never asked.")).to_be_visible()
    assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert _is_dark(shown) == (scheme == "dark")
    shown.screenshot(path=SHOTS / f"report-{width}-{scheme}.png", full_page=True)
    shown.close()
    assert complaints == []


def _complaints(page: Page) -> list[str]:
    """What the console says is wrong, and every address asked for beside the file itself, as they come."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith("file:") else found.append(request.url))
    return found


def _is_dark(page: Page) -> bool:
    """Whether the ground is darker than the ink."""
    script = "name => getComputedStyle(document.body)[name].match(/[0-9]+/g).slice(0, 3).reduce((a, b) => a + +b, 0)"
    return bool(page.evaluate(script, "backgroundColor") < page.evaluate(script, "color"))
