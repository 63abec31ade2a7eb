"""The picture of imports in docs/architecture.md is what the code imports."""

from __future__ import annotations

from tests.conftest import ROOT
from tests.documentation.import_picture import picture, without_shortcuts


def test_the_picture_is_drawn_from_the_code() -> None:
    """Write it again by: python -m tests.documentation.import_picture > docs/imports.svg."""
    assert (ROOT / "docs" / "imports.svg").read_text(encoding="utf-8") == picture()


def test_an_import_is_left_out_where_a_longer_path_says_the_same() -> None:
    edges = {"ui": {"chat", "schema"}, "chat": {"schema"}, "schema": set[str]()}
    assert without_shortcuts(edges) == {"ui": {"chat"}, "chat": {"schema"}, "schema": set()}
