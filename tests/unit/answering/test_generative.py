"""What becomes of a model's answer: what is cited for it, what is said against it, what stands in its place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant import citations
from assistant.chat import Assistant
from assistant.schema import Answer, Strength, Verdict, Withdrawn
from tests.fakes import ScriptedLLM

Judging = Callable[..., Assistant]

QUESTION = "Which glaciers shrink the fastest?"
SMALL = "Small glaciers shrink the fastest."
DOUBLES = "The loss doubles after 2005."
LIE = "Whales sing to glaciers every night"


@pytest.fixture
def ask(judging: Judging) -> Callable[..., Answer]:
    """The answer of a model that writes these pieces, under a setting of `verify`."""

    def ask(*pieces: str, verify: str = "normal", fails_after: int | None = None, firm_from: float = 0.0) -> Answer:
        return with_setting(judging(ScriptedLLM(*pieces, fails_after=fails_after), firm_from=firm_from), verify).ask(
            QUESTION
        )

    return ask


def with_setting(assistant: Assistant, verify: str) -> Assistant:
    settings = assistant.settings.model_copy(update={"verify": verify})
    return Assistant(assistant.library, settings, assistant.llm, assistant.reranker)


def verdicts(answer: Answer) -> list[Verdict]:
    return [sentence.verdict for sentence in answer.sentences]


Ask = Callable[..., Answer]


# Citations found afterwards


def test_a_sentence_without_a_citation_gets_that_of_the_paper_that_says_it(ask: Ask) -> None:
    answer = ask(f"{SMALL} Older bees dance longer!")
    assert answer.text == "Small glaciers shrink the fastest [1]. Older bees dance longer [2]!"
    assert [citation.paper.abstract.split()[0] for citation in answer.citations] == ["Glaciers", "Honey"]
    assert [[passage.text for passage in citation.passages] for citation in answer.citations] == [
        [SMALL],
        ["Older bees dance longer."],
    ]
    assert [(each.verdict, each.attributed) for each in answer.sentences] == [(Verdict.SUPPORTED, True)] * 2


def test_numbers_go_by_first_appearance_when_one_is_found_afterwards(ask: Ask) -> None:
    answer = ask(f"Older bees dance longer. {SMALL[:-1]} [1].")
    assert answer.text == f"Older bees dance longer [1]. {SMALL[:-1]} [2]."
    assert [each.attributed for each in answer.sentences] == [True, False]


def test_a_sentence_that_nothing_supports_stays_without_a_citation(ask: Ask) -> None:
    answer = ask(f"{SMALL[:-1]} [1]. {LIE}.")
    assert answer.text == f"{SMALL[:-1]} [1]. {LIE}."
    assert verdicts(answer) == [Verdict.SUPPORTED, Verdict.UNCITED]


def test_what_states_nothing_needs_no_citation(ask: Ask) -> None:
    answer = ask(f"## Findings\n\nIn summary:\n- {SMALL[:-1]} [1].\n\nWhat of bees? The abstracts do not say why.")
    assert [each.text for each in answer.sentences if each.verdict is not Verdict.REMARK] == [SMALL]
    assert len(answer.sentences) == 5
    assert answer.confidence == ask(f"{SMALL[:-1]} [1].").confidence


def test_an_answer_counts_the_citations_that_stood_for_nothing(ask: Ask) -> None:
    answer = ask(f"{SMALL[:-1]} [1][7]. {DOUBLES[:-1]} (Smith et al., 2019) [1].")
    assert (answer.dropped, answer.text) == (2, f"{SMALL[:-1]} [1]. {DOUBLES[:-1]} [1].")


# Trust


def test_confidence_falls_with_what_is_not_supported(ask: Ask) -> None:
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


def test_a_model_that_has_no_answer_to_a_part_still_answers_the_other(ask: Ask) -> None:
    answer = ask(f"{SMALL[:-1]} [1]. The abstracts do not say why.")
    assert (answer.answered, verdicts(answer)) == (True, [Verdict.SUPPORTED, Verdict.REMARK])


# The abstracts in the place of the model


def quoted_instead(answer: Answer) -> bool:
    """Whether it is the answer that is made without a model."""
    passages = {passage.text for citation in answer.citations for passage in citation.passages}
    return answer.done and {sentence.text for sentence in answer.sentences} == passages and SMALL in answer.text


@pytest.mark.parametrize("verify", ["normal", "strict"])
@pytest.mark.parametrize("wandering", [f"{LIE} [1]. As is well known, ice is cheese.", "In summary:", "Who knows?"])
def test_a_model_that_says_nothing_supported_gives_way_to_the_abstracts(ask: Ask, wandering: str, verify: str) -> None:
    answer = ask(wandering, verify=verify)
    assert quoted_instead(answer)
    reason = "no abstract supports what the language model scripted/test wrote"
    assert answer.withdrawn == Withdrawn(wandering, reason, failed=False)


@pytest.mark.parametrize("verify", ["normal", "strict", "off"])
@pytest.mark.parametrize(("after", "written"), [(0, ""), (1, "Small ")])
def test_a_model_that_breaks_off_gives_way_to_the_abstracts(ask: Ask, after: int, written: str, verify: str) -> None:
    answer = ask("Small ", "glaciers [1].", fails_after=after, verify=verify)
    assert quoted_instead(answer)
    assert answer.withdrawn == Withdrawn(written, "the scripted model broke off", failed=True)


@pytest.mark.parametrize("verify", ["normal", "strict", "off"])
@pytest.mark.parametrize("pieces", [(), ("",), (" ", "\n"), ("[9]",), ("[1].",)])
def test_a_model_that_says_nothing_gives_way_to_the_abstracts(ask: Ask, pieces: tuple[str, ...], verify: str) -> None:
    answer = ask(*pieces, verify=verify)
    assert quoted_instead(answer)
    assert answer.withdrawn
    assert answer.withdrawn.reason == "the language model scripted/test returned no statement"


def test_what_was_written_before_a_model_broke_off_was_shown(judging: Judging) -> None:
    answers = list(judging(ScriptedLLM("Small glaciers ", "shrink.", fails_after=1)).stream(QUESTION))
    assert [answer.text for answer in answers if not answer.withdrawn] == ["Small glaciers"]
    assert [answer.done for answer in answers] == [False] * (len(answers) - 1) + [True]


# Strict


def test_strictly_a_passage_is_quoted_in_the_place_of_what_nothing_supports(ask: Ask) -> None:
    answer = ask(f"{SMALL[:-1]} [1]. The loss doubles after 2015 [1].", verify="strict")
    assert answer.text == f"{SMALL} [1]\n{DOUBLES} [1]"
    kept, quoted = answer.sentences
    assert (kept.replaces, quoted.replaces) == (None, "The loss doubles after 2015.")
    assert (quoted.text, quoted.verdict, quoted.citations) == (DOUBLES, Verdict.SUPPORTED, (1,))
    assert [passage.text for passage in answer.citations[0].passages] == [SMALL, DOUBLES]


def test_strictly_numbers_go_by_first_appearance_too(ask: Ask) -> None:
    answer = ask(f"Old bees dance in pairs of 7 bees. {SMALL[:-1]} [1].", verify="strict")
    assert citations.numbers(answer.text) == (1, 2)
    assert [citation.paper.abstract.split()[0] for citation in answer.citations] == ["Honey", "Glaciers"]
    assert [each.citations for each in answer.sentences] == [(1,), (2,)]


def test_strictly_a_passage_is_quoted_once_and_tells_all_that_it_replaces(ask: Ask) -> None:
    answer = ask(
        f"{SMALL[:-1]} [1]. The loss doubles after 2015 [1]. The loss doubles after 2016 [1].", verify="strict"
    )
    assert [each.replaces for each in answer.sentences] == [
        None,
        "The loss doubles after 2015. The loss doubles after 2016.",
    ]


def test_strictly_a_marker_in_place_of_a_noun_follows_the_new_numbers(ask: Ask) -> None:
    answer = ask(f"{LIE} [3]. As shown in [1], small glaciers shrink the fastest.", verify="strict")
    sentence = next(each for each in answer.sentences if each.text.startswith("As shown"))
    assert sentence.text == f"As shown in [{sentence.citations[0]}], small glaciers shrink the fastest."
    assert sentence.text in answer.text.splitlines()


def test_strictly_no_text_is_shown_before_it_is_checked(judging: Judging) -> None:
    pieces = [f"{SMALL[:-1]} [1].", " The loss doubles after 2015 [1]."]
    assistant = with_setting(judging(ScriptedLLM(*pieces)), "strict")
    assert [answer.text for answer in assistant.stream(QUESTION)][:-1] == ["", ""]


# Without checks


def test_unchecked_sentences_say_so(ask: Ask) -> None:
    answer = ask(f"{SMALL[:-1]} [1]. {LIE} [2]. So it is.", verify="off")
    assert answer.text == f"{SMALL[:-1]} [1]. {LIE} [2]. So it is."
    assert verdicts(answer) == [Verdict.UNCHECKED] * 3
    assert [each.citations for each in answer.sentences] == [(1,), (2,), ()]
    assert all(citation.passages for citation in answer.citations)
