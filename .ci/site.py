"""Hooks of mkdocs: pages that are kept outside docs/, and links that lead out of it.

The pages are written for a reader of the repository. On the site, a link to a file that has no page there becomes its
text alone: the site names no address but its own.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

# Files of the repository that have a page on the site.
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "eval/README.md": "measuring.md",
    "eval/training/README.md": "training.md",
    "seeds/README.md": "seeds.md",
}
_SOURCES = {page: source for source, page in PAGES.items()}
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^]]*)\]\((?P<target>[^)\s]+)\)")
_FENCED = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are kept outside docs/."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=source))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Rewrite the links of a page for the site."""
    source = _SOURCES.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def rewrite(match: re.Match[str]) -> str:
        return _rewrite(match, source, files)

    parts = _FENCED.split(markdown)
    return "".join(part if part.startswith("```") else _LINK.sub(rewrite, part) for part in parts)


def _rewrite(match: re.Match[str], source: str, files: Files) -> str:
    """Return a link as the site has it: to a page of the site, or its text where there is none."""
    target, _, anchor = match["target"].partition("#")
    if not target or ":" in target:
        return match[0]
    path = posixpath.normpath(posixpath.join(PurePosixPath(source).parent.as_posix(), target))
    page = PAGES.get(path) or path.removeprefix("docs/")
    if files.get_file_from_path(page) is None:
        return match["text"]
    return f"{match['image']}[{match['text']}]({page}{'#' + anchor if anchor else ''})"
