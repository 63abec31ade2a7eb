"""Find the topic in a question for a summary, and ask about it in plain words, which papers come nearest to.

"what does the library say about [learning-rate schedules]?" has words that no abstract has.

A classifier (`python -m eval.training.summary_topics`) reads the role of each word by its neighbours. A topic is one
run of words: a reading that scatters it over the question is in doubt, and names none.
"""

from __future__ import annotations

from functools import cache
from itertools import groupby

from assistant.question import fitted, subject
from assistant.question.subject import WordReader, WordRole

WORDS, WORDING = fitted.PACKAGED / "summary_words.npz", fitted.PACKAGED / "summary_words.txt"

_ABOUT = "What is known about {topic}?"


def about(topic: str) -> str:
    """Return the question for what is known about a topic."""
    return _ABOUT.format(topic=topic)


def topic_in(question: str, reader: WordReader | None = None) -> str:
    """Return the topic by the packaged reader of words or by this one; empty where none, or no single run, is one.

    Raises ModelError where weights fail.
    """
    words = subject.split(question)
    roles = subject.roles(question, words, reader or _packaged())
    runs = groupby(zip(roles, words, strict=True), lambda pair: pair[0] is WordRole.SUBJECT)
    topics = [[word for _, word in run] for is_topic, run in runs if is_topic]
    if len(topics) != 1:
        return ""
    [topic] = topics
    return question[topic[0].start : topic[-1].end]


@cache
def _packaged() -> WordReader:
    return subject.load(WORDS, WORDING)
