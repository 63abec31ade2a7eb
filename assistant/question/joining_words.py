"""Find the sides of a comparison by the word that joins them, where no classifier fits the embedder in use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.question.terms import Term

Span = tuple[int, int]

# The words that stand between two sides: a closed class of English.
_JOINING = frozenset("and or vs versus than with to against over from compared".split())
_TOKEN = re.compile(r"[^\W_]+(?:[-'’.+][^\W_]+)*")
# The most words of a side, counted from the word that joins.
_MAX_WORDS = 4


def joined_spans(question: str, content: Sequence[Term]) -> tuple[Span, Span] | None:
    """Return the content words before and after a joining word, as character spans; None without such a word.

    Of several joining words the one counts whose less informative side has the greatest idf.
    """
    pairs = list(_joined(question, content))
    return max(pairs, key=lambda pair: min(_idf(span, content) for span in pair), default=None)


def _joined(question: str, content: Sequence[Term]) -> Iterator[tuple[Span, Span]]:
    tokens = [match.span() for match in _TOKEN.finditer(question)]
    for index, (start, end) in enumerate(tokens):
        if question[start:end].casefold() in _JOINING:
            left = _run(tokens[max(0, index - _MAX_WORDS) : index][::-1], content)
            right = _run(tokens[index + 1 : index + 1 + _MAX_WORDS], content)
            if left and right:
                yield left, right


def _run(outwards: Sequence[Span], content: Sequence[Term]) -> Span | None:
    """Return the run of content words nearest to the joining word; `outwards` are the tokens, the nearest first."""
    run: list[Span] = []
    for token in outwards:
        if any(token[0] <= term.start and term.end <= token[1] for term in content):
            run.append(token)
        elif run:
            break
    return (min(start for start, _ in run), max(end for _, end in run)) if run else None


def _idf(span: Span, content: Sequence[Term]) -> float:
    return max(term.idf for term in content if span[0] <= term.start and term.end <= span[1])
