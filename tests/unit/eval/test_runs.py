"""Runs are stored question by question, go on where they stopped, and are never silently shorter than their suites."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import InputError, ModelError
from assistant.protocols import LLM
from assistant.settings import Settings
from eval.runs import storage
from eval.runs.execution import RunOptions, run_suites
from eval.runs.records import QuestionRecord, to_json
from eval.runs.storage import Run, RunDescription
from eval.suites.selection import Suite
from tests.conftest import ROOT
from tests.evaluation import (
    NOT_THERE,
    PAPERS,
    QUESTIONS,
    TALK,
    answer_record,
    claim_record,
    question_record,
    sentence_record,
)
from tests.fakes import ScriptedLLM, UnreliableLLM

SUITE = Suite("tiny", QUESTIONS, "three", PAPERS)
TWELVE = tuple(replace(QUESTIONS[number % 3], id=f"q{number:02}") for number in range(12))
TALKS = Suite("talks", (TALK,), "three", PAPERS)
ASKS = RunOptions(("tiny",))
SAYS = ("It is ", "so [1].")
TIMED_OUT = ModelError("timed out")

UseLLM = Callable[[LLM], None]
Take = Callable[..., Run]


@pytest.fixture
def ask(eval_settings: Settings, use_llm: UseLLM) -> Take:
    """Runs suites with a language model, firm about everything, under the name of `one`."""
    firm = eval_settings.model_copy(update={"llm": "scripted/test", "firm_threshold": 0.0, "tentative_threshold": 0.0})

    def run(llm: LLM, *suites: Suite, workers: int = 1, settings: dict[str, object] | None = None) -> Run:
        use_llm(llm)
        return run_suites(firm.model_copy(update=settings or {}), suites or (SUITE,), ASKS, "one", workers)

    return run


def records_of(home: Path) -> Path:
    return home / "eval" / "runs" / "one" / storage.RECORDS_FILE


def about(name: str = "one", **fields: Any) -> RunDescription:
    given: dict[str, Any] = {"options": {}, "settings": {"top_k": 10}, "items": {"single": 2}}
    return RunDescription(name, **(given | fields))


def questions_put(llm: ScriptedLLM) -> int:
    return len(llm.requests)


# Storing


def test_a_run_is_stored_with_everything_that_its_figures_come_from(ask: Take, eval_settings: Settings) -> None:
    found = ask(ScriptedLLM(*SAYS))
    held = storage.load(eval_settings.home, "one")
    assert held == found
    assert [record.id for record in held.records] == [question.id for question in QUESTIONS]
    assert (held.missing, held.failed) == (0, ())
    assert held.description.items == {"tiny": 3}
    assert held.description.options["suites"] == ["tiny"]
    assert held.description.settings["llm"] == "scripted/test"
    assert "home" not in held.description.settings
    assert held.description.recipes["three"]["embedder"] == "word-hash"
    assert {"python", "paperchat", "chromadb", "torch"} <= held.description.versions.keys()
    assert held.description.started.endswith("Z")
    assert (held.description.peak_memory or 0) > 1


def test_every_kind_of_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    records = (
        question_record(
            "one",
            "a",
            "ab",
            answer_record(cited="a", passages=["É\u2028\n"], sentences=[sentence_record(1)], tokens=(1, 2)),
        ),
        question_record("two", "a", error="timed out", votes=(0.5, None), timings={"total_ms": 1.5}),
        claim_record("three", True, None, error="gone"),
    )
    with storage.recording(tmp_path, about()) as (begun, store):
        assert begun.records == ()
        store(records)
    assert storage.load(tmp_path, "one").records == records


STORED_DESCRIPTION = """{
 "name": "old", "asks": {"suites": [], "split": null}, "settings": {"papers": 10}, "items": {"single": 1, "claims": 1},
 "contents": {"single": "558f9a14fa90e8a0"}, "recipes": {}, "versions": {}, "commit": "d506fa8669c7",
 "started": "2026-11-26T15:41:53Z", "prices": null, "peak_memory": 1189.0
}"""
STORED_QUESTION = (
    '{"id":"q","suite":"single","split":"dev","group":"all","question":"Why?","papers":["a"],"evidence":["Ice melts."],'
    '"only_search":false,"standalone":"Why?","found":[{"id":"a","title":null,"score":0.5}],"reply":{"strength":"firm",'
    '"confidence":0.9,"reason":null,"text":"Ice [1].","cited":[{"id":"a","passages":["Ice melts."]}],"sentences":'
    '[{"text":"Ice.","citations":[1],"verdict":"supported","support":1.0}],"tokens_in":null,"tokens_out":null},'
    '"timings":{"total_ms":1.5},"votes":[0.5,null],"error":null}'
)
STORED_CLAIM = (
    '{"id":"c","suite":"claims","split":"dev","group":"number","claim":"Ice.","paper":"a","supported":true,'
    '"evidence":[],"verdict":"supported","support":0.9,"passage":"Ice melts.","nearest":[],"timings":{},"error":null}'
)


def includes(new: Any, old: Any) -> bool:
    """Tell whether all that is in the old JSON is in the new one, under the same names."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and includes(new[key], old[key]) for key in old)
    if isinstance(old, list):
        return len(new) == len(old) and all(map(includes, new, old))
    return bool(new == old)


