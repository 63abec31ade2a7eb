"""The settings of a tab: what is chosen there, and what stays the server's."""

from __future__ import annotations

from assistant.schema import Answer, Strength, Turn
from assistant.settings import Settings
from ui.page import settings_tab, turns


def test_a_strategy_is_chosen_for_the_tab_and_the_servers_own_counts_as_unchanged(settings: Settings) -> None:
    chosen = settings_tab.tab_settings_of(settings, settings.llm, "refine", 20, 3, 0.1, " year>=2020 ")
    assert (chosen.llm, chosen.strategy, chosen.filters) == (None, "refine", "year>=2020")
    server = settings.model_copy(update={"strategy": "refine"})
    assert settings_tab.tab_settings_of(server, "a/b", "refine", 20, 3, 0.1, "").strategy is None


def test_the_page_says_what_a_strategy_is_doing() -> None:
    answer = Answer("q", "q", Strength.FIRM, 0.5, "Bees dance.", progress="draft 2 of at most 4 <b>", done=False)
    assert "draft 2 of at most 4 &lt;b&gt;" in turns.streaming_html(1, Turn("q", answer))
