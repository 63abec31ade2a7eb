"""One event on the page of one browser: its user, the state of its tab, and what the screen shows next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.errors import NotFoundError
from assistant.schema import EVERYTHING, Answer, Paper, Scope, Turn
from assistant.storage.conversation_schema import Feedback, StoredTurn
from assistant.storage.conversations import Conversations
from assistant.text.latex import to_text
from assistant.text.titles import display_title
from ui.kept_answers import with_notices
from ui.page import evidence, feedback, history, turns
from ui.page.alternatives import offered
from ui.page.backend import PageBackend
from ui.page.collection_menu import keep_menu_html
from ui.page.session import NEW_CONVERSATION, SERVER_SETTINGS, OpenConversation, PageUpdate, TabSettings
from ui.permissions import UNLIMITED, Permissions


@dataclass(frozen=True, slots=True)
class PageContext:
    """What an event needs: the shared backend, the visitor with permissions, and the state of the tab."""

    backend: PageBackend
    owner: str
    conversation: OpenConversation = NEW_CONVERSATION
    scope: Scope = EVERYTHING
    settings: TabSettings = SERVER_SETTINGS
    permissions: Permissions = UNLIMITED

    @property
    def conversations(self) -> Conversations:
        """Return the owner's conversations."""
        return self.backend.conversations(self.owner)

    def stored_turns(self) -> list[StoredTurn]:
        """Return the turns of the open conversation."""
        stored = self.conversations.turns(self.conversation.id) if self.conversation.id else []
        return with_notices(stored, self.backend.catalog)

    def find_turn(self, turn_id: str) -> StoredTurn:
        """Return a turn of the open conversation by its id as a browser sends it. Raises NotFoundError."""
        for stored in self.stored_turns():
            if str(stored.id) == turn_id:
                return stored
        raise NotFoundError("this question is no longer in the conversation; reload the page")

    def replacing(self, turn_id: int | None) -> PageContext:
        """Return the context in which the next question takes the place of this turn."""
        return replace(self, conversation=OpenConversation(self.conversation.id, turn_id))

    def show_conversation(self, conversation_id: str | None, question: str | None = None) -> PageUpdate:
        """Return everything on the screen for a stored conversation, or for a new one."""
        return replace(self, conversation=OpenConversation(conversation_id)).show_all(question)

    def reopen(self, conversation_id: str, question: str | None = None) -> PageUpdate:
        """Return everything on the screen for a stored conversation, looking at what its last question looked at.

        What is gone of that since is left out.
        """
        turns = self.conversations.turns(conversation_id)
        scope = self.backend.catalog.present_scope(turns[-1].turn.scope) if turns else EVERYTHING
        reopened = replace(self, conversation=OpenConversation(conversation_id), scope=scope)
        return replace(reopened.show_all(question), scope=scope, scope_bar=reopened.show_scope(scope).scope_bar)

    def show_all(self, question: str | None = None) -> PageUpdate:
        """Return everything on the screen, as it is stored."""
        stored = self.stored_turns()
        return PageUpdate(
            conversation=self.conversation,
            question=question,
            turns=self.turns_html(stored) if stored else self.backend.welcome_html(),
            pending="",
            evidence=self.evidence_html([stored_turn.turn for stored_turn in stored]),
            history=self.history_html(),
            message={"kind": "address", "id": self.conversation.id or ""},
        )

    def show_scope(self, scope: Scope) -> PageUpdate:
        """Return the page with another scope."""
        titles = self._titles([*scope.pinned, *scope.excluded])
        shown = [stored.turn for stored in self.stored_turns()]
        return PageUpdate(
            scope=scope,
            scope_bar=evidence.scope_html(scope, titles, self.backend.catalog.topics.labels() if scope.topics else {}),
            evidence=replace(self, scope=scope).evidence_html(shown),
        )

    def turns_html(self, stored: Sequence[StoredTurn]) -> str:
        """Return stored turns; a wrong answer has a form to name the papers that would answer it."""
        judged = {stored_turn.id: stored_turn.feedback for stored_turn in stored}
        wrong = {turn_id: judgement for turn_id, judgement in judged.items() if judgement and not judgement.good}
        titles = self._titles([paper_id for judgement in wrong.values() for paper_id in judgement.papers or ()])
        others = {turn.id: offered(self.backend.settings, self.settings, turn) for turn in stored}
        keeps = self._keep_menus(stored)
        return turns.conversation_html(stored, _feedback_forms(wrong, titles), others, keeps)

    def evidence_html(self, shown: Sequence[Turn]) -> str:
        """Return the papers behind these turns."""
        answers = [turn.answer for turn in shown]
        listed = {paper.id for answer in answers for paper in papers_of(answer)}
        return evidence.evidence_html(shown, self.scope, self.backend.catalog.annotations.of_papers(listed))

    def history_html(self, words: str = "") -> str:
        """Return the list of conversations that contain these words."""
        listed = self.conversations.recent(words, limit=history.MAX_LISTED)
        return history.history_html(listed, self.conversations.count(words), self.conversation.id, words)

    def _keep_menus(self, stored: Sequence[StoredTurn]) -> dict[int, str]:
        """Return for each turn whose answer has papers a menu that puts them into a collection."""
        collections = self.backend.catalog.collections.all()
        with_papers = (turn.id for turn in stored if turn.turn.answer.citations or turn.turn.answer.table)
        return {turn_id: keep_menu_html(turn_id, collections) for turn_id in with_papers}

    def _titles(self, paper_ids: Sequence[str]) -> dict[str, str]:
        return {paper.id: to_text(display_title(paper)) for paper in self.backend.catalog.papers.get(paper_ids)}


def _feedback_forms(wrong: Mapping[int, Feedback], titles: Mapping[str, str]) -> dict[int, str]:
    return {turn_id: feedback.form_html(turn_id, judgement, titles) for turn_id, judgement in wrong.items()}


def papers_of(answer: Answer) -> Iterator[Paper]:
    """Yield the papers that an answer shows: cited, listed in a table, or found."""
    yield from (citation.paper for citation in answer.citations)
    yield from (row.paper for row in (answer.table.rows if answer.table else ()))
    yield from (hit.paper for hit in answer.hits)
