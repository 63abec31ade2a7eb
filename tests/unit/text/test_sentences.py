"""Sentences of abstracts: where they end, and where a full stop ends nothing."""

from __future__ import annotations

import pytest

from assistant.schema import Passage
from assistant.text.sentences import passages, spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in spans(text)]


# A bar stands where a sentence ends.
@pytest.mark.parametrize(
    "marked",
    [
        "One sentence.",
        "No end mark",
        "Ice melts. | Bees dance. | Bread rises.",
        "Is it so? | Yes! | It is.",
        "It is fast... | Then it is slow.",
        "Ice melts.  |  Bees dance.",
        "Ice melts.\n| Bees dance.",
        "1) First. | 2) Second.",
        "It costs 5 %. | In 2020 it fell.",
        "We reach $20\\%$. | $N$ is free.",
        "Ice melts. | [1] says so.",
        "Ice melts. | Α-particles do not.",
        # formulas
        "It is bounded by $O(n^2)$. | $k$-means then stops.",
        "It is bounded by $O(n^2).$ | The bound is tight.",
        "It holds $$a = b.$$ | ($k$ is free.) | $\\ell_1$ too.",
        "It costs $x. $y is another price.",
        "We sum e.g. $k$ of them. | They are i.i.d. $x$ and w.r.t. $y$ free.",
        "They are i.i.d. | We sum them.",
        # abbreviations
        "Smith et al. Found this. | We agree.",
        "Smith et al. (2020) show this. | We agree.",
        "Models, e.g. BERT, win. | They are big.",
        "It is small, i.e. Ten words. | It fits.",
        "A model (a.k.a. The Net) wins. | It is big.",
        "We compare A vs. B on data. | A wins.",
        "See Fig. 3 and Eqs. (3)-(5). | They agree.",
        "As cf. Tab. 2 shows, No. 5 is alive. | Good.",
        "The gradient w.r.t. W is zero. | We stop.",
        "J. R. Smith agrees. | So do we.",
        "The U.S. Army agrees. | Others do not.",
        # numbers and names
        "It rises from 3.5 to 4.2. | The loss falls.",
        "We use GPT-4.5 and v2.0. | They are large.",
        "All p < .05 hold. | We stop.",
        "Code is at https://x.org/a.B?c. | It is free.",
        "We set $k=5.$ for all runs. | It works.",
        "Let $f(x). g$ be given. | It works.",
        "Use file.Name and a.b.C here. | It works.",
        # brackets, quotations, lists
        'He said "Stop." | Then he left.',
        "He said “Stop.” | “Why?” we ask.",
        "He asked 'why? and how?' of us. | We answer.",
        "(It is so.) | We agree.",
        "It works (see below. it is easy). | We agree.",
        "We do: (1) one; (2) two. | Both work.",
        "We find: 1. cats; 2. dogs. | Both purr.",
        "Two ways: a) ice. | b) bees.",
    ],
)
def test_a_sentence_ends_where_it_ends(marked: str) -> None:
    assert sentences(marked.replace("|", "")) == [part.strip() for part in marked.split("|")]


@pytest.mark.parametrize("blank", ["", " ", "\n\t "])
def test_blank_text_has_no_sentence(blank: str) -> None:
    assert spans(blank) == []


def test_white_space_around_a_sentence_is_left_out() -> None:
    assert sentences("  Ice melts. \n Bees dance.  ") == ["Ice melts.", "Bees dance."]


def test_passages_are_the_sentences_with_their_offsets() -> None:
    assert passages(" Ice melts. Bees dance.") == (Passage("Ice melts.", 1, 11), Passage("Bees dance.", 12, 23))
