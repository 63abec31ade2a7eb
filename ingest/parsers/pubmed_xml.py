"""Parse PubMed's XML, as in its downloads, baseline files and E-utilities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.etree.ElementTree import Element

from assistant.schema import Record
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, make_record
from ingest.parsers.markup import XmlRecord, iter_records, text_content, xml_text
from ingest.parsers.nbib import plain_title

_NAMES = "PubmedArticle|PubmedBookArticle"


def matches(head: Sequence[Line]) -> bool:
    """Return whether one of PubMed's elements occurs."""
    return bool(re.search(r"<Pubmed(?:Book)?Article", xml_text(head)))


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each article or book."""
    for entry in iter_records(lines, source, _NAMES):
        yield entry if isinstance(entry, Problem) else make_record(_fields(entry), source, entry.line)


def _fields(entry: XmlRecord) -> Fields:
    pubmed_id = entry.text("MedlineCitation/PMID", "BookDocument/PMID")
    return Fields(
        title=plain_title(entry.text(".//ArticleTitle", ".//BookTitle", ".//VernacularTitle")),
        abstract=_abstract(entry.element),
        authors=[name for author in entry.element.iterfind(".//AuthorList/Author") if (name := _name(author))],
        year=entry.text(".//PubDate/Year", ".//PubDate/MedlineDate", ".//ArticleDate/Year"),
        venue=entry.text(".//Journal/Title", ".//MedlineTA"),
        doi=entry.text(
            ".//ELocationID[@EIdType='doi']",
            "PubmedData/ArticleIdList/ArticleId[@IdType='doi']",
            "BookDocument/ArticleIdList/ArticleId[@IdType='doi']",
        ),
        url=f"https://pubmed.ncbi.nlm.nih.gov/{pubmed_id}/" if pubmed_id else "",
    )


def _abstract(article: Element) -> str:
    """Return the abstract's sections, each preceded by its label."""
    abstract = article.find(".//Abstract")
    sections = abstract.iterfind("AbstractText") if abstract is not None else ()
    labelled = ((section.get("Label", ""), text_content(section)) for section in sections)
    return " ".join(f"{label}: {text}" if label else text for label, text in labelled if text)


def _name(author: Element) -> str:
    first_name = author.findtext("ForeName") or author.findtext("Initials")
    parts = [first_name, author.findtext("LastName"), author.findtext("Suffix")]
    return " ".join(part for part in parts if part) or author.findtext("CollectiveName") or ""
