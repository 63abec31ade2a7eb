from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant import citations
from assistant.chat import Assistant
from assistant.errors import InputError, NotFoundError
from assistant.schema import Answer, Filters, Scope, Strength, Turn, Verdict
from assistant.settings import Settings
from assistant.storage.library import Library
from ingest import pipeline
from tests.fakes import ScriptedLLM, WordOverlapReader

SEARCHING = ("embed_ms", "dense_ms", "lexical_ms", "rerank_ms")
MakeAssistant = Callable[..., Assistant]

QUESTION = "Which glaciers shrink the fastest?"
SMALL = "Small glaciers shrink the fastest."
DOUBLES = "The loss doubles after 2005."


def texts(answers: Iterator[Answer]) -> list[str]:
    return [answer.text for answer in answers]


def in_pieces(text: str) -> list[str]:
    """Return the text in pieces of two characters."""
    return [text[start : start + 2] for start in range(0, len(text), 2)]


# --- without a model -------------------------------------------------------------------------------------------------


def test_a_question_is_answered_from_the_paper_that_answers_it(make_assistant: MakeAssistant) -> None:
    answer = make_assistant().ask(QUESTION)
    assert (answer.answered, answer.strength, answer.reason) == (True, Strength.FIRM, None)
    assert SMALL in answer.text
    assert [citation.paper.abstract.split()[0] for citation in answer.citations] == ["Glaciers"]


def test_every_quotation_stands_word_for_word_in_the_cited_paper(make_assistant: MakeAssistant) -> None:
    answer = make_assistant().ask("bees glaciers bacteria")
    cited = {citation.number: citation for citation in answer.citations}
    assert [*cited] == list(range(1, len(cited) + 1))
    for sentence in answer.sentences:
        (number,) = sentence.citations
        assert sentence.text in [passage.text for passage in cited[number].passages]
    for citation in answer.citations:
        for passage in citation.passages:
            assert citation.paper.abstract[passage.start : passage.end] == passage.text


def test_a_quoted_answer_grows_by_one_sentence_at_a_time(make_assistant: MakeAssistant) -> None:
    answers = list(make_assistant().stream("How do honey bees dance?"))
    assert [len(answer.sentences) for answer in answers] == list(range(1, len(answers) + 1))
    assert [answer.done for answer in answers] == [False] * (len(answers) - 1) + [True]
    assert all(citations.numbers(answer.text) == tuple(c.number for c in answer.citations) for answer in answers)


def test_a_quoted_answer_has_at_most_max_sentences(reader: Assistant) -> None:
    settings = reader.settings.model_copy(update={"firm_threshold": 0.0, "max_sentences": 1})
    assert len(Assistant(reader.library, settings, reader.reader).ask("How do honey bees dance?").sentences) == 1


def test_a_tentative_answer_says_so(make_assistant: MakeAssistant) -> None:
    answer = make_assistant(firm_from=1.0).ask(QUESTION)
    assert (answer.answered, answer.strength) == (True, Strength.TENTATIVE)
    assert answer.reason == "no abstract clearly answers this"
    assert answer.opening == "No abstract clearly answers this; the nearest says:"
    assert len(answer.sentences) <= 2
    assert SMALL in answer.text


def test_where_no_sentence_can_be_quoted_the_answer_is_an_abstention(
    library: Library, settings: Settings, tmp_path: Path
) -> None:
    source = tmp_path / "marked.txt"
    source.write_text("Abstract: Glaciers shrink, as shown in [3]. Small glaciers shrink the fastest [4].\n")
    pipeline.ingest([source], library)
    answer = Assistant(library, settings.model_copy(update={"firm_threshold": 0.0}), WordOverlapReader()).ask(QUESTION)
    assert (answer.answered, answer.citations, answer.done) == (False, (), True)
    assert answer.reason == "no sentence found can be quoted"
    assert len(answer.nearest) == 1


# --- abstention ------------------------------------------------------------------------------------------------------


def test_an_abstention_never_calls_the_model_and_names_the_nearest_papers(make_assistant: MakeAssistant) -> None:
    llm = ScriptedLLM("Glaciers are made of cheese [1].")
    (answer,) = make_assistant(llm, firm_from=1.0, tentative_from=1.0).stream("transistors amplify whispers")
    assert llm.requests == []
    assert (answer.answered, answer.done, answer.citations, answer.sentences) == (False, True, (), ())
    assert answer.text == (
        "The library does not answer this: no abstract in the library mentions transistors or amplify or whispers."
    )
    assert answer.nearest == tuple(hit.paper for hit in answer.hits)[:3]
    assert len(answer.nearest) == 3


