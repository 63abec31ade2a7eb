"""The option --strategy: what is answered, what it cost, and what is said meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from assistant.protocols import LLM
from tests.conftest import BEES, Paperchat
from tests.fakes import DraftingLLM

LIE = "Whales sing to glaciers every night [1]."
DANCE, OLDER = "Honey bees communicate the place of flowers by a waggle dance [1].", "Older bees dance longer [1]."
UseLLM = Callable[[LLM], None]


@pytest.fixture
def drafting(filled: Paperchat, use_llm: UseLLM, monkeypatch: pytest.MonkeyPatch) -> Paperchat:
    """Return the command with a model whose first draft has an error."""
    monkeypatch.setenv("PAPERCHAT_TENTATIVE_THRESHOLD", "0")
    use_llm(DraftingLLM(f"{DANCE} {LIE}", f"{DANCE} {OLDER}"))
    return filled


def test_ask_answers_by_a_strategy_and_tells_its_cost(drafting: Paperchat) -> None:
    answered = drafting("ask", "--llm", "drafting/test", "--strategy", "best-of-n", BEES)
    assert answered.code == 0
    assert "Older bees dance longer. [1]" in answered.out
    assert "Whales" not in answered.out
    assert "(best-of-n: 3 calls of the language model, " in answered.out
    assert answered.err == "", "progress is for terminals"


def test_ask_as_json_has_the_cost_and_no_progress(drafting: Paperchat) -> None:
    answer = drafting("ask", "--llm", "drafting/test", "--strategy", "refine", "--json", BEES).json
    assert (answer["cost"]["strategy"], answer["cost"]["calls"]) == ("refine", 2)
    assert "progress" not in answer


def test_on_a_terminal_progress_is_said_on_standard_error(drafting: Paperchat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    said = drafting("ask", "--llm", "drafting/test", "--strategy", "refine", BEES)
    assert said.err == "rewriting what is not supported, round 1 ...\n"


def test_chat_answers_by_a_strategy(drafting: Paperchat) -> None:
    said = drafting("chat", "--llm", "drafting/test", "--strategy", "refine", stdin=f"{BEES}\n\n")
    assert "(refine: 2 calls of the language model, " in said.out


def test_a_stored_answer_is_shown_with_its_cost(drafting: Paperchat) -> None:
    drafting("ask", "--llm", "drafting/test", "--strategy", "refine", BEES)
    [stored] = drafting("conversations", "--json").json
    assert "(refine: 2 calls of the language model, " in drafting("conversations", "show", stored["id"]).out


def test_an_unknown_strategy_is_refused_by_name(filled: Paperchat) -> None:
    refused = filled("ask", "--strategy", "guess", BEES)
    assert (refused.code, "setting strategy" in refused.err) == (1, True)
