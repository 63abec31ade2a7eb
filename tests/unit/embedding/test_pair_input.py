"""A query beside the sentences of a text: nothing is lost, nothing is read twice, and everything fits."""

from __future__ import annotations

from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st

from assistant.embedding.pair_input import MAX_PIECES, MAX_QUERY, NO_SENTENCE, PairInput, windows

CLS, SEP = 101, 102
PIECES = st.integers(1000, 9999)
QUERIES = st.lists(PIECES, max_size=200)
SENTENCES = st.lists(st.lists(PIECES, max_size=80), max_size=40)
LIMITS = st.integers(MAX_QUERY + 4, MAX_PIECES)


def cut(query: list[int], sentences: list[list[int]], limit: int = MAX_PIECES) -> list[PairInput]:
    return list(windows(query, sentences, CLS, SEP, limit))


def pieces_of(window: PairInput, sentence: int) -> list[int]:
    return [piece for piece, owner in zip(window.ids, window.owners, strict=True) if owner == sentence]


@given(QUERIES, SENTENCES, LIMITS)
def test_every_sentence_is_read_in_exactly_one_window_in_order(
    query: list[int], sentences: list[list[int]], limit: int
) -> None:
    read = list(chain.from_iterable(window.sentences for window in cut(query, sentences, limit)))
    assert read == list(range(len(sentences)))


@given(QUERIES, SENTENCES, LIMITS)
def test_no_window_exceeds_the_limit_and_each_has_an_owner_for_every_piece(
    query: list[int], sentences: list[list[int]], limit: int
) -> None:
    for window in cut(query, sentences, limit):
        assert len(window.ids) == len(window.owners) <= limit
        assert {*window.owners} <= {NO_SENTENCE, *window.sentences}


@given(QUERIES, SENTENCES, LIMITS)
def test_each_window_opens_with_the_query_between_special_tokens(
    query: list[int], sentences: list[list[int]], limit: int
) -> None:
    for window in cut(query, sentences, limit):
        assert window.ids[: window.query_length] == (CLS, *query[:MAX_QUERY], SEP)
        assert window.ids[-1] == SEP
        assert set(window.owners[: window.query_length]) == {NO_SENTENCE}


@given(QUERIES, SENTENCES, LIMITS)
def test_a_sentence_is_read_whole_unless_it_alone_is_too_long(
    query: list[int], sentences: list[list[int]], limit: int
) -> None:
    for window in cut(query, sentences, limit):
        for number in window.sentences:
            read = pieces_of(window, number)
            assert read == sentences[number][: len(read)]
            assert len(read) == len(sentences[number]) or len(window.sentences) == 1


@given(QUERIES, SENTENCES)
def test_no_window_could_have_taken_the_next_sentence_as_well(query: list[int], sentences: list[list[int]]) -> None:
    read = cut(query, sentences)
    for window, following in pairwise(read):
        assert len(window.ids) + len(sentences[following.sentences.start]) > MAX_PIECES


def test_a_sentence_that_alone_is_too_long_is_cut_and_the_next_one_has_its_own_window() -> None:
    first, second = cut([1, 2], [[7] * 1000, [8, 9]])
    assert (len(first.ids), first.sentences) == (MAX_PIECES, range(1))
    assert pieces_of(first, 0) == [7] * (MAX_PIECES - 5)
    assert (second.ids, second.sentences) == ((CLS, 1, 2, SEP, 8, 9, SEP), range(1, 2))


def test_without_sentences_the_query_is_read_beside_nothing() -> None:
    assert cut([1, 2], []) == [PairInput((CLS, 1, 2, SEP, SEP), (NO_SENTENCE,) * 5, 4, range(0))]


def test_an_empty_query_leaves_the_sentences_as_they_are() -> None:
    (window,) = cut([], [[7], [], [8]])
    assert (window.ids, window.query_length) == ((CLS, SEP, 7, 8, SEP), 2)
    assert window.owners == (NO_SENTENCE, NO_SENTENCE, 0, 2, NO_SENTENCE)


def test_a_long_query_is_cut_so_that_the_sentences_have_room() -> None:
    (window,) = cut([1] * 1000, [[7] * 300])
    assert window.query_length == MAX_QUERY + 2
    assert len(pieces_of(window, 0)) == 300