@pytest.mark.parametrize("question", ["", " \n ", "?!"])
def test_a_blank_question_never_calls_the_model(make_assistant: MakeAssistant, question: str) -> None:
    llm = ScriptedLLM("Yes [1].")
    assert not make_assistant(llm).ask(question).answered
    assert llm.requests == []


def test_an_endless_question_is_an_error_of_one_line(make_assistant: MakeAssistant) -> None:
    llm = ScriptedLLM("Yes [1].")
    for method in (
        make_assistant(llm).ask,
        make_assistant(llm).search,
        lambda question: list(make_assistant(llm).stream(question)),
    ):
        with pytest.raises(InputError) as caught:
            method("glaciers " * 2_500)
        assert "\n" not in str(caught.value)
    assert llm.requests == []


def test_a_question_with_invalid_characters_is_answered(make_assistant: MakeAssistant) -> None:
    assert SMALL in make_assistant().ask("Which glaciers\udcff shrink the fastest?").text


# --- with a model ----------------------------------------------------------------------------------------------------


def test_snapshots_grow_and_the_last_is_done(make_assistant: MakeAssistant) -> None:
    llm = ScriptedLLM("Small glaciers ", "shrink the ", "fastest [1]. ", "The loss doubles after 2005 [1].")
    answers = list(make_assistant(llm).stream(QUESTION))
    for shorter, longer in itertools.pairwise(answers):
        assert longer.text.startswith(shorter.text)
        assert (shorter.done, shorter.sentences) == (False, ())
    assert answers[-1].done
    assert answers[-1].text == "Small glaciers shrink the fastest [1]. The loss doubles after 2005 [1]."
    assert len({answer.text for answer in answers}) == 4


def test_an_invented_number_is_in_no_snapshot(make_assistant: MakeAssistant) -> None:
    llm = ScriptedLLM("Whales sing to the ice [7].", f" {DOUBLES[:-1]} [1][99].", " So it is [2019].")
    answers = list(make_assistant(llm).stream(QUESTION))
    assert all(set(citations.numbers(text)) <= {1} for text in texts(iter(answers)))
    assert answers[-1].text == f"Whales sing to the ice. {DOUBLES[:-1]} [1]. So it is."
    assert [citation.number for citation in answers[-1].citations] == [1]


@pytest.mark.usefixtures("every_hit_is_shown")
def test_a_marker_half_written_is_in_no_snapshot(make_assistant: MakeAssistant) -> None:
    llm = ScriptedLLM(*in_pieces(f"Whales sing [99]. {DOUBLES[:-1]} [3, 1]."))
    answers = texts(make_assistant(llm).stream(QUESTION))
    assert [text for text in answers if "9" in text or "[3" in text] == []
    assert all(longer.startswith(shorter) for shorter, longer in itertools.pairwise(answers))
    assert answers[-1] == f"Whales sing. {DOUBLES[:-1]} [1][2]."


@pytest.mark.usefixtures("every_hit_is_shown")
def test_a_number_refers_to_the_abstract_with_that_number_in_the_prompt(make_assistant: MakeAssistant) -> None:
    llm = ScriptedLLM(f"Something of it [3]. {DOUBLES[:-1]} [1].")
    answer = make_assistant(llm).ask(QUESTION)
    assert [citation.paper for citation in answer.citations] == [answer.hits[2].paper, answer.hits[0].paper]
    for number in (1, 3):
        abstract = answer.hits[number - 1].paper.abstract
        assert (
            f"\n{abstract}\n" in llm.requests[0][-1].content.split(f"\n[{number}]\n<abstract")[1].split("</abstract")[0]
        )


def test_citations_carry_the_passages_behind_each_sentence(make_assistant: MakeAssistant) -> None:
    answer = make_assistant(ScriptedLLM(f"{DOUBLES} [1] {SMALL} [1] {DOUBLES} [1]")).ask(QUESTION)
    (citation,) = answer.citations
    assert [passage.text for passage in citation.passages] == [DOUBLES, SMALL]
    assert all(citation.paper.abstract[passage.start : passage.end] == passage.text for passage in citation.passages)


