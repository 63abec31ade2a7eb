"""What a stored answer can be compared with: quoting, another model, or another strategy of the same one."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from assistant.digest.digest import NAME as QUOTED
from assistant.settings import Settings
from assistant.storage.conversation_schema import StoredTurn
from ui.page.session import TabSettings

_STRATEGY = "strategy"
_STRATEGIES = ("single", "best-of-n", "self-moa", "refine")


def alternatives(settings: Settings, tab: TabSettings) -> dict[str, dict[str, str]]:
    """Return what else the page could answer by: what each is called, with the settings of the tab that it changes.

    These are quoting, the server's model, the one chosen in this tab, and the other strategies of the present model.
    """
    models = dict.fromkeys((QUOTED, settings.llm, tab.llm or settings.llm))
    choices = {_model_name(llm): {"llm": llm} for llm in models}
    if (tab.llm or settings.llm) != QUOTED and _has_strategies(settings):
        choices |= {name: {_STRATEGY: name, "llm": tab.llm or settings.llm} for name in _STRATEGIES}
    return choices


def offered(settings: Settings, tab: TabSettings, stored: StoredTurn) -> list[str]:
    """Return the names of the alternatives to what produced a stored answer."""
    choices, before = alternatives(settings, tab), stored.settings
    return [name for name, changes in choices.items() if any(before.get(key) != changes[key] for key in changes)]


def apply_alternative(tab: TabSettings, changes: dict[str, str]) -> TabSettings:
    """Return the settings of a tab with those of an alternative."""
    names = {field.name for field in fields(TabSettings)}
    values: dict[str, Any] = {key: value for key, value in changes.items() if key in names}
    return replace(tab, **values)


def _has_strategies(settings: Settings) -> bool:
    """Return whether both the settings and those of a tab know strategies."""
    return hasattr(settings, _STRATEGY) and _STRATEGY in {field.name for field in fields(TabSettings)}


def _model_name(llm: str) -> str:
    return "Quotations" if llm == QUOTED else llm
