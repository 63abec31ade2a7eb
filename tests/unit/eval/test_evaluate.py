"""`python -m eval`: what goes to which stream, the exit codes, and what is said of bad input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from assistant import factory
from assistant.answering import calibration, firm_risk
from assistant.errors import InputError, ModelError
from assistant.protocols import LLM
from assistant.schema import Answer, Strength, Turn
from assistant.settings import Settings
from assistant.storage.conversation_schema import Fault, Feedback, StoredTurn
from assistant.storage.library import Library
from eval import __main__ as command
from eval import gate
from eval.runs import storage
from ingest import pipeline
from tests.conftest import BEES, ROOT, Run
from tests.evaluation import answer_record, question_record, run_of, write_claims
from tests.fakes import DraftingLLM, ScriptedLLM, UnreliableLLM, WordHashEmbedder
from ui.export import transcripts

Evaluate = Callable[..., Run]
UseLLM = Callable[[LLM], None]


@pytest.fixture
def science(tmp_path: Path) -> Path:
    return write_claims(tmp_path / "science")


@pytest.fixture
def floors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts others in the place of the floors that paperchat comes with."""
    file = tmp_path / "floors.toml"

    def hold(text: str) -> None:
        file.write_text(text, encoding="utf-8")
        content = gate.read_floors(file)
        monkeypatch.setattr(gate, "read_floors", lambda: content)

    return hold


def store(settings: Settings, name: str, found: str = "a", missing: int = 0) -> None:
    """A stored run of one question."""
    run = run_of([question_record("one", "a", found, answer_record(cited=found, text="Ice."))], name, missing)
    with storage.recording(settings.home, run.description) as (_, append):
        append(run.records)


# run


def test_answers_that_were_judged_on_the_page_are_asked_again_of_ones_own_library(
    evaluate: Evaluate, eval_settings: Settings, library: Library, papers_file: Path, tmp_path: Path
) -> None:
    pipeline.ingest([papers_file], library)
    (bees,) = (paper.id for paper in library.catalog.papers.all() if "waggle" in paper.abstract)
    file = tmp_path / "judged.jsonl"

    def judged(*papers: str) -> Run:
        answer = Answer(BEES, BEES, Strength.FIRM, 0.9, "Nobody knows.")
        stored = StoredTurn(
            1, "talk", Turn(BEES, answer), "", {}, None, Feedback(False, Fault.MISSING_PAPER, "", papers)
        )
        file.write_text("".join(f"{json.dumps(line)}\n" for line in transcripts.suite([stored])))
        return evaluate("run", "--suite", file, "--json")

    assert judged(bees).json["figures"]["judged"]["R@10"] == {"all": 1.0, "missing paper": 1.0}
    assert "asks for the paper 0123, which the library in" in judged("0123").err


def test_a_run_prints_a_table_a_suite_and_stores_what_came_of_it(
    evaluate: Evaluate, eval_settings: Settings, science: Path
) -> None:
    done = evaluate("run", "--suite", science, "--name", "one")
    assert done.code == 0
    assert done.err == "run one; if it is interrupted, --name one resumes it\n"
    tables = {line.split()[0] for line in done.out.splitlines() if line.endswith(" all") or " all " in line}
    assert tables == {"science", "science-claims"}
    assert done.out.endswith("run one: 6 questions\n")
    assert len(storage.load(eval_settings.home, "one").records) == 6


def test_a_run_as_json_is_json_and_nothing_else(evaluate: Evaluate, science: Path) -> None:
    done = evaluate("run", "--suite", science, "--split", "dev", "--limit", 1, "--no-answers", "--json")
    assert done.code == 0
    assert done.json["run"]["asks"] == {
        "suites": [str(science)],
        "split": "dev",
        "limit": 1,
        "answers": False,
        "judge": None,
        "votes": 1,
    }
    assert (done.json["failed"], done.json["missing"]) == (0, 0)
    assert done.json["figures"]["science"]["R@10"] == {"all": 1.0}
    assert done.json["run"]["items"] == {"science": 1}
    assert "total_ms" in done.json["cost"]


def test_a_run_without_a_name_tells_the_name_that_it_goes_on_under(evaluate: Evaluate, science: Path) -> None:
    first = evaluate("run", "--suite", science)
    name = first.err.split()[1].rstrip(";")
    again = evaluate("run", "--suite", science, "--name", name)
    assert _but_memory(again.out) == _but_memory(first.out)


