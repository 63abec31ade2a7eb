"""Ask services which papers were retracted or withdrawn: Crossref, OpenAlex and arXiv.

Crossref lists the notices that update a work, each with `update-to` (https://www.crossref.org/documentation/crossmark);
it has those of Retraction Watch, too. OpenAlex has a flag. arXiv says it in the comment on the newest version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import InputError
from assistant.schema import Notice, NoticeKind
from ingest.parsers.base import clean
from ingest.sources.arxiv import PAGE_SIZE, withdrawn_ids
from ingest.sources.http_client import HttpClient

CROSSREF, OPENALEX, ARXIV = "Crossref", "OpenAlex", "arXiv"
# DOIs that one request names.
DOIS_PER_REQUEST, IDS_PER_REQUEST = 20, PAGE_SIZE
_JSON = "application/json"
# Crossref's types of updates; corrections, errata and new versions leave a paper standing.
_KINDS = {
    "retraction": NoticeKind.RETRACTED,
    "partial_retraction": NoticeKind.CONCERN,
    "removal": NoticeKind.RETRACTED,
    "withdrawal": NoticeKind.WITHDRAWN,
    "expression_of_concern": NoticeKind.CONCERN,
}
_LONGEST_TEXT = 300

NoticesById = dict[str, list[Notice]]


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class _CrossrefDate(_Reply):
    parts: list[list[int | None]] = Field(default_factory=list, alias="date-parts")


class _CrossrefUpdate(_Reply):
    doi: str = Field("", alias="DOI")
    type: str = ""
    updated: _CrossrefDate | None = None


class _CrossrefWork(_Reply):
    doi: str = Field("", alias="DOI")
    title: list[str] = Field(default_factory=list)
    updates: list[_CrossrefUpdate] = Field(default_factory=list, alias="update-to")


class _CrossrefList(_Reply):
    items: list[_CrossrefWork]


class _CrossrefReply(_Reply):
    message: _CrossrefList


class _OpenAlexWork(_Reply):
    id: str = ""
    doi: str | None = None
    is_retracted: bool = False


class _OpenAlexReply(_Reply):
    results: list[_OpenAlexWork]


def from_crossref(dois: Sequence[str], client: HttpClient, url: str) -> NoticesById:
    """Return the notices about works by DOI, in lower case. One request. Raise InputError."""
    named = ",".join(f"updates:{doi}" for doi in dois)
    body = client.get(f"{url}/works", CROSSREF, _JSON, filter=named, rows=10 * len(dois))
    wanted, notices = set(dois), NoticesById()
    for work in _validated(_CrossrefReply, body, CROSSREF).message.items:
        for update in work.updates:
            kind = _KINDS.get(update.type.casefold().replace(" ", "_"))
            if kind and (doi := update.doi.casefold()) in wanted:
                text, address = clean(" ".join(work.title))[:_LONGEST_TEXT], _doi_address(work.doi)
                notices.setdefault(doi, []).append(Notice(kind, CROSSREF, text, address, _day(update.updated)))
    return notices


def from_openalex(dois: Sequence[str], client: HttpClient, url: str) -> NoticesById:
    """Return the notices about works by DOI, in lower case. One request. Raise InputError."""
    parameters: Mapping[str, str | int] = {
        "filter": f"doi:{'|'.join(dois)}",
        "select": "id,doi,is_retracted",
        "per-page": len(dois),
    }
    body = client.get(f"{url}/works", OPENALEX, _JSON, **parameters)
    works = _validated(_OpenAlexReply, body, OPENALEX).results
    wanted, notices = set(dois), NoticesById()
    for work in works:
        doi = (work.doi or "").casefold().removeprefix("https://doi.org/")
        if work.is_retracted and doi in wanted:
            address = work.id if work.id.startswith("https://") else ""
            notices[doi] = [Notice(NoticeKind.RETRACTED, OPENALEX, url=address)]
    return notices


def from_arxiv(arxiv_ids: Sequence[str], client: HttpClient, url: str) -> NoticesById:
    """Return the notices about papers by arXiv id. One request. Raise InputError."""
    body = client.get(url, ARXIV, "application/atom+xml", id_list=",".join(arxiv_ids), max_results=len(arxiv_ids))
    return {arxiv_id: [withdrawal(arxiv_id, comment)] for arxiv_id, comment in withdrawn_ids(body).items()}


def withdrawal(arxiv_id: str, comment: str) -> Notice:
    """Return the notice of a paper that a comment on arXiv withdraws."""
    text = clean(comment)[:_LONGEST_TEXT]
    return Notice(NoticeKind.WITHDRAWN, ARXIV, text, f"https://arxiv.org/abs/{arxiv_id}" if arxiv_id else "")


def _validated(model: type[Any], body: bytes, service: str) -> Any:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise InputError(service, f"sends what cannot be read: {problem['msg']}") from error


def _doi_address(doi: str) -> str:
    return f"https://doi.org/{clean(doi)}" if doi.startswith("10.") else ""


def _day(date: _CrossrefDate | None) -> str:
    """Return a date as ISO 8601, to the day, the month or the year as it is known."""
    return "-".join(_digits(date.parts[0])) if date and date.parts else ""


def _digits(parts: Sequence[int | None]) -> Iterator[str]:
    for number, width in zip(parts, (4, 2, 2), strict=False):
        if number is None:
            return
        yield f"{number:0{width}}"
