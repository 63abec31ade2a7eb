"""One event on the page of one browser: who it is, what is on the screen, and what the screen shows next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.conversations import Conversations, StoredTurn
from assistant.errors import NotFoundError
from assistant.schema import EVERYTHING, Scope, Turn
from ui.page import evidence, history, turns
from ui.page.backend import Backend
from ui.page.session import NOTHING_OPEN, UNCHANGED, Choices, Open, View
from ui.terminal import heading


@dataclass(frozen=True, slots=True)
class Desk:
    """What an event needs: the common things, the owner of the conversations, and the states of the tab."""

    backend: Backend
    owner: str
    open: Open = NOTHING_OPEN
    scope: Scope = EVERYTHING
    choices: Choices = UNCHANGED

    @property
    def conversations(self) -> Conversations:
        """The owner's conversations."""
        return self.backend.conversations(self.owner)

    def stored(self) -> list[StoredTurn]:
        """The turns of the open conversation."""
        return self.conversations.turns(self.open.id) if self.open.id else []

    def turn(self, turn_id: str) -> StoredTurn:
        """A turn of the open conversation by its id, as a browser sends it. Raises NotFoundError."""
        found = next((each for each in self.stored() if str(each.id) == turn_id), None)
        if found is None:
            raise NotFoundError("this question is no longer in the conversation; reload the page")
        return found

    def whole(self, box: str | None = None) -> View:
        """Everything on the screen, as it is kept."""
        stored = self.stored()
        return View(
            open=self.open,
            box=box,
            talk=turns.conversation_html(stored) if stored else self.backend.welcome(),
            now="",
            evidence=self.evidence([each.turn for each in stored]),
            history=self.history(),
            message={"kind": "at", "id": self.open.id or ""},
        )

    def evidence(self, shown: Sequence[Turn]) -> str:
        """The papers behind these turns."""
        return evidence.evidence_html(shown, self.scope)

    def history(self, words: str = "") -> str:
        """The list of conversations, or of those with these words."""
        kept = self.conversations
        listed = kept.recent(words, limit=history.MOST_LISTED)
        return history.history_html(listed, kept.count(words), self.open.id, words)

    def scoped(self, scope: Scope) -> View:
        """The page looking at the papers of another scope from now on."""
        titles = {paper.id: heading(paper) for paper in self.backend.catalog.get([*scope.pinned, *scope.excluded])}
        shown = replace(self, scope=scope).evidence([each.turn for each in self.stored()])
        return View(scope=scope, looking=evidence.looking_html(scope, titles), evidence=shown)
