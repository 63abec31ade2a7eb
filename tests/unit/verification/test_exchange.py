"""Words of a claim in exchanged roles are found; another order of the same statement is none."""

from __future__ import annotations

import pytest

from assistant.verification.exchange import are_exchanged


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("PPO outperforms DPO.", "We find that DPO outperforms PPO on all tasks."),
        ("Robots help nurses.", "Nurses help robots."),
        ("The recall is 71% and the precision 96%.", "A recall of 96% was seen, and a precision of 71%."),
    ],
)
def test_sides_that_are_exchanged_around_a_word_are_found(claim: str, sentence: str) -> None:
    assert are_exchanged(claim, sentence)


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("DPO outperforms PPO.", "We find that DPO outperforms PPO on all tasks."),
        ("PPO is outperformed by DPO.", "DPO has clearly outperformed PPO."),
        ("PPO is beaten by DPO.", "DPO, in short, beaten or not, leads PPO."),
        ("Bees dance.", "Glaciers melt."),
        ("", "Glaciers melt."),
        ("Bees dance.", ""),
    ],
)
def test_the_same_order_a_passive_and_texts_without_common_words_are_no_exchange(claim: str, sentence: str) -> None:
    assert not are_exchanged(claim, sentence)


def test_long_texts_are_compared_in_time_that_grows_with_the_square_of_their_words() -> None:
    """Two thousand words: by triples, as many as there are of them, this would take minutes."""
    text = " ".join(f"word{number}" for number in range(2000))
    assert not are_exchanged(text, text)
    assert are_exchanged(" ".join(reversed(text.split())), text)
