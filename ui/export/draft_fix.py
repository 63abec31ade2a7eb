"""Correct the citations of a draft, and add entries to its bibliography: as a diff, or in the files."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from assistant.drafts.corrections import apply, corrections
from assistant.drafts.values import DraftCheck
from assistant.errors import InputError
from assistant.schema import Annotation, Paper
from ingest.drafts import OpenDraft


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file before and after its correction; `prefix` is its byte order mark, if it has one."""

    path: Path
    before: str
    after: str
    prefix: bytes = b""


def changes(
    check: DraftCheck, draft: OpenDraft, path: Path, annotations: Mapping[str, Annotation] = MappingProxyType({})
) -> list[FileChange]:
    """Return the corrected draft and, where papers are cited that it lacks, the bibliography. Raises InputError.

    `annotations` have the citation keys of suggested papers, by id.
    """
    keys = _PaperKeys(check, draft, annotations)
    source = draft.text.source
    edits = list(corrections(check.sentences, source, draft.text.format, keys.find))
    mark = b"\xef\xbb\xbf" if draft.encoding == "utf-8-sig" else b""
    changed = [FileChange(path, source, apply(source, edits), mark)] if edits else []
    added = [paper for edit in edits if (paper := keys.added.get(edit.paper.id))]
    return [*changed, *([_with_entries(draft.bib_files[0], added, keys.annotations)] if added else [])]


def diff(file_changes: Sequence[FileChange]) -> str:
    """Return the changes as a unified diff."""
    return "".join(
        _line(line)
        for change in file_changes
        for line in difflib.unified_diff(
            change.before.splitlines(keepends=True),
            change.after.splitlines(keepends=True),
            f"a/{change.path.name}",
            f"b/{change.path.name}",
        )
    )


def write(file_changes: Sequence[FileChange]) -> None:
    """Write the files, the bibliography first, each completely or not at all.

    Raises InputError where one cannot be written, or was changed since it was read.
    """
    for change in reversed(file_changes):
        part = change.path.with_name(f"{change.path.name}.{secrets.token_hex(4)}.part")
        try:
            if change.path.read_bytes() != change.prefix + change.before.encode():
                raise InputError(str(change.path), "was changed while it was checked; check it again")
            part.write_bytes(change.prefix + change.after.encode())
            part.chmod(change.path.stat().st_mode & 0o777)
            part.replace(change.path.resolve())
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise InputError(str(change.path), f"cannot be written: {error.strerror}") from error


class _PaperKeys:
    """The keys of papers in the bibliography; `added` are the papers that get a new entry, by id.

    `annotations` have the citation keys of the reference manager, without those that another entry has.
    """

    def __init__(self, check: DraftCheck, draft: OpenDraft, annotations: Mapping[str, Annotation]) -> None:
        self.added: dict[str, Paper] = {}
        self._keys = {entry.paper.id: entry.key for entry in reversed(check.bibliography) if entry.paper}
        self._taken = {entry.key.casefold() for entry in draft.entries}
        self.annotations = {
            paper_id: Annotation(citation_key=annotation.citation_key)
            for paper_id, annotation in annotations.items()
            if annotation.citation_key.casefold() not in self._taken
        }
        self._can_add = bool(draft.bib_files)

    def find(self, paper: Paper) -> str | None:
        """Return the key of a paper, which may be a new one; None where no entry can be added."""
        if paper.id in self._keys:
            return self._keys[paper.id]
        key = _new_key(paper, self.annotations)
        if not paper.title or not self._can_add or (key.casefold() in self._taken and paper.id not in self.added):
            return None
        self.added[paper.id] = paper
        self._taken.add(key.casefold())
        return key


def _new_key(paper: Paper, annotations: Mapping[str, Annotation]) -> str:
    from ui.export.bibliography import citation_keys

    return citation_keys([paper], annotations)[paper.id]


def _with_entries(path: Path, papers: Sequence[Paper], annotations: Mapping[str, Annotation]) -> FileChange:
    from ui.export.bibliography import bibtex

    try:
        data = path.read_bytes()
        before = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), "cannot be read as UTF-8, so that no entry can be added") from error
    unique = {paper.id: paper for paper in papers}
    entries = "\n".join(bibtex([replace(paper, abstract="")], annotations).strip() + "\n" for paper in unique.values())
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    return FileChange(path, before, f"{before}{gap}{entries}", data[: len(data) - len(before.encode())])


def _line(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