def _but_memory(out: str) -> list[str]:
    return [line for line in out.splitlines() if not line.startswith("peak memory")]


def test_failed_questions_end_in_an_error_with_the_cure(
    evaluate: Evaluate, science: Path, use_llm: UseLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERCHAT_TENTATIVE_THRESHOLD", "0")
    arguments = ("run", "--suite", science, "--llm", "scripted/test", "--name", "one")
    use_llm(UnreliableLLM("It is ", "so [1].", raises={1: ModelError("timed out")}))
    failed = evaluate(*arguments)
    assert failed.code == 1
    assert failed.err.splitlines()[1:] == [
        "1 questions failed (timed out) and count as zero; the same command with --name one asks them again"
    ]
    use_llm(ScriptedLLM("It is ", "so [1]."))
    mended = evaluate(*arguments, "--price", 1000, 5000)
    assert (mended.code, mended.err.splitlines()[1:]) == (0, [])
    assert "tokens in, out" in mended.out


def test_money_is_told_where_prices_are(
    evaluate: Evaluate, science: Path, use_llm: UseLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERCHAT_TENTATIVE_THRESHOLD", "0")
    use_llm(ScriptedLLM("It is ", "so [1]."))
    done = evaluate("run", "--suite", science, "--llm", "scripted/test", "--price", 1000, 5000)
    counted = next(line.split()[-2:] for line in done.out.splitlines() if line.startswith("tokens in"))
    money = next(line.split()[-1] for line in done.out.splitlines() if line.startswith("money"))
    assert float(money) == pytest.approx((int(counted[0]) * 1000 + int(counted[1]) * 5000) / 1e6, abs=1e-4)


def test_a_judge_is_shown_beside_the_other_measures(
    evaluate: Evaluate, science: Path, use_llm: UseLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERCHAT_TENTATIVE_THRESHOLD", "0")
    use_llm(ScriptedLLM("Fine.\nScore: 4"))
    done = evaluate("run", "--suite", science, "--judge", "scripted/test", "--votes", 2)
    assert "judge's score" in done.out
    assert "6 votes, 0 of them without a score" in done.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("run", "--suite", "nonsense"), "nonsense: neither a folder, a file, nor one of single, multi, unanswerable"),
        (("run", "--suite", "single", "--split", "train"), "'train' is not one of dev, test"),
        (("run", "--suite", "single", "--suite", "single"), "a suite is named twice"),
        (("run", "--suite", "single", "--name", "../up"), "../up: a run's name is"),
        (("run", "--suite", "single", "--judge", "extractive"), "a judge is a language model, such as"),
        (("run", "--llm", "nobody"), "setting llm (PAPERCHAT_LLM)"),
        (("report", "nosuch"), "nosuch: there is no such run; there are held"),
        (("compare", "held", "nosuch"), "nosuch: there is no such run; there are held"),
        (("gate", "--run", "nosuch"), "nosuch: there is no such run; there are held"),
        (
            ("report", "held", "--to", "/nowhere/at/all.html"),
            "cannot be written: No such file or directory; name another",
        ),
        (("calibrate", "--own", "--suite", "."), "--suite and --own are two sources of questions: give one of them"),
        (("calibrate", "--own"), "it holds 0 papers; a test needs at least 12: add some with paperchat ingest PATH"),
        (("selftest",), "it holds 0 papers; a test needs at least 12: add some with paperchat ingest PATH"),
    ],
)
def test_bad_input_is_one_line_that_names_the_cure(
    evaluate: Evaluate, eval_settings: Settings, arguments: tuple[str, ...], complaint: str
) -> None:
    store(eval_settings, "held")
    done = evaluate(*arguments)
    assert (done.code, done.out) == (1, "")
    complaints = [line for line in done.err.splitlines() if not line.startswith("run ")]
    assert len(complaints) == 1
    assert complaints[0].startswith("eval: ")
    assert complaint in complaints[0]


def test_too_few_questions_to_fit_on_are_told(evaluate: Evaluate, science: Path) -> None:
    done = evaluate("calibrate", "--suite", science)
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith("needs 5 or more questions, some with and some without a paper that is found\n")


def test_a_broken_line_of_a_folder_is_named(evaluate: Evaluate, science: Path) -> None:
    (science / "qrels.tsv").write_text("1\tice\t1\n9\tice\t1\n", encoding="utf-8")
    done = evaluate("run", "--suite", science)
    assert done.err.splitlines()[-1] == f"eval: {science}/qrels.tsv:2: judges the question 9, which does not exist"


