"""One event on the page of one browser: who it is, what is on the screen, and what the screen shows next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.errors import NotFoundError
from assistant.schema import EVERYTHING, Scope, Turn
from assistant.storage.conversation_schema import StoredTurn
from assistant.storage.conversations import Conversations
from assistant.text.latex import to_text
from assistant.text.titles import display_title
from ui.page import evidence, feedback, history, turns
from ui.page.backend import Backend
from ui.page.session import NOTHING_OPEN, UNCHANGED, Choices, Open, View


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
            talk=self.talk(stored) if stored else self.backend.welcome(),
            now="",
            evidence=self.evidence([each.turn for each in stored]),
            history=self.history(),
            message={"kind": "at", "id": self.open.id or ""},
        )

    def talk(self, stored: Sequence[StoredTurn]) -> str:
        """Turns that are kept; where one is not good, it can be said there what would answer it."""
        wrong = {each.id: each.feedback for each in stored if each.feedback and not each.feedback.good}
        titles = self._titles([paper for given in wrong.values() for paper in given.papers or ()])
        return turns.conversation_html(
            stored, lambda each: feedback.naming_html(each.id, wrong[each.id], titles) if each.id in wrong else ""
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
        titles = self._titles([*scope.pinned, *scope.excluded])
        shown = replace(self, scope=scope).evidence([each.turn for each in self.stored()])
        return View(scope=scope, looking=evidence.looking_html(scope, titles), evidence=shown)

    def _titles(self, paper_ids: Sequence[str]) -> dict[str, str]:
        return {paper.id: to_text(display_title(paper)) for paper in self.backend.catalog.papers.get(paper_ids)}
