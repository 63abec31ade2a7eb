"""Where a paper is to be found. What it says of itself is data: nothing in an address ends a link or a field."""

from __future__ import annotations

import re
from urllib.parse import quote

from assistant.schema import Paper
from assistant.text.printable import one_line

_DOI_PREFIX = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)
_ARXIV_PREFIX = re.compile(r"^arxiv:\s*", re.IGNORECASE)


def link(paper: Paper) -> str | None:
    """Where the paper is to be found: by its DOI, on arXiv, or at its own address if that is a web page."""
    if paper.doi:
        return f"https://doi.org/{quote(doi(paper.doi), safe='/:;()')}"
    if paper.arxiv_id:
        return f"https://arxiv.org/abs/{quote(arxiv_id(paper.arxiv_id), safe='/')}"
    return address(paper.url)


def doi(given: str) -> str:
    """A DOI without the address before it."""
    return _DOI_PREFIX.sub("", one_line(given))


def arxiv_id(given: str) -> str:
    """An arXiv identifier without the word before it."""
    return _ARXIV_PREFIX.sub("", one_line(given))


def address(url: str | None) -> str | None:
    """A web address, with what could end it percent-encoded; None for anything else."""
    if not url or not re.match(r"https?://[^/\s]", url, re.IGNORECASE):
        return None
    return quote(one_line(url), safe="%/:?#[]@!$&'()*+,;=~")