@pytest.mark.parametrize("arguments", [("run", "--limit", "0"), ("report",), ("compare", "one"), ("run", "--nosuch")])
def test_a_wrong_use_of_the_command_is_told_with_exit_code_2(evaluate: Evaluate, arguments: tuple[str, ...]) -> None:
    assert evaluate(*arguments).code == 2


def test_the_command_ends_with_the_error_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise InputError("there", "is no such thing")

    monkeypatch.setattr(command, "app", fail)
    with pytest.raises(SystemExit, match=r"^eval: there: is no such thing$"):
        command.main()


def test_the_module_is_the_command() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "eval", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "python -m eval" in shown
    for verb in ("run", "selftest", "compare", "report", "gate", "calibrate", "bench", "scale"):
        assert verb in shown


# selftest, calibrate


@pytest.fixture
def own_library(eval_settings: Settings, tmp_path: Path) -> None:
    """Thirty-six papers in the library of the home."""
    file = tmp_path / "many.txt"
    words = "ice bees bread stars rain fish rocks leaves moons sand salt wind iron snow frogs lamps coal silk".split()
    abstract = "We study {0}{3} near {1} and {2}. The {0}{3} grows by {3} parts. Nobody knows why {0}{3} feeds on {2}."
    lines = []
    for first, step in product(range(18), (1, 5)):
        names = (words[place % 18] for place in (first, first + step, first + 5 * step))
        lines.append(f"Abstract: {abstract.format(*names, first + 18 * step)}\n")
    file.write_text("".join(lines), encoding="utf-8")
    library = factory.open_library(eval_settings, WordHashEmbedder())
    pipeline.ingest([file], library)
    library.close()


@pytest.mark.usefixtures("own_library")
def test_a_selftest_asks_the_library_of_the_home(evaluate: Evaluate) -> None:
    done = evaluate("selftest", "--name", "mine", "--json")
    assert done.code == 0
    assert done.json["figures"]["selftest"]["R@10"].keys() == {"all", "sentence"}
    assert done.json["figures"]["selftest"]["refused"].keys() == {"all", "left out"}


@pytest.mark.usefixtures("own_library")
def test_a_selftest_fits_and_stores_the_confidence_from_which_few_answers_are_wrong(
    evaluate: Evaluate, eval_settings: Settings
) -> None:
    done = evaluate("selftest", "--name", "mine")
    # Six questions are too few for any promise.
    promise = "no confidence is high enough that at most 5% cite no right paper"
    assert f"trust: {promise}" in done.out
    assert promise in firm_risk.describe(eval_settings.home)


@pytest.mark.usefixtures("own_library")
def test_confidences_are_fitted_to_the_library_of_the_home_and_stored_there(
    evaluate: Evaluate, eval_settings: Settings
) -> None:
    done = evaluate("calibrate", "--own")
    assert done.code == 0
    module, *models, no_evidence, held_out, stored = done.out.splitlines()
    assert module == "assistant/answering/calibration.py"
    assert [line.split("=")[0].strip() for line in models] == ["topic", "answer", "evidence"]
    assert no_evidence.endswith("the suite has no evidence sentences, so nothing is fitted")
    assert "answered 0." in held_out
    assert "left out" in held_out
    assert stored == f"  stored: {eval_settings.home / calibration.FILE}"
    fitted = factory.open_calibration(eval_settings, factory.open_embedder(eval_settings))
    assert f"  answer={fitted.answer}" in models
    assert fitted.answer != calibration.PACKAGED.answer
    assert fitted.evidence == calibration.PACKAGED.evidence


# compare


def test_a_comparison_prints_differences_and_changes(evaluate: Evaluate, eval_settings: Settings) -> None:
    store(eval_settings, "before", "b")
    store(eval_settings, "after", "a")
    done = evaluate("compare", "before", "after")
    assert done.code == 0
    assert done.out.startswith("before -> after")
    assert "better  single one, R@1: one?" in done.out
    told = evaluate("compare", "before", "after", "--json").json
    assert (told["before"], told["after"], told["left_out"]) == ("before", "after", 0)
    assert {each["measure"] for each in told["differences"]} >= {"R@1", "gold paper cited"}
    assert [change["better"] for change in told["changes"]] == [True, True]


