"""Papers as BibTeX, RIS and CSL-JSON. Only this module uses rispy, and bibtexparser for writing.

The fields of papers are untrusted: nothing in them can end a field.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import rispy
from bibtexparser.entrypoint import write_string
from bibtexparser.library import Library
from bibtexparser.middlewares.names import InvalidNameError, parse_single_name_into_parts
from bibtexparser.model import Block, Entry, Field

from assistant.schema import Annotation, Paper
from assistant.text import links
from assistant.text.notices import notice_text, state_text
from assistant.text.printable import one_line, sentence_case
from ui.export.latex import to_latex

# What persons have added to papers, by paper id.
AnnotationsById = Mapping[str, Annotation]
NO_ANNOTATIONS: AnnotationsById = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type of publication: its name in each format, and the BibTeX field of its venue."""

    bibtex: str
    venue: str
    ris: str
    csl: str


_ARTICLE = _Kind("article", "journal", "JOUR", "article-journal")
_CONFERENCE_PAPER = _Kind("inproceedings", "booktitle", "CONF", "paper-conference")
_PREPRINT = _Kind("misc", "howpublished", "UNPB", "article")
_OTHER = _Kind("misc", "howpublished", "GEN", "document")

_CONFERENCE = re.compile(r"\b(?:proceedings|proc|conference|workshop|symposium)\b", re.IGNORECASE)
# Letters and digits of any language, and punctuation that means nothing to BibTeX, LaTeX and Pandoc within a key.
_SAFE_KEY = re.compile(r"[^\W_](?:[:.+/-]?\w)*")
_REPOSITORY = re.compile(r"\b(?:arxiv|biorxiv|medrxiv|corr|preprint)\b", re.IGNORECASE)


def citation_keys(papers: Sequence[Paper], annotations: AnnotationsById = NO_ANNOTATIONS) -> dict[str, str]:
    """Return the citation key of each paper by its id: that of the reference manager, or else one that is made.

    A key that is made has author, year, a word of the title and the beginning of the id. A key depends on its paper
    alone, so it is the same in every export, unless two papers would share it. BibTeX does not tell capitals apart.
    """
    made = _made_keys(papers)
    kept = {paper.id: key for paper in papers if (key := _kept_key(annotations.get(paper.id, Annotation())))}
    counts = Counter(key.casefold() for key in (*kept.values(), *made.values()))
    return made | {paper_id: key for paper_id, key in kept.items() if counts[key.casefold()] == 1}


def bibtex(papers: Iterable[Paper], annotations: AnnotationsById = NO_ANNOTATIONS) -> str:
    """Write BibTeX in UTF-8, one entry for each paper.

    Tags are `keywords`, a note is `annote`, which no style prints, and collections are the `groups` of JabRef. That a
    paper was retracted is its `note`, which styles print.
    """
    entries: list[Block] = [
        _entry(paper, key, annotations.get(paper.id, Annotation())) for paper, key in _with_keys(papers, annotations)
    ]
    return write_string(Library(entries))


def ris(papers: Iterable[Paper], annotations: AnnotationsById = NO_ANNOTATIONS) -> str:
    """Write RIS, one record for each paper; tags are KW, a note is N1."""
    writer = rispy.RisWriter()
    writer.set_header = lambda count: ""  # rispy would number the records, which no other program expects
    keyed = _with_keys(papers, annotations)
    records = [_ris_fields(paper, key, annotations.get(paper.id, Annotation())) for paper, key in keyed]
    return str(writer.formats(list(map(_non_empty, records))))


def csl_json(papers: Iterable[Paper], annotations: AnnotationsById = NO_ANNOTATIONS) -> str:
    """Write CSL-JSON: an array with one item for each paper; tags are its `keyword`, a note is its `note`."""
    keyed = _with_keys(papers, annotations)
    items = [_non_empty(_csl_fields(paper, key, annotations.get(paper.id, Annotation()))) for paper, key in keyed]
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def _with_keys(papers: Iterable[Paper], annotations: AnnotationsById) -> list[tuple[Paper, str]]:
    """Return each paper once, with its citation key."""
    unique = {paper.id: paper for paper in papers}
    keys = citation_keys(list(unique.values()), annotations)
    return [(paper, keys[paper_id]) for paper_id, paper in unique.items()]


def _non_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _kind(paper: Paper) -> _Kind:
    venue = paper.venue or ""
    if _REPOSITORY.search(venue) or (paper.arxiv_id and not venue):
        return _PREPRINT
    if _CONFERENCE.search(venue):
        return _CONFERENCE_PAPER
    return _ARTICLE if venue.strip() else _OTHER


# Keys


def _made_keys(papers: Sequence[Paper]) -> dict[str, str]:
    keys = {paper.id: _key(paper, 6) for paper in papers}
    counts = Counter(keys.values())
    return {paper.id: keys[paper.id] if counts[keys[paper.id]] == 1 else _key(paper, 32) for paper in papers}


def _kept_key(annotation: Annotation) -> str:
    """Return the key that a paper has in a reference manager; empty where BibTeX, LaTeX or Pandoc would misread it."""
    return annotation.citation_key if _SAFE_KEY.fullmatch(annotation.citation_key) else ""


