"""Addresses of papers. Their parts come from the papers' sources, so none of them may end a link or a field."""

from __future__ import annotations

import re
from urllib.parse import quote

from assistant.schema import Paper
from assistant.text.printable import one_line

_DOI_PREFIX = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)
# The DOIs that arXiv gives to its papers.
_ARXIV_DOI = "10.48550/arxiv."
_ARXIV_PREFIX = re.compile(r"^arxiv:\s*", re.IGNORECASE)

# The links that select items in Zotero end with the item: its key is eight capitals and digits.
ZOTERO, ZOTERO_ITEM_LENGTH = "zotero://select/", len("/items/ABCD2345")
_ZOTERO_LINK = re.compile(r"zotero://select/(?:library|groups/[0-9]{1,12})/items/[A-Z0-9]{8}")


def paper_url(paper: Paper) -> str | None:
    """Return the address of a paper: by its DOI, on arXiv, or its own URL if that is a web page."""
    if paper.doi:
        return f"https://doi.org/{quote(bare_doi(paper.doi), safe='/:;()')}"
    if paper.arxiv_id:
        return f"https://arxiv.org/abs/{quote(bare_arxiv_id(paper.arxiv_id), safe='/')}"
    return web_url(paper.url)


def bare_doi(doi: str) -> str:
    """Return a DOI without an address before it."""
    return _DOI_PREFIX.sub("", one_line(doi))


def is_arxiv_doi(doi: str) -> bool:
    """Tell whether a DOI is the one that arXiv gives to a paper, and not that of a publisher."""
    return bare_doi(doi).casefold().startswith(_ARXIV_DOI)


def bare_arxiv_id(arxiv_id: str) -> str:
    """Return an arXiv identifier without `arXiv:` before it."""
    return _ARXIV_PREFIX.sub("", one_line(arxiv_id))


def web_url(url: str | None) -> str | None:
    """Return a web address with the characters that could end it percent-encoded; None for anything else."""
    if not url or not re.match(r"https?://[^/\s]", url, re.IGNORECASE):
        return None
    return quote(one_line(url), safe="%/:?#[]@!$&'()*+,;=~")


def zotero_link(source: str) -> str | None:
    """Return the name of a source if it is the link that selects an item in Zotero; None for anything else."""
    return source if _ZOTERO_LINK.fullmatch(source) else None


def zotero_library(name: str) -> str:
    """Return how a library of Zotero is named among sources: as the links that select its items begin."""
    return f"{ZOTERO}{name}"


def zotero_links(paper: Paper) -> tuple[str, ...]:
    """Return the links that select the items of a paper in Zotero."""
    return tuple(filter(None, map(zotero_link, paper.sources)))