def test_a_run_stored_by_an_earlier_version_is_read_and_written_with_the_same_names(tmp_path: Path) -> None:
    folder = storage.run_folder(tmp_path, "old")
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(STORED_DESCRIPTION, encoding="utf-8")
    (folder / "records.jsonl").write_text(f"{STORED_QUESTION}\n{STORED_CLAIM}\n", encoding="utf-8")
    old = storage.load(tmp_path, "old")
    question, claim = old.records
    assert isinstance(question, QuestionRecord)
    assert [paper.id for paper in question.retrieved] == ["a"]
    assert question.answer is not None
    assert question.answer.sentences[0].citations == (1,)
    for record, line in zip(old.records, (STORED_QUESTION, STORED_CLAIM), strict=True):
        assert includes(json.loads(to_json(record)), json.loads(line))
    assert (old.description.options, old.missing) == ({"suites": [], "split": None}, 0)
    assert old.description.to_json() == json.loads(STORED_DESCRIPTION) | {"settings": {"top_k": 10}}
    assert claim.timings == {}


def test_a_run_is_gone_on_with_whose_settings_have_their_earlier_names(tmp_path: Path) -> None:
    with storage.recording(tmp_path, about(settings={"papers": 10})) as (_, store):
        store([question_record("one", "a", "a")])
    with storage.recording(tmp_path, about()) as (stored, _):
        assert [record.id for record in stored.records] == ["one"]


def test_a_run_without_a_name_is_called_by_the_time(eval_settings: Settings) -> None:
    found = run_suites(eval_settings, [SUITE], RunOptions(answers=False))
    assert storage.load(eval_settings.home, found.name).records == found.records


# Going on