def _key(paper: Paper, digits: int) -> str:
    family = _ascii(_name(paper.authors[0]).get("family", "")) if paper.authors else ""
    words = (word for word in _ascii(paper.title or "", keep=" ").split() if len(word) > 3)
    is_hash = re.fullmatch(r"[0-9a-f]{16}", paper.id) and digits <= len(paper.id)
    suffix = paper.id if is_hash else _digest(paper.id)
    return f"{family or 'anon'}{paper.year or ''}{next(words, '')}-{suffix[:digits]}"


def _ascii(text: str, keep: str = "") -> str:
    """Return the letters and digits of a text without accents, in lower case."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(
        character for character in decomposed if character.isascii() and (character.isalnum() or character in keep)
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# Names


def _name(author: str) -> dict[str, str]:
    """Split an author into CSL's parts of a name; one that cannot be split is a `literal`."""
    name = one_line(author)
    try:
        parts = parse_single_name_into_parts(name)
    except InvalidNameError:
        return {"literal": name}
    if re.search(r"[{}\\~]|\band\b", name) or not parts.last:
        return {"literal": name}
    split = {"family": parts.last, "given": parts.first, "non-dropping-particle": parts.von, "suffix": parts.jr}
    return {part: " ".join(words) for part, words in split.items() if words}


def _names(paper: Paper) -> list[dict[str, str]]:
    return [_name(author) for author in paper.authors if one_line(author).strip(" ,")]


def _inverted(name: Mapping[str, str]) -> str:
    """Return the name in the unambiguous order of BibTeX and RIS: `van Beethoven, Jr., Ludwig`."""
    if "literal" in name:
        return name["literal"]
    family = " ".join(name[part] for part in ("non-dropping-particle", "family") if part in name)
    return ", ".join([family, *(name[part] for part in ("suffix", "given") if part in name)])


# BibTeX


def _entry(paper: Paper, key: str, annotation: Annotation) -> Entry:
    kind, address = _kind(paper), links.web_url(paper.url)
    arxiv_id = _verbatim(links.bare_arxiv_id(paper.arxiv_id)) if paper.arxiv_id else None
    fields = {
        "title": to_latex(paper.title, protect=True),
        "author": " and ".join(map(_bibtex_name, _names(paper))),
        "year": str(paper.year or ""),
        kind.venue: to_latex(paper.venue),
        "doi": _verbatim(links.bare_doi(paper.doi)) if paper.doi else None,
        "eprint": arxiv_id,
        "archiveprefix": "arXiv" if arxiv_id else None,
        "url": _verbatim(address) if address else None,
        "abstract": to_latex(paper.abstract),
        "keywords": to_latex(_listed(annotation.all_tags)),
        "groups": to_latex(_listed(annotation.collections)),
        "annote": to_latex(annotation.note),
        "note": to_latex(_notice(paper)),
    }
    return Entry(kind.bibtex, key, [Field(name, value) for name, value in _non_empty(fields).items()])


def _notice(paper: Paper) -> str:
    """Return what was announced about a paper as a sentence; empty where nothing was."""
    return sentence_case(one_line(notice_text(paper.notice))) if paper.notice else ""


def _listed(names: Sequence[str]) -> str:
    """Return names as a list that is read by its commas, which become semicolons within a name."""
    return ", ".join(name.replace(",", ";") for name in names)


def _bibtex_name(name: Mapping[str, str]) -> str:
    return f"{{{to_latex(name['literal'])}}}" if "literal" in name else to_latex(_inverted(name))


def _verbatim(text: str) -> str:
    """Encode in percent form what could end a field; identifiers and addresses are not typeset, so not escaped."""
    return re.sub(r"[{}\\\s]", lambda match: quote(match[0]), text)


# RIS and CSL-JSON


def _ris_fields(paper: Paper, key: str, annotation: Annotation) -> dict[str, Any]:
    return {
        "type_of_reference": _kind(paper).ris,
        "id": key,
        "title": one_line(paper.title or ""),
        "authors": [_inverted(name) for name in _names(paper)],
        "year": str(paper.year or ""),
        "secondary_title": one_line(paper.venue or ""),
        "doi": links.bare_doi(paper.doi or ""),
        "accession_number": f"arXiv:{links.bare_arxiv_id(paper.arxiv_id)}" if paper.arxiv_id else "",
        "urls": [address] if (address := links.web_url(paper.url) or links.paper_url(paper)) else [],
        "abstract": one_line(paper.abstract),
        "keywords": list(map(one_line, annotation.all_tags)),
        "notes": [note for note in (one_line(annotation.note), _notice(paper)) if note],
    }


def _csl_fields(paper: Paper, key: str, annotation: Annotation) -> dict[str, Any]:
    return {
        "id": key,
        "type": _kind(paper).csl,
        "title": one_line(paper.title or ""),
        "author": _names(paper),
        "issued": {"date-parts": [[paper.year]]} if paper.year else None,
        "container-title": one_line(paper.venue or ""),
        "DOI": links.bare_doi(paper.doi or ""),
        "number": f"arXiv:{links.bare_arxiv_id(paper.arxiv_id)}" if paper.arxiv_id else "",
        "URL": links.web_url(paper.url) or links.paper_url(paper),
        "abstract": one_line(paper.abstract),
        "keyword": _listed(annotation.all_tags),
        "note": annotation.note,
        "status": state_text(paper.notice) if paper.notice else "",
    }
