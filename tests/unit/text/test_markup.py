from __future__ import annotations

import pytest

from assistant.text.markup import visible_text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("<b>what</b> is DPO? ![x](http://a/b)", "what is DPO?"),
        ('what is <a href="http://a/b">DPO</a>?', "what is DPO?"),
        ("what is [DPO](http://a/b) and `PPO`?", "what is DPO and PPO?"),
        ("what is DPO? <script>alert(1)</script>", "what is DPO?"),
        ("<style>p { top: 0 }</style>what<!-- hidden --> is <br/> DPO?", "what is DPO?"),
        ("R&amp;D of caf&eacute;s", "R&D of cafés"),
        ("<b></b>", ""),
    ],
)
def test_a_message_is_read_without_its_markup(message: str, text: str) -> None:
    assert visible_text(message) == text


@pytest.mark.parametrize(
    "message",
    [
        "what does [2] say, and paper [10]?",
        "is p < 0.05 when k<n and n>5?",
        "A*search and D*lite, a*b*c, **bold**",
        r"what is \(O(n^2)\) and \alpha_1, $a_1 * b_2$?",
        "why a->b & b->c <- d?",
        "# 1. what is DPO?",
        "",
    ],
)
def test_what_only_looks_like_markup_stays(message: str) -> None:
    assert visible_text(message) == message


@pytest.mark.parametrize("piece", ["<", "[", "![", "<b ", "`", "&", "<!--", "[](", "<script>", "***"])
def test_a_bomb_of_markup_is_read_in_time(piece: str) -> None:
    assert len(visible_text(piece * (4000 // len(piece)))) <= 4000
