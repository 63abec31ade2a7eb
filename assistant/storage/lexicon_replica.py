"""The lexicon of a shared library: on each machine a replica, which follows the catalog's change log.

A catch-up is one commit of the lexicon, so that a reader has the state of before or that of after, never parts of both.
The processes of a machine share a replica; whichever notices first that it is behind brings it up to date.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.errors import LibraryError, LibraryWriteError
from assistant.schema import Paper
from assistant.storage.change_log import ChangeLog, ReplicaState
from assistant.storage.lexicon import TantivyLexicon, wipe

logger = logging.getLogger(__name__)

_STATE = "replica.json"
# Seconds to wait for another process that brings the replica up to date; a million papers take some minutes.
_PATIENCE = 900


class LexiconReplica(TantivyLexicon):
    """A Lexicon in one directory that is brought up to date by `refresh`, and is written in no other way."""

    def __init__(self, folder: Path, log: ChangeLog) -> None:
        """Open or create the replica; one that is damaged begins again. Raises LibraryError."""
        self._log, self._state_file = log, folder / _STATE
        self._lock = FileLock(folder.with_name(f"{folder.name}.lock"), timeout=_PATIENCE)
        super().__init__(folder)

    def refresh(self) -> None:
        """Follow the change log up to its end. Raises LibraryError."""
        self._reload()
        present = self._log.state()
        if self._state() != present:
            self._catch_up(present)

    def replace(self, papers: Sequence[Paper]) -> None:
        """Do nothing: the papers are in the change log once they are indexed."""

    def remove(self, paper_ids: Collection[str]) -> None:
        """Do nothing: the ids are in the change log once they are removed."""

    def _open(self) -> None:
        """Open the files; where they are damaged, begin again: nothing is lost, since the catalog has the papers."""
        try:
            super()._open()
            return
        except LibraryError as error:
            logger.warning("the lexicon in %s is damaged, and made anew: %s", self._folder, error.__cause__)
        with self._locked():
            try:
                super()._open()
            except LibraryError:
                wipe(self._folder)
                super()._open()

    def _reload(self) -> None:
        """Read what other processes have written, who may have begun again in other files."""
        try:
            super()._reload()
        except (ValueError, OSError):
            self._open()

    def _catch_up(self, present: ReplicaState) -> None:
        with self._locked():
            self._reload()
            if self._state() == present:  # another process was faster
                return
            with self._log.since(self._state()) as changes:
                if changes.is_whole:
                    self._rewrite(changes.papers)
                else:
                    self._write(changes.removed, changes.papers)
                self._write_state(changes.state)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep the other processes of the machine from writing to the replica. Raises LibraryError."""
        try:
            self._lock.acquire()
        except Timeout as error:
            raise LibraryError(
                f"another process has been bringing the lexicon in {self._folder} up to date for {_PATIENCE} seconds; "
                "wait until it has finished, or end it, and try again"
            ) from error
        except OSError as error:
            raise LibraryError(f"the lexicon in {self._folder} cannot be locked: {error.strerror}") from error
        try:
            yield
        finally:
            self._lock.release()

    def _state(self) -> ReplicaState | None:
        """Return how far the replica has followed; None where that is unknown, which makes it begin again.

        An empty replica begins again too: that costs nothing, unless it has lost what it held.
        """
        if self.is_empty():
            return None
        try:
            return ReplicaState(**json.loads(self._state_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _write_state(self, state: ReplicaState) -> None:
        """Note the state after the lexicon has it: after a crash in between, the same changes are made again."""
        part = self._state_file.with_name(f"{_STATE}.{os.getpid()}.part")
        try:
            part.write_text(json.dumps(asdict(state)), encoding="utf-8")
            part.replace(self._state_file)
        except OSError as error:
            raise LibraryWriteError(f"the lexicon in {self._folder} cannot be written: {error.strerror}") from error