def test_runs_of_strategies_are_compared_with_their_worth_and_cost(
    evaluate: Evaluate, science: Path, use_llm: UseLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERCHAT_TENTATIVE_THRESHOLD", "0")
    lie = "Whales sing to glaciers every night [1]."
    drafts = (f"The loss of ice doubles after 2005 [1]. {lie}", f"Acetic acid bacteria are found in a third [1]. {lie}")
    strategies = ("single", "best-of-n", "refine")
    for strategy in strategies:
        use_llm(DraftingLLM(*drafts))
        evaluate("run", "--suite", science, "--llm", "drafting/test", "--strategy", strategy, "--name", strategy)
    compared = evaluate("compare", *strategies, "--json").json
    rows = {row["measure"]: row["means"] for row in compared["side_by_side"]["rows"]}
    assert compared["side_by_side"]["strategies"] == list(strategies)
    assert rows["calls an answer"][0] == 1 < rows["calls an answer"][1]
    assert rows["tokens an answer"][0] < rows["tokens an answer"][1]
    assert all(seconds > 0 for seconds in rows["seconds an answer"])
    assert [comparison["after"] for comparison in compared["further"]] == ["refine"]
    text = evaluate("compare", *strategies).out
    assert re.search(r"^side by side +single +best-of-n +refine$", text, re.MULTILINE)
    assert "single -> best-of-n" in text
    assert "single -> refine" in text


def test_an_unknown_strategy_is_refused_by_name(evaluate: Evaluate, science: Path) -> None:
    done = evaluate("run", "--suite", science, "--strategy", "guess")
    assert (done.code, "setting strategy" in done.err) == (1, True)


# report


def test_a_report_goes_beside_the_run_or_where_it_is_told(
    evaluate: Evaluate, eval_settings: Settings, tmp_path: Path
) -> None:
    store(eval_settings, "one")
    store(eval_settings, "two", "b")
    beside = eval_settings.home / "eval" / "runs" / "one" / "report.html"
    assert evaluate("report", "one", "two").out == f"written: {beside}\n"
    assert "two" in beside.read_text(encoding="utf-8")
    assert evaluate("report", "one", "--to", tmp_path / "page.html").code == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")


# gate

HIGH = 'slice_size = 1\n[whole.single."R@1"]\nall = 0.5\n[slice]\n'


def test_a_gate_that_holds_exits_with_0(
    evaluate: Evaluate, eval_settings: Settings, floors: Callable[[str], None]
) -> None:
    floors(HIGH)
    store(eval_settings, "good")
    done = evaluate("gate", "--run", "good")
    assert (done.code, done.err) == (0, "")
    assert "R@1" in done.out


def test_a_gate_that_does_not_hold_exits_with_1_and_what_fell(
    evaluate: Evaluate, eval_settings: Settings, floors: Callable[[str], None]
) -> None:
    floors(HIGH)
    store(eval_settings, "bad", "b")
    done = evaluate("gate", "--run", "bad")
    assert (done.code, done.err) == (1, "fell: single, R@1 (all): 0.000 is below 0.500\n")


def test_a_gate_does_not_hold_for_a_run_that_lacks_questions(
    evaluate: Evaluate, eval_settings: Settings, floors: Callable[[str], None]
) -> None:
    floors(HIGH)
    store(eval_settings, "short", missing=3)
    done = evaluate("gate", "--run", "short")
    assert done.code == 1
    assert done.err == ("3 questions of run short were never asked; the same command with --name short asks them\n")


def test_a_gate_with_a_floor_of_what_was_not_measured_is_refused_by_name(
    evaluate: Evaluate, eval_settings: Settings, floors: Callable[[str], None]
) -> None:
    floors(HIGH.replace("R@1", "R@2"))
    store(eval_settings, "good")
    done = evaluate("gate", "--run", "good")
    assert done.code == 1
    assert "has a floor for single, R@2 (all), which was not measured" in done.err


def test_the_slice_asks_so_many_of_each_suite_and_has_floors_of_its_own(
    evaluate: Evaluate, eval_settings: Settings, floors: Callable[[str], None]
) -> None:
    floors('slice_size = 2\n[whole.single."R@1"]\nall = 2.0\n[slice.single."R@1"]\nall = 0.0\n')
    done = evaluate("gate", "--slice")
    assert done.code == 0
    (name,) = [each.name for each in (eval_settings.home / "eval" / "runs").iterdir()]
    held = json.loads((eval_settings.home / "eval" / "runs" / name / "run.json").read_text(encoding="utf-8"))
    assert held["items"]["single"] == held["items"]["claims"] == 2
    assert held["asks"]["limit"] == 2
