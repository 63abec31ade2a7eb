"""Fetch papers by DOI from its registrar (Crossref, DataCite ...), as CSL-JSON by content negotiation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from assistant.schema import Record
from ingest.parsers.base import Problem
from ingest.parsers.detect import parse
from ingest.sources.http_client import HttpClient
from ingest.sources.responses import named_records

_CSL = "application/vnd.citationstyles.csl+json"
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S+)")


def parse_doi(text: str) -> str | None:
    """Return the DOI in a text that is a DOI or its address; otherwise None."""
    match = _DOI.fullmatch(text)
    return match[1] if match else None


def fetch_paper(doi: str, name: str, client: HttpClient, url: str) -> Iterator[Record | Problem]:
    """Yield the paper with this DOI under its name. Raise InputError if the request fails."""
    body = client.get(f"{url}/{quote(doi, safe='/')}", name, _CSL)
    yield from named_records(parse(body, name), name)