def test_an_unsupported_sentence_is_marked_and_not_deleted(make_assistant: MakeAssistant) -> None:
    claims = [f"{SMALL[:-1]} [1].", "Whales sing to glaciers every night [1].", "This is well known."]
    answer = make_assistant(ScriptedLLM(" ".join(claims))).ask(QUESTION)
    assert answer.text == " ".join(claims)
    assert [sentence.verdict for sentence in answer.sentences] == [
        Verdict.SUPPORTED,
        Verdict.UNSUPPORTED,
        Verdict.UNCITED,
    ]


@pytest.mark.usefixtures("every_hit_is_shown")
def test_numbers_of_earlier_answers_are_not_repeated_to_the_model(make_assistant: MakeAssistant) -> None:
    first = make_assistant(ScriptedLLM(f"{SMALL[:-1]} [1]. Bees dance [2][3].")).ask(QUESTION)
    assert citations.numbers(first.text) == (1, 2, 3)
    llm = ScriptedLLM("They do [1].")
    make_assistant(llm).ask("Do they melt?", [Turn(QUESTION, first)])
    replies = [message.content for message in llm.requests[0] if message.role == "assistant"]
    assert replies == [f"{SMALL} Bees dance."]


def test_a_follow_up_is_searched_for_with_the_question_before_it(make_assistant: MakeAssistant) -> None:
    first = make_assistant().ask(QUESTION)
    second = make_assistant().ask("Why do they?", [Turn(QUESTION, first)])
    assert (second.question, second.standalone) == ("Why do they?", f"{QUESTION} Why do they?")
    assert second.hits[0].paper == first.hits[0].paper


def test_nested_markers_of_a_model_can_be_checked(make_assistant: MakeAssistant) -> None:
    answer = make_assistant(ScriptedLLM(f"{SMALL[:-1]} [[9]3].")).ask(QUESTION)
    assert len(answer.citations) == len(citations.numbers(answer.text))


def test_an_answer_says_who_wrote_it_and_from_which_index(make_assistant: MakeAssistant) -> None:
    quoted, written = make_assistant().ask(QUESTION), make_assistant(ScriptedLLM(f"{SMALL} [1]")).ask(QUESTION)
    assert (quoted.model, written.model) == ("extractive", "scripted/test")
    assert quoted.recipe is not None
    assert (quoted.recipe.embedder, quoted.recipe.dimension) == ("word-hash", 64)
    assert written.recipe == quoted.recipe


@pytest.mark.parametrize("llm", [None, ScriptedLLM("Small ", "glaciers [1].")])
def test_every_snapshot_says_how_long_it_took(make_assistant: MakeAssistant, llm: ScriptedLLM | None) -> None:
    for answer in make_assistant(llm).stream(QUESTION):
        assert set(answer.timings) == {*SEARCHING, "retrieve_ms", "first_text_ms", "total_ms"}
    assert 0 <= answer.timings["retrieve_ms"] <= answer.timings["first_text_ms"] <= answer.timings["total_ms"]


def test_an_abstention_says_how_long_it_took(make_assistant: MakeAssistant) -> None:
    assert set(make_assistant().ask("").timings) == {"retrieve_ms", "first_text_ms", "total_ms"}


def test_asking_is_the_last_snapshot_of_streaming(make_assistant: MakeAssistant) -> None:
    answer, streamed = make_assistant().ask(QUESTION), list(make_assistant().stream(QUESTION))[-1]
    assert (answer.text, answer.citations, answer.sentences) == (streamed.text, streamed.citations, streamed.sentences)


def test_searching_finds_what_an_answer_is_made_from(make_assistant: MakeAssistant) -> None:
    assert make_assistant().search(QUESTION).hits == make_assistant().ask(QUESTION).hits


@pytest.mark.usefixtures("every_hit_is_shown")
def test_a_paper_beyond_those_shown_to_the_model_cannot_be_cited(
    library: Library, settings: Settings, tmp_path: Path
) -> None:
    subjects = ["glaciers", "volcanoes", "deserts", "rivers", "oceans", "forests", "prairies", "islands"]
    lines = [f"Abstract: All about {subject} and how {subject} came to be {subject}.\n" for subject in subjects]
    source = tmp_path / "many.txt"
    source.write_text("".join(lines))
    pipeline.ingest([source], library)
    llm = ScriptedLLM("It is so [6]. It is not [7].")
    unlimited = settings.model_copy(update={"firm_threshold": 0.0, "verify": "off"})
    answer = Assistant(library, unlimited, WordOverlapReader(), llm).ask("All about glaciers")
    assert len(answer.hits) == 8
    assert llm.requests[0][-1].content.count("</abstract") == 6
    assert [citation.paper for citation in answer.citations] == [answer.hits[5].paper]
    assert answer.text == "It is so [1]. It is not."


