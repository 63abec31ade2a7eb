"""The pages of the documentation, and the code in them.

A block that cannot be run by a test has a comment before it that says why: `<!-- not run: needs ... -->`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

README = ROOT / "README.md"
DOCS = ROOT / "docs"
_AT_THE_TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
_ELSEWHERE = ("eval/README.md", "eval/training/README.md", "seeds/README.md")
PAGES = [*(ROOT / name for name in _AT_THE_TOP), *sorted(DOCS.glob("*.md")), *(ROOT / name for name in _ELSEWHERE)]
_BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>.*?) -->\n)?```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of code; `reason` says why no test runs it."""

    language: str
    code: str
    reason: str | None

    def commands(self) -> list[str]:
        r"""Return the command lines: without comments, and with those that end in \ joined."""
        lines = self.code.replace("\\\n", " ").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def text_of(page: Path) -> str:
    """Return the text of a page."""
    return page.read_text(encoding="utf-8")


def named(page: Path) -> str:
    """Return the path of a page in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str, language: str | None = None) -> Iterator[Block]:
    """Yield the blocks of a page, of one language or of all."""
    for match in _BLOCK.finditer(text):
        if language in (None, match["language"]):
            yield Block(match["language"], match["code"], match["reason"])


def reasons(text: str) -> list[str]:
    """Return the reasons of all comments that say that something is not run."""
    return re.findall(r"<!-- not run: (.*?) -->", text, flags=re.DOTALL)
