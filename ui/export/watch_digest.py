"""Digests of what watches have brought as text, Markdown, HTML, JSON and an Atom feed.

Titles, questions and sentences are untrusted: all of them are escaped here, in `ui.export.markdown` or in
`ui.page.render`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from assistant.schema import Paper, Strength
from assistant.serialization import Json
from assistant.storage.watch_digests import StoredDigest
from assistant.text.latex import to_text
from assistant.text.links import paper_url
from assistant.text.notices import notice_text
from assistant.text.printable import one_line, sentence_case
from assistant.text.titles import display_title, short_authors
from assistant.watching.news import AnswerChange, BearingPaper, NewPaper, WatchDigest
from assistant.watching.serialization import digest_from_json, digest_json
from ui.cli.terminal import counted
from ui.export.formats import DigestFormat
from ui.export.markdown import markdown_text
from ui.export.transcripts import page_html
from ui.page.render import plain_html

_BEGINNING = 240


@dataclass(frozen=True, slots=True)
class DatedDigest:
    """A digest with its id and the time at which it was made (ISO 8601, UTC)."""

    id: int
    made: str
    is_read: bool
    digest: WatchDigest

    @property
    def title(self) -> str:
        """Return what the digest has, in a line."""
        digest = self.digest
        parts = [counted(digest.total, "new paper")] if digest.total else []
        parts += [f"{counted(len(digest.answers), 'answer')} with new evidence"] if digest.answers else []
        parts += [f"{counted(len(digest.notices), 'paper')} retracted or withdrawn"] if digest.notices else []
        return f"{self.made[:10]}: {', '.join(parts)}"


def read_digest(stored: StoredDigest) -> DatedDigest:
    """Return a stored digest as an owner sees it. Raises LibraryError."""
    return DatedDigest(stored.id, stored.made, stored.is_read, digest_from_json(stored.content, stored.answers))


def digests_of(stored: Sequence[StoredDigest]) -> Iterator[DatedDigest]:
    """Yield stored digests as an owner sees them. Raises LibraryError."""
    return map(read_digest, stored)


def write_digest(digest: DatedDigest, form: DigestFormat) -> str:
    """Return a digest in a format."""
    writers: dict[DigestFormat, Callable[[DatedDigest], str]] = {
        DigestFormat.TEXT: text,
        DigestFormat.MARKDOWN: markdown,
        DigestFormat.HTML: html,
        DigestFormat.JSON: lambda dated: json.dumps(as_json(dated), ensure_ascii=False, indent=2) + "\n",
    }
    return writers[form](digest)


def as_json(dated: DatedDigest) -> Json:
    """Return a digest as JSON, with its id, time and title."""
    head = {"id": dated.id, "made": dated.made, "is_read": dated.is_read, "title": dated.title}
    return head | digest_json(dated.digest)


def text(dated: DatedDigest) -> str:
    """Return a digest as plain text, the kept answers first."""
    digest = dated.digest
    lines = [dated.title]
    for change in digest.answers:
        lines += ["", f"> {one_line(change.question)}", f"  {sentence_case(change_text(change))}."]
        lines += [f"  - {_paper_text(bearing.paper)}{_quoted(bearing)}" for bearing in change.papers]
    lines += ["", "Retracted or withdrawn:"] if digest.notices else []
    lines += [f"  {_paper_text(paper)}: {_notice(paper)}" for paper in digest.notices]
    lines += ["", "New papers, the nearest to the library first:"] if digest.papers else []
    lines += [f"  {new.nearness:.2f}  {_paper_text(new.paper)} {_near_text(new)}".rstrip() for new in digest.papers]
    lines += [f"  and {counted(_unlisted(digest), 'more paper')}"] if _unlisted(digest) else []
    return "\n".join(lines) + "\n"


def markdown(dated: DatedDigest) -> str:
    """Return a digest in Markdown (CommonMark)."""
    digest = dated.digest
    parts = [f"# {markdown_text(dated.title)}"]
    parts += ["## Answers with new evidence"] if digest.answers else []
    for change in digest.answers:
        parts += [
            f"### {markdown_text(to_text(change.question))}",
            f"{markdown_text(sentence_case(change_text(change)))}.",
        ]
        parts += ["\n".join(f"- {_linked(bearing.paper)}{_escaped_quote(bearing)}" for bearing in change.papers)]
    parts += ["## Retracted or withdrawn"] if digest.notices else []
    parts += ["\n".join(f"- {_linked(paper)}: {markdown_text(_notice(paper))}" for paper in digest.notices)]
    parts += ["## New papers, the nearest to the library first"] if digest.papers else []
    parts += ["\n".join(f"- {_linked(new.paper)} {markdown_text(_near_text(new))}".rstrip() for new in digest.papers)]
    parts += [f"And {counted(_unlisted(digest), 'more paper')}."] if _unlisted(digest) else []
    return "\n\n".join(part for part in parts if part) + "\n"


def html(dated: DatedDigest) -> str:
    """Return a digest as one self-contained HTML page without scripts."""
    return page_html(dated.title, body_html(dated.digest))


def body_html(digest: WatchDigest) -> str:
    """Return the content of a digest as HTML."""
    answers = "".join(map(_change_html, digest.answers))
    notices = "".join(f"<li>{_html_link(paper)}: {plain_html(_notice(paper))}</li>" for paper in digest.notices)
    papers = "".join(map(_new_paper_html, digest.papers))
    more = f"<p>And {counted(_unlisted(digest), 'more paper')}.</p>" if _unlisted(digest) else ""
    return (
        (f"<h2>Answers with new evidence</h2>{answers}" if answers else "")
        + (f"<h2>Retracted or withdrawn</h2><ul class=news>{notices}</ul>" if notices else "")
        + (f"<h2>New papers, the nearest to the library first</h2><ul class=news>{papers}</ul>{more}" if papers else "")
    )


def atom(digests: Sequence[DatedDigest], address: str) -> str:
    """Return digests as an Atom feed (RFC 4287); `address` is where it is served, or what identifies it."""
    updated = digests[0].made if digests else "1970-01-01T00:00:00+00:00"
    entries = "".join(_entry(dated, address) for dated in digests)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>paperchat: what is new</title><id>{escape(address)}</id><updated>{escape(updated)}</updated>"
        f"<author><name>paperchat</name></author>{entries}</feed>\n"
    )


def change_text(change: AnswerChange) -> str:
    """Return how the evidence of an answer has changed, such as: two new papers bear on it; one contradicts [2]."""
    parts = []
    if change.papers:
        count = len(change.papers)
        parts.append(f"{_number(count)} new {'paper bears' if count == 1 else 'papers bear'} on it")
    parts += [_contradiction(number, change.papers) for number in _contradicted(change)]
    if change.before is not change.after:
        parts.append(f"the answer was {_strength(change.before)}, and would now be {_strength(change.after)}")
    parts += [f"the paper of [{number}] was retracted or withdrawn" for number in change.retracted]
    return "; ".join(parts)


def _contradicted(change: AnswerChange) -> list[int]:
    return sorted({number for bearing in change.papers for number in bearing.contradicts})


def _contradiction(number: int, papers: Sequence[BearingPaper]) -> str:
    count = sum(number in bearing.contradicts for bearing in papers)
    return f"{_number(count)} {'contradicts' if count == 1 else 'contradict'} [{number}]"


def _number(count: int) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[count] if count < len(words) else str(count)


def _strength(strength: Strength) -> str:
    return {Strength.FIRM: "firm", Strength.TENTATIVE: "partial", Strength.NONE: "missing"}[strength]


def _unlisted(digest: WatchDigest) -> int:
    return digest.total - len(digest.papers)


def _notice(paper: Paper) -> str:
    return one_line(notice_text(paper.notice)) if paper.notice else "no longer announced"


def _near_text(new: NewPaper) -> str:
    parts = [f"near “{one_line(to_text(new.starred))}”, which is starred"] if new.starred else []
    parts += [f"topic: {one_line(to_text(new.topic))}"] if new.topic else []
    return f"({'; '.join(parts)})" if parts else ""


def _title(paper: Paper) -> str:
    return one_line(to_text(display_title(paper)))


def _by(paper: Paper) -> str:
    by = ", ".join(part for part in (short_authors(paper.authors), str(paper.year or "")) if part)
    return f"({one_line(by)})" if by else ""


def _paper_text(paper: Paper) -> str:
    return f"{paper.id}  {_title(paper)} {_by(paper)}".rstrip()


def _quoted(bearing: BearingPaper) -> str:
    return f"\n    “{one_line(to_text(bearing.passage.text))}”" if bearing.passage else ""


def _escaped_quote(bearing: BearingPaper) -> str:
    return f": “{markdown_text(to_text(bearing.passage.text))}”" if bearing.passage else ""


def _linked(paper: Paper) -> str:
    title, address = markdown_text(_title(paper)), paper_url(paper)
    return f"{f'[{title}](<{address}>)' if address else title} {markdown_text(_by(paper))}".rstrip()


def _html_link(paper: Paper) -> str:
    title, address = escape(_title(paper)), paper_url(paper)
    link = f'<a href="{escape(address)}" target="_blank" rel="noreferrer noopener">{title}</a>' if address else title
    return f"{link} {escape(_by(paper))}".rstrip()


def _change_html(change: AnswerChange) -> str:
    items = "".join(
        f"<li>{_html_link(bearing.paper)}"
        + (f"<blockquote>{plain_html(bearing.passage.text)}</blockquote>" if bearing.passage else "")
        + "</li>"
        for bearing in change.papers
    )
    return (
        f"<h3>{plain_html(change.question)}</h3><p>{plain_html(sentence_case(change_text(change)))}.</p>"
        f"{f'<ul class=news>{items}</ul>' if items else ''}"
    )


def _new_paper_html(new: NewPaper) -> str:
    beginning = new.paper.abstract[:_BEGINNING].rsplit(" ", 1)[0]
    quote = f"<br>{plain_html(beginning)} …" if beginning else ""
    return f"<li>{_html_link(new.paper)}<span class=near> {escape(_near_text(new))}</span>{quote}</li>"


def _entry(dated: DatedDigest, address: str) -> str:
    return (
        f"<entry><title>{escape(dated.title)}</title><id>{escape(address)}#digest-{dated.id}</id>"
        f"<updated>{escape(dated.made)}</updated>"
        f'<content type="html">{escape(body_html(dated.digest))}</content></entry>'
    )
