from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import InputError
from assistant.question.filters import format_filters, parse
from assistant.question.understand import understand
from assistant.question.worded_filters import ParsedQuestion
from assistant.schema import Answer, Filters, Strength, Turn
from assistant.text.markup import visible_text

# What filters are made of, in any order, with any text between.
PIECES = st.sampled_from(
    'author: title: venue: source: collection: tag: note: year: year>= year< year auther: x: " “ ” - -survey '.split()
    + "2020 2020-2022 1999 20 since before between and in papers by Danqi Chen et al. J. has published it the".split()
    + "second [2] ? . , \0".split(" ")
)
SYNTAX = st.lists(PIECES | st.text(max_size=6), max_size=12).map(" ".join) | st.lists(PIECES, max_size=12).map("".join)
WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyzäß", min_size=1, max_size=8), max_size=12)


@given(SYNTAX | st.text())
def test_a_question_is_parsed_or_refused_in_one_line(question: str) -> None:
    complaints = []
    try:
        parse(question, lambda name: "Chen" in name)
    except InputError as refused:
        complaints.append(refused)
    assert all(each.source == "question" and "\n" not in each.reason for each in complaints)


@given(SYNTAX)
def test_filters_survive_being_written_and_read_again(question: str) -> None:
    try:
        found = parse(question, lambda name: "Chen" in name).filters
    except InputError:
        return
    assert parse(format_filters(found)) == ParsedQuestion(" ".join(found.phrases), found)


@given(WORDS.filter(lambda words: not {"by", "since"} & set(words)))
def test_words_without_any_filter_are_left_as_they_are(words: list[str]) -> None:
    assert parse("  ".join(words)) == ParsedQuestion(" ".join(words), Filters())


@given(SYNTAX, SYNTAX)
def test_any_conversation_can_be_understood(first: str, second: str) -> None:
    try:
        query = understand(second, [Turn(first, Answer(first, first, Strength.NONE, 0.0, ""))])
    except InputError:
        return
    # What a reader sees of it: a question is read without its mark-up.
    asked = visible_text(" ".join(second.replace("\0", " ").split()))
    assert parse(asked).text in query.standalone or not query.is_follow_up