def test_an_interrupted_run_goes_on_without_asking_again_what_is_done(ask: Take, eval_settings: Settings) -> None:
    stopped = UnreliableLLM(*SAYS, raises={3: KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        ask(stopped)
    begun = storage.load(eval_settings.home, "one")
    assert ([record.id for record in begun.records], begun.missing) == (["q-ice", "q-bees"], 1)
    going_on = ScriptedLLM(*SAYS)
    found = ask(going_on)
    assert questions_put(going_on) == 1
    assert [record.id for record in found.records] == ["q-ice", "q-bees", "q-bread"]
    assert found.missing == 0


def test_a_finished_run_asks_nothing_when_it_is_run_again(ask: Take) -> None:
    first, again = ask(ScriptedLLM(*SAYS)), ScriptedLLM(*SAYS)
    assert ask(again).records == first.records
    assert questions_put(again) == 0


def test_failed_questions_count_and_are_asked_again(ask: Take) -> None:
    failing = ask(UnreliableLLM(*SAYS, raises={2: TIMED_OUT}))
    assert [(record.id, record.error) for record in failing.failed] == [("q-bees", "timed out")]
    assert (len(failing.records), failing.missing) == (3, 0)
    again = ScriptedLLM(*SAYS)
    mended = ask(again)
    assert questions_put(again) == 1
    assert (len(mended.records), mended.failed, mended.missing) == (3, (), 0)


def test_a_conversation_of_which_one_turn_failed_is_held_anew_and_counted_once(ask: Take) -> None:
    failing = ask(UnreliableLLM(*SAYS, raises={2: TIMED_OUT}), TALKS)
    assert [(record.id, record.error) for record in failing.failed] == [("talk-2", "timed out")]
    again = ScriptedLLM(*SAYS)
    mended = ask(again, TALKS)
    assert questions_put(again) == 3
    assert sorted(record.id for record in mended.records) == ["talk-1", "talk-2", "talk-3"]
    assert (mended.failed, mended.missing) == ((), 0)


def test_a_turn_that_fails_when_its_conversation_is_held_anew_counts_as_failed(ask: Take) -> None:
    ask(UnreliableLLM(*SAYS, raises={2: TIMED_OUT}), TALKS)
    worse = ask(UnreliableLLM(*SAYS, raises={1: TIMED_OUT}), TALKS)
    assert [record.id for record in worse.failed] == ["talk-1"]
    assert (len(worse.records), worse.missing) == (3, 0)


def test_an_interrupted_conversation_is_held_anew(ask: Take, eval_settings: Settings) -> None:
    with pytest.raises(KeyboardInterrupt):
        ask(UnreliableLLM(*SAYS, raises={2: KeyboardInterrupt()}), TALKS)
    assert storage.load(eval_settings.home, "one").missing == 3
    again = ScriptedLLM(*SAYS)
    assert ask(again, TALKS).missing == 0
    assert questions_put(again) == 3


@pytest.mark.parametrize("left", [1, -1, -40], ids=["no end of line", "a letter less", "much less"])
def test_a_last_line_that_was_being_written_is_asked_again(ask: Take, eval_settings: Settings, left: int) -> None:
    ask(ScriptedLLM(*SAYS))
    file = records_of(eval_settings.home)
    content = file.read_bytes()
    file.write_bytes(content[: left - 2] if left < 0 else content[:-1])
    assert storage.load(eval_settings.home, "one").missing == 1
    again = ScriptedLLM(*SAYS)
    assert ask(again).missing == 0
    assert questions_put(again) == 1


def test_a_line_that_breaks_off_in_the_middle_of_a_letter_is_asked_again(tmp_path: Path) -> None:
    with storage.recording(tmp_path, about()) as (_, store):
        store([question_record("one", "a", "a"), question_record("two", "a", "a", question="é")])
    file = records_of(tmp_path)
    content = file.read_bytes()
    file.write_bytes(content[: content.index("é".encode()) + 1])
    assert [record.id for record in storage.load(tmp_path, "one").records] == ["one"]
    with storage.recording(tmp_path, about()) as (begun, store):
        assert [record.id for record in begun.records] == ["one"]
        store([question_record("two", "a", "a")])
    assert [record.id for record in storage.load(tmp_path, "one").records] == ["one", "two"]


@pytest.mark.parametrize("line", ["no json", '{"id": "q-bees"}', "", "\udcff"], ids=["text", "half", "empty", "bytes"])
def test_a_broken_line_is_refused_by_file_and_line(ask: Take, eval_settings: Settings, line: str) -> None:
    ask(ScriptedLLM(*SAYS))
    file = records_of(eval_settings.home)
    first, _, *rest = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join([first, line.encode("utf-8", "surrogateescape"), *rest]))
    complaint = r"records\.jsonl:2: not a record: .*delete the line"
    with pytest.raises(InputError, match=complaint):
        storage.load(eval_settings.home, "one")
    with pytest.raises(InputError, match=complaint):
        ask(ScriptedLLM(*SAYS))


def test_the_question_of_a_deleted_line_is_asked_again(ask: Take, eval_settings: Settings) -> None:
    ask(ScriptedLLM(*SAYS))
    file = records_of(eval_settings.home)
    first, _, *rest = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join([first, *rest]))
    again = ScriptedLLM(*SAYS)
    assert ask(again).missing == 0
    assert questions_put(again) == 1


# Refusing


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"options": {"limit": 3}}, "options"),
        ({"settings": {"top_k": 5}}, "settings"),
        ({"items": {"single": 3}}, "items"),
        ({"contents": {"single": "other"}}, "contents"),
        ({"recipes": {"seeds": {"embedder": "other"}}}, "recipes"),
        ({"settings": {"top_k": 5}, "items": {"single": 3}}, "settings and items"),
    ],
)
def test_a_run_is_not_gone_on_with_under_other_conditions(tmp_path: Path, changed: dict[str, Any], what: str) -> None:
    with storage.recording(tmp_path, about()) as (_, store):
        store([question_record("one", "a", "a")])
    before = records_of(tmp_path).read_bytes()
    complaint = f"a run of this name had other {what}; choose another --name"
    with pytest.raises(InputError, match=complaint), storage.recording(tmp_path, about("one", **changed)):
        pass
    assert records_of(tmp_path).read_bytes() == before


def test_other_settings_and_other_questions_of_the_same_ids_are_refused(ask: Take) -> None:
    ask(ScriptedLLM(*SAYS))
    with pytest.raises(InputError, match="one: a run of this name had other settings"):
        ask(ScriptedLLM(*SAYS), settings={"top_k": 3})
    reworded = replace(SUITE, items=(replace(QUESTIONS[0], text="Why?"), *QUESTIONS[1:]))
    with pytest.raises(InputError, match="one: a run of this name had other contents"):
        ask(ScriptedLLM(*SAYS), reworded)


