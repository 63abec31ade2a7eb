"""Remove from a reply what repeats the prompt or itself: the example's sentences, fences, and repeated sentences.

Careless models copy them. A copied sentence of the example states nothing about the library's papers, and its number
would cite one of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from assistant.citations import remove_markers, settled
from assistant.text.sentences import spans

_FENCE = re.compile(r"</?(?:abstract|draft) [0-9a-f]{16}>")
_FENCE_STARTS = ("<abstract ", "</abstract ", "<draft ", "</draft ")
_FENCE_LENGTH = len("</abstract >") + 16
# Markers in front of a sentence belong to the one that ended before them.
_LEADING_MARKERS = re.compile(r"(?:\[\d+\]\s*)*")
_WORD = re.compile(r"\w+")
# The words of the shortest sentence that can be recognized as a copy.
_MIN_WORDS = 5


def without_echoes(text: str, example: str, *, is_whole: bool = True) -> str:
    """Return the text without fences, sentences that contain one of the example, and sentences that it has already.

    Of a text that is not whole, an end that may grow into an echo is left out too, so that what is shown stays.
    """
    copied = {words for line in example.splitlines() for words in _sentences(line)}
    lines, seen = [], set[str]()
    for line in _without_fences(text if is_whole else settled(text), is_whole=is_whole).split("\n"):
        rest = _without_copies(line, copied, seen)
        if rest.strip() or not line.strip():
            lines.append(rest)
    body = "\n".join(lines)
    return body if is_whole else _settled(body.rstrip(), {*copied, *seen})


def _without_fences(text: str, *, is_whole: bool) -> str:
    text = _FENCE.sub("", text)
    tail = text[max(text.rfind("<"), 0) :] if not is_whole else ""
    grows = len(tail) < _FENCE_LENGTH and any(
        tail.startswith(start) or (tail and start.startswith(tail)) for start in _FENCE_STARTS
    )
    return text[: len(text) - len(tail)] if grows else text


def _without_copies(line: str, copied: Collection[str], seen: set[str]) -> str:
    """Return the line without its copies and the markers behind them; its other sentences are added to `seen`."""
    rest, end, follows_copy = "", 0, False
    for start, stop in spans(line):
        words = _words(line[start:stop])
        is_copy = words in seen or any(f" {sentence} " in f" {words} " for sentence in copied)
        leading = _LEADING_MARKERS.match(line, start, stop)
        if is_copy and rest and not follows_copy and leading:
            rest += line[end : leading.end()].rstrip()
        follows_copy = is_copy or (follows_copy and not words)
        rest += "" if follows_copy else line[end:stop]
        seen |= {words} if words.count(" ") + 1 >= _MIN_WORDS else set()
        end = stop
    return rest + line[end:] if _WORD.search(rest) else ""


def _settled(text: str, known: Collection[str]) -> str:
    """Return the text without its last sentence if that is the beginning of a known one, other than itself."""
    last_line = text.rfind("\n") + 1
    start = max((last_line + start for start, _ in spans(text[last_line:])), default=len(text))
    words = _words(text[start:])
    grows = any(sentence.startswith(words) and sentence != words for sentence in known)
    return text[:start].rstrip() if grows else text


def _sentences(line: str) -> list[str]:
    """Return the words of each sentence of the line that is long enough to be recognized."""
    sentences = (_words(line[start:end]) for start, end in spans(line))
    return [words for words in sentences if words.count(" ") + 1 >= _MIN_WORDS]


def _words(text: str) -> str:
    return " ".join(_WORD.findall(remove_markers(text).casefold()))
