"""An item of a suite is put to the assistant, and what came of it is taken down, failures included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from assistant.chat import Assistant
from assistant.errors import ModelError
from assistant.protocols import LLM
from assistant.question import intent
from assistant.question.intent import QUESTION, Intent, IntentPrediction
from assistant.schema import Message, Sampling, Strength, Verdict
from assistant.settings import Settings
from eval import corpora
from eval.runs import runner
from eval.runs.records import (
    ClaimRecord,
    IntentRecord,
    QuestionRecord,
    Record,
    RewritingRecord,
    from_json,
    to_json,
)
from eval.runs.token_counter import TokenCounter
from eval.suites import Claim, LabelledMessage, Question, RewrittenDialog, RewrittenTurn
from tests.evaluation import NOT_THERE, PAPERS, QUESTIONS, TALK
from tests.fakes import ScriptedLLM, UnreliableLLM, WordHashEmbedder, WordOverlapReader

ICE, BEES, _ = QUESTIONS
TIMED_OUT = ModelError("timed out")


def claim(text: str, paper: str = "ice") -> Claim:
    return Claim("c", text, paper, supported=True, split="dev", group="all")


@pytest.fixture
def over_three(eval_settings: Settings) -> Iterator[Callable[..., Assistant]]:
    """Assistants over the three papers, firm about everything that is found."""
    library = corpora.build("three", PAPERS, eval_settings, WordHashEmbedder())
    settings = eval_settings.model_copy(update={"firm_threshold": 0.0, "tentative_threshold": 0.0})

    def over(llm: LLM | None = None) -> Assistant:
        return Assistant(library, settings, WordOverlapReader(), llm)

    yield over
    library.close()


@pytest.fixture
def three(over_three: Callable[..., Assistant]) -> Assistant:
    return over_three()


def one(records: Sequence[Record]) -> QuestionRecord:
    (record,) = records
    assert isinstance(record, QuestionRecord)
    return record


def verified(text: str, three: Assistant, paper: str = "ice") -> ClaimRecord:
    (record,) = runner.run_item(claim(text, paper), "claims", three)
    assert isinstance(record, ClaimRecord)
    return record


def tokens(question: Question, assistant: Assistant) -> tuple[int, int]:
    """What the model read and wrote."""
    answer_record = one(runner.run_item(question, "single", assistant)).answer
    assert answer_record is not None
    assert answer_record.tokens_in is not None
    assert answer_record.tokens_out is not None
    return answer_record.tokens_in, answer_record.tokens_out


# Questions


def test_a_question_is_taken_down_with_what_was_found_and_said(three: Assistant) -> None:
    record = one(runner.run_item(ICE, "single", three))
    assert (record.id, record.suite, record.split, record.group) == ("q-ice", "single", "dev", "easy")
    assert record.papers == ("ice",)
    assert record.retrieved[0].id == "ice"
    assert record.answer is not None
    answer = three.ask(ICE.text)
    assert [each.id for each in record.answer.cited] == [each.paper.id for each in answer.citations]
    assert [each.text for each in record.answer.sentences] == [each.text for each in answer.sentences]
    cited = {each.id: each.passages for each in record.answer.cited}
    assert "The loss doubles after 2005." in cited["ice"]
    assert record.answer.sentences[0].citations == (1,)
    assert record.timings["total_ms"] > 0
    assert record.error is None


def test_a_search_is_taken_down_without_a_reply(three: Assistant) -> None:
    record = one(runner.run_item(ICE, "single", three, answers=False))
    assert record.only_search
    assert record.retrieved[0].id == "ice"
    assert record.answer is None


def test_an_unanswerable_question_is_taken_down_with_the_reason_why_it_was_refused(
    three: Assistant, eval_settings: Settings
) -> None:
    strict = Assistant(
        three.library,
        eval_settings.model_copy(update={"firm_threshold": 1.0, "tentative_threshold": 1.0}),
        three.reader,
    )
    record = one(runner.run_item(NOT_THERE, "unanswerable", strict))
    assert not record.answerable
    assert record.answer is not None
    assert record.answer.strength is Strength.NONE
    assert record.answer.reason
    assert record.answer.cited == ()


def test_a_question_that_is_refused_as_input_is_a_failed_one(three: Assistant) -> None:
    endless = replace(ICE, text="ice " * 5000)
    record = one(runner.run_item(endless, "single", three))
    assert record.error is not None
    assert "characters" in record.error


def test_what_is_taken_down_can_be_stored_and_read_again(three: Assistant) -> None:
    for item in (ICE, NOT_THERE, TALK, claim("The loss doubles after 2005.")):
        for record in runner.run_item(item, "suite", three):
            assert from_json(to_json(record)) == record


def test_something_else_is_no_item(three: Assistant) -> None:
    with pytest.raises(TypeError, match="not an item of a suite"):
        runner.run_item("a question?", "single", three)


# Conversations


def test_each_turn_of_a_conversation_sees_the_turns_before_it(over_three: Callable[..., Assistant]) -> None:
    llm = ScriptedLLM("Bees dance [1].")
    records = runner.run_item(TALK, "dialogs", over_three(llm))
    assert [record.id for record in records] == ["talk-1", "talk-2", "talk-3"]
    assert [record.group for record in records] == ["alone", "history", "switch"]
    second = "\n".join(message.content for message in llm.requests[1])
    assert TALK.turns[0].text in second


def test_a_conversation_that_is_only_searched_has_its_history_all_the_same(three: Assistant) -> None:
    with_answers, searched = (
        runner.run_item(TALK, "dialogs", three),
        runner.run_item(TALK, "dialogs", three, answers=False),
    )
    for before, after in zip(with_answers, searched, strict=True):
        assert isinstance(before, QuestionRecord)
        assert isinstance(after, QuestionRecord)
        assert (after.answer, after.only_search) == (None, True)
        assert (after.standalone, after.retrieved) == (before.standalone, before.retrieved)


def test_a_turn_that_fails_is_not_in_the_history_of_the_next(over_three: Callable[..., Assistant]) -> None:
    llm = UnreliableLLM("Bees ", "dance [1].", raises={1: TIMED_OUT})
    records = runner.run_item(TALK, "dialogs", over_three(llm))
    assert [record.error for record in records] == ["timed out", None, None]
    assert TALK.turns[0].text not in "\n".join(message.content for message in llm.requests[1])


# Claims


def test_a_claim_has_the_verdict_and_the_passage_behind_it(three: Assistant) -> None:
    true, false = verified("The loss doubles after 2005.", three), verified("Volcanoes cool oceans.", three)
    assert (true.verdict, true.support, true.passage) == (Verdict.SUPPORTED, 1.0, "The loss doubles after 2005.")
    assert false.verdict is Verdict.UNSUPPORTED
    assert false.support < true.support


def test_a_claim_of_several_sentences_is_as_well_supported_as_the_weakest(three: Assistant) -> None:
    record = verified("The loss doubles after 2005. Volcanoes cool the oceans.", three)
    assert record.verdict is Verdict.UNSUPPORTED
    assert verified("The loss doubles after 2005. Small glaciers shrink the fastest.", three).support == 1.0


@pytest.mark.parametrize("text", ["The loss doubles [7] after 2005 [2].", "The loss\ndoubles\n\nafter 2005"])
def test_a_claim_may_hold_markers_and_breaks_of_its_own(three: Assistant, text: str) -> None:
    assert verified(text, three).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize("text", ["?!", ""])
def test_a_claim_without_a_word_is_not_supported(three: Assistant, text: str) -> None:
    assert verified(text, three).verdict is Verdict.UNSUPPORTED


def test_a_claim_that_cannot_be_checked_is_a_failed_one(three: Assistant) -> None:
    record = verified("Ice melts.", three, "nowhere")
    assert record.error
    assert record.verdict is None


def test_a_claim_is_about_the_paper_of_the_very_id(eval_settings: Settings, three: Assistant) -> None:
    numbered = [replace(PAPERS[0], id="12"), replace(PAPERS[1], id="123")]
    library = corpora.build("numbered", numbered, eval_settings, WordHashEmbedder())
    assert (
        verified("The loss doubles after 2005.", Assistant(library, eval_settings, WordOverlapReader()), "12").verdict
        is Verdict.SUPPORTED
    )
    assert verified("The loss doubles after 2005.", Assistant(library, eval_settings, WordOverlapReader()), "1").error
    library.close()


# Models


def test_a_model_that_times_out_half_way_makes_a_failed_question(over_three: Callable[..., Assistant]) -> None:
    record = one(runner.run_item(ICE, "single", over_three(UnreliableLLM("Ice ", "melts [1].", raises={1: TIMED_OUT}))))
    assert (record.error, record.answer) == ("timed out", None)


def test_tokens_of_each_answer_are_counted_by_themselves(over_three: Callable[..., Assistant]) -> None:
    assistant = over_three(TokenCounter(ScriptedLLM("The loss ", "doubles [1].")))
    first, again = (tokens(ICE, assistant) for _ in range(2))
    assert first[1] == again[1] > 2
    # Prompts have a mark of their own that is drawn anew, so they are not equally long.
    assert again[0] == pytest.approx(first[0], rel=0.2)
    assert first[0] > first[1]


def test_tokens_of_a_failed_answer_are_not_counted_to_the_next(over_three: Callable[..., Assistant]) -> None:
    alone = over_three(TokenCounter(ScriptedLLM("The loss ", "doubles [1].")))
    behind = over_three(TokenCounter(UnreliableLLM("The loss ", "doubles [1].", raises={1: TIMED_OUT})))
    runner.run_item(BEES, "single", behind)
    expected, found = tokens(ICE, alone), tokens(ICE, behind)
    assert found[1] == expected[1]
    assert found[0] == pytest.approx(expected[0], rel=0.2)


def test_without_a_model_no_tokens_are_told(three: Assistant) -> None:
    found = one(runner.run_item(ICE, "single", three)).answer
    assert found is not None
    assert (found.tokens_in, found.tokens_out) == (None, None)


class Together(ScriptedLLM):
    """Says as many words as the question has, once another thread is speaking too."""

    def __init__(self, speakers: int) -> None:
        super().__init__()
        self.barrier = Barrier(speakers, timeout=30)

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
        self.barrier.wait()
        yield "word " * len(messages[0].content.split())


def test_tokens_are_metered_for_each_thread_by_itself() -> None:
    meter = TokenCounter(Together(2))

    def ask(words: int) -> tuple[int, int]:
        list(meter.stream([Message("user", "word " * words)]))
        return meter.reset()

    with ThreadPoolExecutor(2) as threads:
        few, many = threads.map(ask, (5, 50))
    assert few[0] == few[1] < many[0] == many[1]
    assert meter.reset() == (0, 0)


# Intents and rewritten turns


def test_a_message_is_recorded_with_what_it_is_taken_for(three: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    chitchat = IntentPrediction({Intent.CHITCHAT: 1.0})
    monkeypatch.setattr(intent, "predict", lambda text, _: chitchat if text.startswith("thanks") else QUESTION)
    thanks = LabelledMessage("m1", "thanks a lot", "chitchat", "dev")
    question = LabelledMessage("m2", "How do bees dance?", "fact", "dev")
    taken = [record for item in (thanks, question) for record in runner.run_item(item, "abstracts-intents", three)]
    assert [record.treated_as_research for record in taken if isinstance(record, IntentRecord)] == [False, True]
    assert [record.predicted for record in taken if isinstance(record, IntentRecord)] == ["chitchat", "fact"]
    assert [from_json(to_json(record)) for record in taken] == taken


def test_a_turn_is_recorded_with_its_rewriting_and_what_is_found_for_it(three: Assistant) -> None:
    turns = (
        RewrittenTurn("d-1", BEES.text, BEES.text, "new"),
        RewrittenTurn("d-2", "Which of them dance longer?", "Which honey bees dance longer?", "history"),
    )
    taken = runner.run_item(RewrittenDialog("d", turns, "dev"), "abstracts-dialogs", three, answers=False)
    first, second = (record for record in taken if isinstance(record, RewritingRecord))
    assert (first.is_follow_up, first.needs_history, first.standalone) == (False, False, BEES.text)
    assert (second.is_follow_up, second.needs_history, second.group) == (True, True, "history")
    assert first.retrieved == first.expected
    assert second.expected[0] == "bees"
    assert [from_json(to_json(record)) for record in taken] == list(taken)


def test_a_turn_that_fails_is_recorded_with_its_error(over_three: Callable[..., Assistant]) -> None:
    turn = RewrittenTurn("d-1", BEES.text, "x" * 5000, "new")
    (record,) = runner.run_item(RewrittenDialog("d", (turn,), "dev"), "abstracts-dialogs", over_three())
    assert record.error is not None
    assert "5,000 characters are too many" in record.error
