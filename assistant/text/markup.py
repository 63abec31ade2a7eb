"""Read the text of a message that has mark-up: HTML tags, and links, images and code of Markdown.

markdown-it parses it by the CommonMark specification. Emphasis and escapes are left alone: in a question about
research "A*search" and "\\(x\\)" are no mark-up. The only home of markdown-it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

# Mark-up has one of these characters.
_OPENINGS = frozenset("<[&`")
# Elements whose content is no text.
_NO_TEXT = ("script", "style")


def visible_text(message: str) -> str:
    """Return what a reader would see of a message of one line; the message itself where it has no mark-up."""
    if _OPENINGS.isdisjoint(message):
        return message
    return " ".join("".join(_visible(message)).split())


def _visible(message: str) -> Iterator[str]:
    """Yield the pieces of text. What is within an element without text, and an image, has none."""
    hidden = ""
    for token in _parser().parseInline(message)[0].children or ():
        tag = _Tag(token.content) if token.type == "html_inline" else None
        if hidden:
            hidden = "" if tag and tag.closes == hidden else hidden
        elif tag and tag.opens in _NO_TEXT:
            hidden = tag.opens
        elif token.type in ("text", "code_inline") or (tag and not tag.is_markup):
            yield token.content


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # 0.1 s, and few questions have mark-up

    return MarkdownIt("commonmark").disable(["emphasis", "escape"])


class _Tag(HTMLParser):
    """A tag, comment or declaration: the name of the element that it opens or closes, if it does.

    "k<n and n>5" has the form of a tag too: one with attributes is only taken for one if an attribute has a value.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.opens = self.closes = ""
        self.is_markup = True
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element that is opened."""
        self.is_markup = not attrs or any(value is not None for _, value in attrs)
        self.opens = tag if self.is_markup else ""

    def handle_endtag(self, tag: str) -> None:
        """Note the element that is closed."""
        self.closes = tag
