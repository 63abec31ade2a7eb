"""Answers of a language model: attributed citations, verdicts, and passages quoted instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant import citations
from assistant.chat import Assistant
from assistant.schema import Answer, Strength, Verdict, Withdrawn
from tests.fakes import ScriptedLLM

MakeAssistant = Callable[..., Assistant]

QUESTION = "Which glaciers shrink the fastest?"
SMALL = "Small glaciers shrink the fastest."
DOUBLES = "The loss doubles after 2005."
LIE = "Whales sing to glaciers every night"


@pytest.fixture
def ask(make_assistant: MakeAssistant) -> Callable[..., Answer]:
    """Return a function that answers with a model that streams the pieces, under a setting of `verify`."""

    def ask(*pieces: str, verify: str = "normal", fails_after: int | None = None, firm_from: float = 0.0) -> Answer:
        return with_setting(
            make_assistant(ScriptedLLM(*pieces, fails_after=fails_after), firm_from=firm_from), verify
        ).ask(QUESTION)

    return ask


def with_setting(assistant: Assistant, verify: str) -> Assistant:
    settings = assistant.settings.model_copy(update={"verify": verify})
    return Assistant(assistant.library, settings, assistant.reader, assistant.llm, assistant.reranker)


def verdicts(answer: Answer) -> list[Verdict]:
    return [sentence.verdict for sentence in answer.sentences]


Ask = Callable[..., Answer]


# Citations added by verification


@pytest.mark.usefixtures("every_hit_is_shown")
def test_a_sentence_without_a_citation_gets_one_of_the_paper_that_supports_it(ask: Ask) -> None:
    answer = ask(f"{SMALL} Older bees dance longer!")
    assert answer.text == "Small glaciers shrink the fastest [1]. Older bees dance longer [2]!"
    assert [citation.paper.abstract.split()[0] for citation in answer.citations] == ["Glaciers", "Honey"]
    assert [[passage.text for passage in citation.passages] for citation in answer.citations] == [
        [SMALL],
        ["Older bees dance longer."],
    ]
    assert [(sentence.verdict, sentence.attributed) for sentence in answer.sentences] == [(Verdict.SUPPORTED, True)] * 2


@pytest.mark.usefixtures("every_hit_is_shown")
def test_numbers_follow_first_appearance_when_a_citation_is_added(ask: Ask) -> None:
    answer = ask(f"Older bees dance longer. {SMALL[:-1]} [1].")
    assert answer.text == f"Older bees dance longer [1]. {SMALL[:-1]} [2]."
    assert [sentence.attributed for sentence in answer.sentences] == [True, False]


def test_a_sentence_that_nothing_supports_stays_without_a_citation(ask: Ask) -> None:
    answer = ask(f"{SMALL[:-1]} [1]. {LIE}.")
    assert answer.text == f"{SMALL[:-1]} [1]. {LIE}."
    assert verdicts(answer) == [Verdict.SUPPORTED, Verdict.UNCITED]


def test_a_remark_needs_no_citation(ask: Ask) -> None:
    answer = ask(f"## Findings\n\nIn summary:\n- {SMALL[:-1]} [1].\n\nWhat of bees? The abstracts do not say why.")
    assert [sentence.text for sentence in answer.sentences if sentence.verdict is not Verdict.REMARK] == [SMALL]
    assert len(answer.sentences) == 5
    assert answer.confidence == ask(f"{SMALL[:-1]} [1].").confidence


def test_an_answer_counts_the_citations_that_refer_to_no_paper(ask: Ask) -> None:
    answer = ask(f"{SMALL[:-1]} [1][7]. {DOUBLES[:-1]} (Smith et al., 2019) [1].")
    assert (answer.dropped, answer.text) == (2, f"{SMALL[:-1]} [1]. {DOUBLES[:-1]} [1].")


# Confidence


def test_confidence_falls_with_unsupported_sentences(ask: Ask) -> None:
    whole, half = ask(f"{SMALL[:-1]} [1]."), ask(f"{SMALL[:-1]} [1]. {LIE} [1].")
    assert half.confidence == pytest.approx(whole.confidence / 2)


def test_an_answer_that_loses_its_confidence_is_tentative_and_says_why(ask: Ask) -> None:
    confidence = ask(f"{SMALL[:-1]} [1].").confidence
    answer = ask(f"{SMALL[:-1]} [1]. {LIE} [1].", firm_from=confidence)
    assert answer.strength is Strength.TENTATIVE
    assert answer.reason == "the abstracts do not clearly support 1 of the 2 sentences that the model wrote"


# A model that has no answer


@pytest.mark.parametrize("verify", ["normal", "strict"])
def test_a_model_that_finds_no_answer_abstains(ask: Ask, verify: str) -> None:
    answer = ask("The abstracts do not answer this [1].", verify=verify)
    assert (answer.answered, answer.strength, answer.done) == (False, Strength.NONE, True)
    assert answer.text == "The abstracts do not answer this."
    assert answer.reason == "the language model scripted/test finds no answer in the abstracts"
    assert (answer.citations, answer.sentences, answer.withdrawn, len(answer.nearest)) == ((), (), None, 3)


def test_a_model_without_an_answer_to_one_part_still_answers_the_rest(ask: Ask) -> None:
    answer = ask(f"{SMALL[:-1]} [1]. The abstracts do not say why.")
    assert (answer.answered, verdicts(answer)) == (True, [Verdict.SUPPORTED, Verdict.REMARK])


# Passages instead of the text of the model


def quoted_instead(answer: Answer) -> bool:
    """Return whether the answer is the one that is composed without a model."""
    passages = {passage.text for citation in answer.citations for passage in citation.passages}
    return answer.done and {sentence.text for sentence in answer.sentences} == passages and SMALL in answer.text


@pytest.mark.parametrize("verify", ["normal", "strict"])
@pytest.mark.parametrize("unsupported", [f"{LIE} [1]. As is well known, ice is cheese.", "In summary:", "Who knows?"])
def test_unsupported_text_of_a_model_is_replaced_by_passages(ask: Ask, unsupported: str, verify: str) -> None:
    answer = ask(unsupported, verify=verify)
    assert quoted_instead(answer)
    reason = "no abstract supports what the language model scripted/test wrote"
    assert answer.withdrawn == Withdrawn(unsupported, reason, failed=False)


@pytest.mark.parametrize("verify", ["normal", "strict", "off"])
@pytest.mark.parametrize(("after", "written"), [(0, ""), (1, "Small ")])
def test_the_text_of_a_model_that_breaks_off_is_replaced_by_passages(
    ask: Ask, after: int, written: str, verify: str
) -> None:
    answer = ask("Small ", "glaciers [1].", fails_after=after, verify=verify)
    assert quoted_instead(answer)
    assert answer.withdrawn == Withdrawn(written, "the scripted model broke off", failed=True)


@pytest.mark.parametrize("verify", ["normal", "strict", "off"])
@pytest.mark.parametrize("pieces", [(), ("",), (" ", "\n"), ("[9]",), ("[1].",)])
def test_passages_are_quoted_where_a_model_states_nothing(ask: Ask, pieces: tuple[str, ...], verify: str) -> None:
    answer = ask(*pieces, verify=verify)
    assert quoted_instead(answer)
    assert answer.withdrawn
    assert answer.withdrawn.reason == "the language model scripted/test returned no statement"


def test_what_was_written_before_a_model_broke_off_was_shown(make_assistant: MakeAssistant) -> None:
    answers = list(make_assistant(ScriptedLLM("Small glaciers ", "shrink.", fails_after=1)).stream(QUESTION))
    assert [answer.text for answer in answers if not answer.withdrawn] == ["Small glaciers"]
    assert [answer.done for answer in answers] == [False] * (len(answers) - 1) + [True]


# Strict


def test_strict_verification_quotes_a_passage_instead_of_an_unsupported_sentence(ask: Ask) -> None:
    answer = ask(f"{SMALL[:-1]} [1]. The loss halves after 2015 [1].", verify="strict")
    assert answer.text == f"{SMALL} [1]\n{DOUBLES} [1]"
    supported, quoted = answer.sentences
    assert (supported.replaces, quoted.replaces) == (None, "The loss halves after 2015.")
    assert (quoted.text, quoted.verdict, quoted.citations) == (DOUBLES, Verdict.SUPPORTED, (1,))
    assert [passage.text for passage in answer.citations[0].passages] == [SMALL, DOUBLES]


@pytest.mark.usefixtures("every_hit_is_shown")
def test_strict_verification_numbers_by_first_appearance(ask: Ask) -> None:
    answer = ask(f"Old bees dance in pairs of 7 bees. {SMALL[:-1]} [1].", verify="strict")
    assert citations.numbers(answer.text) == (1, 2)
    assert [citation.paper.abstract.split()[0] for citation in answer.citations] == ["Honey", "Glaciers"]
    assert [sentence.citations for sentence in answer.sentences] == [(1,), (2,)]


def test_strict_verification_quotes_a_passage_once_for_all_that_it_replaces(ask: Ask) -> None:
    answer = ask(f"{SMALL[:-1]} [1]. The loss halves after 2015 [1]. The loss halves after 2016 [1].", verify="strict")
    assert [sentence.replaces for sentence in answer.sentences] == [
        None,
        "The loss halves after 2015. The loss halves after 2016.",
    ]


def test_strict_verification_renumbers_a_marker_in_place_of_a_noun(ask: Ask) -> None:
    answer = ask(f"{LIE} [3]. In [1], small glaciers shrink the fastest.", verify="strict")
    sentence = next(sentence for sentence in answer.sentences if sentence.text.startswith("In ["))
    assert sentence.text == f"In [{sentence.citations[0]}], small glaciers shrink the fastest."
    assert sentence.text in answer.text.splitlines()


def test_strict_verification_shows_no_text_before_it_is_checked(make_assistant: MakeAssistant) -> None:
    pieces = [f"{SMALL[:-1]} [1].", " The loss halves after 2015 [1]."]
    assistant = with_setting(make_assistant(ScriptedLLM(*pieces)), "strict")
    assert [answer.text for answer in assistant.stream(QUESTION)][:-1] == ["", ""]


# Without checks


@pytest.mark.usefixtures("every_hit_is_shown")
def test_unchecked_sentences_say_so(ask: Ask) -> None:
    answer = ask(f"{SMALL[:-1]} [1]. {LIE} [2]. So it is.", verify="off")
    assert answer.text == f"{SMALL[:-1]} [1]. {LIE} [2]. So it is."
    assert verdicts(answer) == [Verdict.UNCHECKED] * 3
    assert [sentence.citations for sentence in answer.sentences] == [(1,), (2,), ()]
    assert all(citation.passages for citation in answer.citations)
