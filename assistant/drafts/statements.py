"""Tell whether a sentence of a draft states something that papers could support, or only leads through the text.

The classifier (`python -m eval.training.draft_statements`) is linear in the form of the sentence and reads no other. In
doubt a sentence counts as a statement, which is checked.
"""

from __future__ import annotations

import re
from pathlib import Path

from assistant.drafts.values import DraftSentence
from assistant.question import fitted

WEIGHTS = Path(__file__).parent / "weights" / "statements.npz"
STATEMENT, NOTHING = "statement", "nothing"
# The probability from which a sentence is taken to state nothing: a statement that passes for one is not checked. One
# with a citation states something, unless that is nearly certain.
LEAST, LEAST_CITED = 0.6, 0.95
# Words without which there is no statement.
_MIN_WORDS = 3


def _is_fragment(sentence: DraftSentence) -> bool:
    """Tell whether it is a part of a sentence, as the items of a list are: it begins with a word in lower case."""
    return not sentence.citations and bool(re.match(r"[a-z]+(?![\w+-])", sentence.statement))


def states_something(sentence: DraftSentence) -> bool:
    """Tell whether the sentence states something. Raises ModelError where the weights fail."""
    from assistant.question.form import form  # numpy: not before the first sentence

    statement = sentence.statement
    if (
        _is_fragment(sentence)
        or len(re.findall(r"\w+", statement)) < _MIN_WORDS
        or statement.rstrip("\"'”’) ").endswith("?")
    ):
        return False
    probability = fitted.packaged(WEIGHTS).probabilities(form(statement))[NOTHING]
    return probability < (LEAST_CITED if sentence.citations else LEAST)
