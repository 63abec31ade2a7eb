from __future__ import annotations

import pytest

from assistant.digest import standalone
from assistant.digest.standalone import Role, RolePrediction

ROLES = {
    Role.ALONE: RolePrediction(0.1, 0.1),
    Role.LEANS: RolePrediction(0.8, 0.1),
    Role.BOILERPLATE: RolePrediction(0.1, 0.8),
}


@pytest.fixture(autouse=True)
def roles(monkeypatch: pytest.MonkeyPatch) -> dict[str, Role]:
    """Return the roles of sentences, which a test may set; any other sentence stands alone, and has no lead."""
    of_sentence: dict[str, Role] = {}
    monkeypatch.setattr(standalone, "predict", lambda text, *_: ROLES[of_sentence.get(text, Role.ALONE)])
    monkeypatch.setattr(standalone, "lead_length", lambda _: 0)
    return of_sentence
