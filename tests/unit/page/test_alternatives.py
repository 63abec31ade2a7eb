from __future__ import annotations

from assistant.schema import Answer, Strength, Turn
from assistant.settings import Settings, load
from assistant.storage.conversation_schema import StoredTurn
from ui.page.alternatives import alternatives, apply_alternative, offered
from ui.page.session import TabSettings

HERE = TabSettings()


def settings(llm: str) -> Settings:
    return load(llm=llm)


def stored(by: Settings) -> StoredTurn:
    answer = Answer("q", "q", Strength.FIRM, 0.9, "x")
    return StoredTurn(1, "talk", Turn("q", answer), "", by.model_dump(mode="json"))


def test_a_quoted_answer_of_a_server_that_only_quotes_has_nothing_to_be_compared_with() -> None:
    quoting = settings("extractive")
    assert offered(quoting, HERE, stored(quoting)) == []


def test_a_model_is_compared_with_quotations_and_quotations_with_the_models_of_server_and_tab() -> None:
    server = settings("ollama/one")
    assert "Quotations" in offered(server, HERE, stored(server))
    assert "ollama/one" not in offered(server, HERE, stored(server))[:1]
    names = offered(server, TabSettings(llm="ollama/two"), stored(settings("extractive")))
    assert names[:2] == ["ollama/one", "ollama/two"]


def test_an_alternative_changes_the_settings_of_the_tab_and_nothing_else() -> None:
    tab = TabSettings(llm="ollama/two", top_k=7)
    changes = alternatives(settings("ollama/one"), tab)["Quotations"]
    assert apply_alternative(tab, changes) == TabSettings(llm="extractive", top_k=7)
