from __future__ import annotations

import time
from pathlib import Path

import pytest

from assistant.text.latex import Segment, encode, is_formula, segments, to_text
from assistant.text.sentences import passages

SEEDS = Path(__file__).parents[3] / "seeds"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"up to 20\% improvement", "up to 20% improvement"),
        (r"\& \# \_ \$", "& # _ $"),
        (r"we introduce \method to shift", "we introduce method to shift"),
        (r"\method\xspace is \method{}, not \foo{bar}", "method is method, not bar"),
        (r"\textbf{bold \emph{and $x$} so}, {\em this} \underline{\textbf{R}}", "bold and x so, this R"),
        (r"\url{https://a.org/b_c}, \href{https://a.org}{here}", "https://a.org/b_c, here"),
        (r"Schr\"odinger, Caf\'e, {\"U}ber, \c{c}a, S\o{}ren", "Schrödinger, Café, Über, ça, Søren"),
        ("``needle'' and feedback~(RLHF)", "“needle” and feedback (RLHF)"),
        (r"3\times4, 10\mu m, 5\,ms, \alpha\beta", "3×4, 10μ m, 5 ms, αβ"),
        (r"\textsuperscript{2}, \frac{1}{2}", "², 1/2"),
        ("a \\\\ b", "a b"),
    ],
)
def test_commands_and_escapes_become_characters(source: str, text: str) -> None:
    assert to_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("just $4$K examples", "just 4K examples"),
        (r"$\alpha$, $k=5$ and \(x^2\)", "α, k=5 and x²"),
        ("MATH$^2$", "MATH²"),
        (r"$\texttt{No}$ over $20\%$", "No over 20%"),
        (r"$\mathcal{O}(n\log n)$, $x \in \mathbb{R}^d$", "O(n log n), x ∈ ℝᵈ"),
        (r"$\sum_{i=1}^{n} x_i$ $10^{-3}$ $90^\circ$", "∑ᵢ₌₁ⁿ xᵢ 10⁻³ 90°"),
        (r"$\pi_{\text{ref}}$, $\theta^{ab_c}$, $\sim$10", "π_(ref), θ^(ab_c), ∼10"),
        (r"\[ y_1 \] and $$z$$ and $\mathrm{KL}(p\|q)$", "y₁ and z and KL(p‖q)"),
        (r"$L(s) = L_0 Where S_1 is forward area and S_2$.", "L(s) = L₀ Where S₁ is forward area and S₂."),
    ],
)
def test_formulas_become_unicode(source: str, text: str) -> None:
    assert to_text(source) == text


@pytest.mark.parametrize(
    "text",
    [
        "it costs $5 and $10, from 5$ to 10$ a day",
        "between $5 and US$ 10, or US$5-US$6 each",
        "$$ and $ k $",
        r"C:\Users\name, C:\method, src\main, \App\Models",
        r"\n \t \d+ \w+\b",
        r"don\'t say \"hello\"",
        "https://a.edu/~ada, ~5 ms, {a, b}",
        "\\",
        "$",
        "",
    ],
)
def test_what_is_not_latex_stays(text: str) -> None:
    assert to_text(text) == text


@pytest.mark.parametrize(
    "broken", [r"$\frac$", r"\frac", r"$a_$", r"$x^{y$", r"\textbf{open", r"$\left($", r"\begin{a}"]
)
def test_broken_latex_is_shown_without_placeholders(broken: str) -> None:
    assert "%s" not in to_text(f"before {broken} after")
    assert to_text(f"before {broken} after").startswith("before ")
    assert to_text(f"before {broken} after").endswith(" after")


@pytest.mark.parametrize(
    "piece",
    ["\\", "$", "{", "$a", "\\(", "\\[", "``a", "\\textbf{", "{\\em ", "\\frac", " \t", "\\\\ ", "$_{a", "^{", "~"],
)
def test_the_time_grows_with_the_length_only(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    to_text(text[:1000])
    began = time.perf_counter()
    to_text(text)
    assert time.perf_counter() - began < 2


def test_formulas_that_a_page_can_typeset_keep_their_latex() -> None:
    assert list(segments(r"A $x^2$ of \method.")) == [Segment("A "), Segment("x²", "x^2"), Segment(" of method.")]


@pytest.mark.parametrize(
    "formula", [r"\input{x}", r"\href{javascript:x}{y}", r"\method", "a}b{", "{a", "with prose words inside"]
)
def test_unknown_commands_unbalanced_braces_and_prose_are_not_typeset(formula: str) -> None:
    assert not is_formula(formula)
    assert all(not segment.formula for segment in segments(f"${formula}$"))


def test_no_sentence_of_the_seeds_shows_a_backslash_and_only_money_shows_dollars() -> None:
    shown = [
        to_text(sentence.text)
        for file in sorted(SEEDS.glob("*.txt"))
        for line in file.read_text(encoding="utf-8").splitlines()
        for sentence in passages(line)
    ]
    assert [text for text in shown if "\\" in text] == []
    assert [text for text in shown if text.count("$") > 1] == []


def test_text_is_encoded_for_latex_and_letters_beyond_ascii_stay() -> None:
    assert encode("50% of R&D_x {é} a\\b") == r"50\% of R\&D\_x \textbraceleft{}é\textbraceright{} a\textbackslash{}b"
    assert encode("<|>~^#$") == r"\textless{}\textbar{}\textgreater{}\textasciitilde{}\textasciicircum{}\#\$"