# --- filters and scope -----------------------------------------------------------------------------------------------


def ids(assistant: Assistant) -> dict[str, str]:
    """Return the ids of the papers by the first word of their abstracts."""
    return {paper.abstract.split()[0]: paper.id for paper in assistant.library.catalog.papers.all()}


def test_filters_narrow_what_is_found_and_are_part_of_the_answer(make_assistant: MakeAssistant) -> None:
    answer = make_assistant().ask("glaciers bees bacteria -glaciers")
    assert answer.filters == Filters(without=("glaciers",))
    assert answer.standalone == "glaciers bees bacteria"
    assert sorted(hit.paper.abstract.split()[0] for hit in answer.hits) == ["Honey", "Sourdough"]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("glaciers year>=2020", "no paper in the library matches year>=2020 (3 of its 3 papers have no year)"),
        ('glaciers author:"Ada Berg"', 'no paper in the library matches author:"Ada Berg" (3 of its 3 papers have no '),
        ('"waggle foxtrot" of bees', 'no paper in the library matches "waggle foxtrot"'),
    ],
)
def test_where_no_paper_matches_the_answer_says_so_and_is_not_taken_from_elsewhere(
    make_assistant: MakeAssistant, question: str, reason: str
) -> None:
    llm = ScriptedLLM("Yes [1].")
    answer = make_assistant(llm).ask(question)
    assert (answer.answered, answer.hits, answer.nearest, llm.requests) == (False, (), (), [])
    assert answer.reason is not None
    assert answer.reason.startswith(reason)


def test_filters_without_a_question_list_the_matching_papers(make_assistant: MakeAssistant) -> None:
    result = make_assistant().search("-glaciers")
    assert sorted(hit.paper.abstract.split()[0] for hit in result.hits) == ["Honey", "Sourdough"]
    answer = make_assistant().ask("-glaciers")
    assert (answer.answered, answer.reason, len(answer.nearest)) == (False, "there is no question in it", 2)


def test_only_pinned_papers_are_searched_and_excluded_ones_never(make_assistant: MakeAssistant) -> None:
    assistant = make_assistant()
    bees, bread = ids(assistant)["Honey"], ids(assistant)["Sourdough"]
    pinned = assistant.ask(QUESTION, scope=Scope(pinned=(bees, bread)))
    assert {hit.paper.id for hit in pinned.hits} == {bees, bread}
    assert pinned.scope == Scope((bees, bread))
    excluded = assistant.search(QUESTION, scope=Scope(excluded=(ids(assistant)["Glaciers"],)))
    assert {hit.paper.id for hit in excluded.hits} == {bees, bread}


def test_an_answer_says_how_many_papers_were_searched(make_assistant: MakeAssistant) -> None:
    assistant = make_assistant()
    assert assistant.ask(QUESTION).searched == 3
    assert assistant.ask(QUESTION, scope=Scope(excluded=(ids(assistant)["Glaciers"],))).searched == 2
    assert assistant.ask(f"{QUESTION} year>=2020").searched == 0


def test_a_scope_accepts_prefixes_of_ids(make_assistant: MakeAssistant) -> None:
    bees = ids(make_assistant())["Honey"]
    assert make_assistant().search(QUESTION, scope=Scope((bees[:8],))).query.scope == Scope((bees,))


@pytest.mark.parametrize("scope", [Scope(("nobody",)), Scope((), ("nobody",))])
def test_a_scope_of_an_unknown_paper_is_an_error_that_names_it(make_assistant: MakeAssistant, scope: Scope) -> None:
    for method in (make_assistant().ask, make_assistant().search):
        with pytest.raises(NotFoundError, match="nobody"):
            method(QUESTION, scope=scope)


def test_where_every_pinned_paper_is_excluded_the_answer_says_so(make_assistant: MakeAssistant) -> None:
    bees = ids(make_assistant())["Honey"]
    answer = make_assistant().ask(QUESTION, scope=Scope((bees,), (bees,)))
    assert (answer.answered, answer.hits) == (False, ())
    assert answer.reason == "none of the papers asked about is left after the exclusions"


