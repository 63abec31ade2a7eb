"""What the repository says beside its code agrees with it: the site, the citation, the checks before a commit."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import yaml

from tests.conftest import ROOT
from tests.documentation.pages import DOCS


def read_yaml(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def pages_of(nav: list[Any]) -> Iterator[str]:
    """Yield the pages of the navigation of the site."""
    for item in nav:
        yield from [item] if isinstance(item, str) else pages_of(next(iter(item.values())))


def added_pages() -> dict[str, str]:
    """Return the files that the site has pages of although they are outside docs/."""
    assignment = re.search(r"^PAGES = (\{.*?^\})", (ROOT / ".ci/site.py").read_text(encoding="utf-8"), re.M | re.S)
    assert assignment
    return dict(ast.literal_eval(assignment[1]))


def test_the_site_has_every_page_once() -> None:
    nav = list(pages_of(read_yaml("mkdocs.yml")["nav"]))
    assert sorted(nav) == sorted([*(page.name for page in DOCS.glob("*.md")), *added_pages().values()])
    assert [source for source in added_pages() if not (ROOT / source).exists()] == []


def test_the_site_asks_for_nothing_from_elsewhere() -> None:
    site = read_yaml("mkdocs.yml")
    assert site["theme"]["font"] is False
    assert site["strict"] is True
    assert re.findall(r"https?://|//\w", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")) == []
    assert re.findall(r"url\(|@import", (DOCS / "site.css").read_text(encoding="utf-8")) == []


def test_the_public_names_are_in_the_reference() -> None:
    from assistant import __all__ as names

    page = (DOCS / "python.md").read_text(encoding="utf-8")
    assert [name for name in names if not re.search(rf"\b{name}\b", page)] == []


def test_the_citation_names_the_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = read_yaml("CITATION.cff")
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])


def test_a_commit_is_checked_like_make_check() -> None:
    hooks = [
        hook["entry"] for repository in read_yaml(".pre-commit-config.yaml")["repos"] for hook in repository["hooks"]
    ]
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert recipe
    assert [line.strip().replace("@$(BIN)", ".venv/bin") for line in recipe[1].splitlines()] == hooks


def test_the_forms_of_an_issue_can_be_shown() -> None:
    forms = [file for file in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if file.name != "config.yml"]
    assert forms
    for file in forms:
        form = read_yaml(file.relative_to(ROOT).as_posix())
        assert {"name", "description", "body"} <= form.keys()
        identifiers = [field["id"] for field in form["body"]]
        assert len(identifiers) == len(set(identifiers))