def test_another_place_of_the_home_or_port_is_no_other_setting(ask: Take) -> None:
    ask(ScriptedLLM(*SAYS))
    again = ScriptedLLM(*SAYS)
    ask(again, settings={"port": 1234})
    assert questions_put(again) == 0


def test_a_second_process_at_the_same_run_is_refused(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from eval.runs import storage\n"
        "about = storage.RunDescription('one', {}, {'papers': 10}, {'single': 2})\n"
        "with storage.recording(Path(sys.argv[1]), about):\n    print('here', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    other = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == "here\n"
        complaint = "one: another process is writing this run"
        with pytest.raises(InputError, match=complaint), storage.recording(tmp_path, about()):
            pass
    finally:
        other.communicate("")
    with storage.recording(tmp_path, about()) as (begun, _):
        assert begun.records == ()


BAD_NAMES = ["", ".", "..", "../one", "a/b", "/one", ".hidden", "a b", "a\nb", "a\0b", "x" * 61, "-one"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    with pytest.raises(InputError, match="a run's name is"), storage.recording(home, about(name)):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["one", "2026-01-02", "größer", "a.b_c-d"])
def test_a_name_is_a_word(tmp_path: Path, name: str) -> None:
    with storage.recording(tmp_path, about(name)):
        pass
    assert storage.load(tmp_path, name).name == name


def test_an_unknown_run_lists_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nosuch: there is no such run; none was stored yet"):
        storage.load(tmp_path, "nosuch")
    for name in ("second", "first"):
        with storage.recording(tmp_path, about(name)):
            pass
    with pytest.raises(InputError, match="nosuch: there is no such run; there are first, second"):
        storage.load(tmp_path, "nosuch")


def test_a_run_is_found_by_its_folder_too_but_not_by_another_that_ends_alike(tmp_path: Path) -> None:
    with storage.recording(tmp_path, about()):
        pass
    assert storage.load(tmp_path / "elsewhere", str(tmp_path / "eval" / "runs" / "one")).name == "one"
    with pytest.raises(InputError, match="a run's name is"):
        storage.load(tmp_path, str(tmp_path / "elsewhere" / "one"))


def test_a_broken_description_is_refused_by_file(tmp_path: Path) -> None:
    with storage.recording(tmp_path, about()):
        pass
    for text in ("{}", "no json", "[1]"):
        (records_of(tmp_path).parent / storage.DESCRIPTION_FILE).write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=r"run\.json: not the description of a run"):
            storage.load(tmp_path, "one")


def test_an_unknown_judge_is_refused_before_anything_is_asked(eval_settings: Settings) -> None:
    with pytest.raises(ModelError, match="extractive cannot judge: a judge is a language model"):
        run_suites(eval_settings, [SUITE], RunOptions(judge="extractive"), "one")
    assert not (eval_settings.home / "eval" / "runs").exists()


# Several at a time


def test_several_workers_bring_the_same_records_as_one(ask: Take, eval_settings: Settings) -> None:
    many = Suite("many", (*TWELVE, NOT_THERE), "three", PAPERS)

    def plain(run: Run) -> list[QuestionRecord]:
        records = [record for record in run.records if isinstance(record, QuestionRecord)]
        # Times differ, and so do the lengths of prompts, which have a mark of their own.
        return sorted(
            (
                replace(each, timings={}, answer=each.answer and replace(each.answer, tokens_in=None))
                for each in records
            ),
            key=lambda each: each.id,
        )

    alone = ask(ScriptedLLM(*SAYS), many, TALKS)
    records_of(eval_settings.home).unlink()
    together = ask(ScriptedLLM(*SAYS), many, TALKS, workers=4)
    assert len(together.records) == 16
    assert plain(together) == plain(alone)


def test_an_interruption_of_several_workers_keeps_what_is_done(ask: Take, eval_settings: Settings) -> None:
    many = Suite("many", TWELVE, "three", PAPERS)
    with pytest.raises(RuntimeError, match="pulled the plug"):
        ask(UnreliableLLM(*SAYS, raises={9: RuntimeError("pulled the plug")}), many, workers=2)
    begun = storage.load(eval_settings.home, "one")
    assert begun.missing == 12 - len(begun.records) > 0
    again = ScriptedLLM(*SAYS)
    assert ask(again, many, workers=2).missing == 0
    assert questions_put(again) == begun.missing


def test_the_description_is_json_for_everybody(ask: Take, eval_settings: Settings) -> None:
    ask(ScriptedLLM(*SAYS))
    held = json.loads((records_of(eval_settings.home).parent / storage.DESCRIPTION_FILE).read_text(encoding="utf-8"))
    assert {"name", "asks", "settings", "items", "recipes", "versions", "commit", "started"} <= held.keys()
