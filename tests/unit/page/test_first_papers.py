from __future__ import annotations

import pytest

from assistant.errors import InputError
from ui.page.first_papers import paper_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1706.03762", ["arxiv:1706.03762"]),
        (" 1706.03762v5, arxiv:2005.14165 ", ["arxiv:1706.03762", "arxiv:2005.14165"]),
        ("https://arxiv.org/abs/1706.03762", ["arxiv:1706.03762"]),
        ("https://doi.org/10.18653/v1/N19-1423", ["doi:10.18653/v1/N19-1423"]),
        ("learning rate warmup", ["arxiv-search:learning rate warmup"]),
        ("arxiv-search:learning rate warmup", ["arxiv-search:learning rate warmup"]),
        ("attention 1706.03762", ["arxiv-search:attention 1706.03762"]),
    ],
)
def test_ids_addresses_and_dois_are_looked_up_and_words_are_searched_for(text: str, names: list[str]) -> None:
    assert paper_names(text) == names


@pytest.mark.parametrize("text", ["", "  , ", "word " * 200])
def test_nothing_and_too_much_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="give an id, an address, a DOI, or words"):
        paper_names(text)
