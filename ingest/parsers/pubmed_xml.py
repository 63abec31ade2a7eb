"""PubMed's XML, as its downloads, baseline files and E-utilities give it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.etree.ElementTree import Element

from assistant.schema import Record
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, record
from ingest.parsers.markup import Node, begins, content, records
from ingest.parsers.nbib import plain_title

_NAMES = "PubmedArticle|PubmedBookArticle"


def recognises(head: Sequence[Line]) -> bool:
    """One of PubMed's elements stands in it."""
    return bool(re.search(r"<Pubmed(?:Book)?Article", begins(head)))


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """A record for each article or book."""
    for found in records(lines, source, _NAMES):
        yield found if isinstance(found, Problem) else record(_fields(found), source, found.line)


def _fields(node: Node) -> Fields:
    number = node.text("MedlineCitation/PMID", "BookDocument/PMID")
    return Fields(
        title=plain_title(node.text(".//ArticleTitle", ".//BookTitle", ".//VernacularTitle")),
        abstract=_abstract(node.element),
        authors=[name for author in node.element.iterfind(".//AuthorList/Author") if (name := _name(author))],
        year=node.text(".//PubDate/Year", ".//PubDate/MedlineDate", ".//ArticleDate/Year"),
        venue=node.text(".//Journal/Title", ".//MedlineTA"),
        doi=node.text(
            ".//ELocationID[@EIdType='doi']",
            "PubmedData/ArticleIdList/ArticleId[@IdType='doi']",
            "BookDocument/ArticleIdList/ArticleId[@IdType='doi']",
        ),
        url=f"https://pubmed.ncbi.nlm.nih.gov/{number}/" if number else "",
    )


def _abstract(article: Element) -> str:
    """The abstract's parts, each behind its label."""
    abstract = article.find(".//Abstract")
    parts = abstract.iterfind("AbstractText") if abstract is not None else ()
    labelled = ((part.get("Label", ""), content(part)) for part in parts)
    return " ".join(f"{label}: {text}" if label else text for label, text in labelled if text)


def _name(author: Element) -> str:
    given = author.findtext("ForeName") or author.findtext("Initials")
    parts = [given, author.findtext("LastName"), author.findtext("Suffix")]
    return " ".join(part for part in parts if part) or author.findtext("CollectiveName") or ""
