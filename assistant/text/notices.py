"""Say in words what was announced about a paper."""

from __future__ import annotations

from assistant.schema import Notice, NoticeKind

_STATES = {
    NoticeKind.RETRACTED: "retracted",
    NoticeKind.WITHDRAWN: "withdrawn",
    NoticeKind.CONCERN: "under an expression of concern",
}


def state_text(notice: Notice) -> str:
    """Return the state of a paper in a word or two, such as `retracted`."""
    return _STATES[notice.kind]


def notice_text(notice: Notice) -> str:
    """Return the state of a paper with who says so, since when, in which words and at which address."""
    source = ", ".join(part for part in (notice.service, notice.date) if part)
    details = [part for part in (notice.text, notice.url) if part]
    return f"{state_text(notice)} ({source}){': ' if details else ''}{' '.join(details)}"