@pytest.mark.usefixtures("every_hit_is_shown")
def test_a_number_in_a_follow_up_scopes_it_to_that_paper(make_assistant: MakeAssistant) -> None:
    first = make_assistant(ScriptedLLM("Glaciers shrink [1]. Bees dance [3].")).ask(QUESTION)
    second = make_assistant().ask("what does [2] measure?", [Turn(first.question, first)])
    assert [hit.paper for hit in second.hits] == [first.citations[1].paper]
    assert second.scope == Scope((first.citations[1].paper.id,))


# --- follow-ups rewritten by a model ---------------------------------------------------------------------------------


def rewriting(assistant: Assistant, llm: ScriptedLLM) -> Assistant:
    return Assistant(assistant.library, assistant.settings.model_copy(update={"rewrite": True}), assistant.reader, llm)


def test_a_model_rewrites_a_follow_up(reader: Assistant, make_assistant: MakeAssistant) -> None:
    history = [Turn(QUESTION, make_assistant().ask(QUESTION))]
    llm = ScriptedLLM("Why do small ", "glaciers shrink\n fastest?")
    result = rewriting(reader, llm).search("Why do they?", history)
    assert result.query.standalone == "Why do small glaciers shrink fastest?"
    assert llm.requests[0][-1].content == "Rewrite this question: Why do they?"
    assert not any("[1]" in message.content for message in llm.requests[0])


@pytest.mark.parametrize(
    "llm",
    [
        ScriptedLLM(),
        ScriptedLLM("I cannot do that."),
        ScriptedLLM("glaciers " * 100 + "?"),
        ScriptedLLM("See [1]?"),
        ScriptedLLM("Why", "?", fails_after=0),
    ],
)
def test_the_rules_apply_where_the_rewriting_model_fails(
    reader: Assistant, make_assistant: MakeAssistant, llm: ScriptedLLM
) -> None:
    history = [Turn(QUESTION, make_assistant().ask(QUESTION))]
    by_rules = reader.search("Why do they?", history).query
    assert rewriting(reader, llm).search("Why do they?", history).query == by_rules


GERMAN, ENGLISH = "Welche Gletscher schrumpfen am schnellsten?", QUESTION


def test_a_question_in_another_language_is_read_as_the_model_translates_it(reader: Assistant) -> None:
    llm = ScriptedLLM(ENGLISH)
    query = reader.configured(reader.settings, llm).search(GERMAN).query
    assert (query.text, query.standalone, query.read_as) == (GERMAN, ENGLISH, ENGLISH)
    [[instructions, question]] = llm.requests
    assert (instructions.role, question.content) == ("system", GERMAN)


def test_a_translated_question_is_answered_as_surely_as_the_english_one(reader: Assistant) -> None:
    translated, english = (
        reader.configured(reader.settings, ScriptedLLM(ENGLISH)).ask(text) for text in (GERMAN, ENGLISH)
    )
    assert (translated.strength, translated.read_as) == (english.strength, ENGLISH)
    assert translated.hits == english.hits


@pytest.mark.parametrize(
    "llm",
    [
        ScriptedLLM(),
        ScriptedLLM("Here is the translation."),
        ScriptedLLM(GERMAN),
        ScriptedLLM("Which glaciers [1]?"),
        ScriptedLLM("Which", "?", fails_after=0),
    ],
)
def test_a_question_that_no_model_translates_is_tried_as_it_is_and_says_in_which_language_abstracts_are(
    reader: Assistant, llm: ScriptedLLM
) -> None:
    assistant = reader.configured(reader.settings, llm)
    assert assistant.search(GERMAN).query == reader.search(GERMAN).query
    answer = assistant.ask(GERMAN)
    assert "seems to be in German, and the abstracts of the library are in English; ask in English" in answer.text
    assert answer.hits


def test_a_question_that_stands_alone_is_never_rewritten(reader: Assistant, make_assistant: MakeAssistant) -> None:
    llm = ScriptedLLM("Something else?")
    question = "Which wild yeasts and lactic acid bacteria make a sourdough rise?"
    rewriting(reader, llm).search(question, [Turn(QUESTION, make_assistant().ask(QUESTION))])
    rewriting(reader, llm).search("Why do they?")
    Assistant(reader.library, reader.settings, reader.reader, llm).search(
        "Why do they?", [Turn(QUESTION, make_assistant().ask(QUESTION))]
    )
    assert llm.requests == []
