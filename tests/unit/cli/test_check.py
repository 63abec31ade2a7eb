"""The command that checks a draft: its JSON, its reports, its corrections and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Paperchat

DANCE = "Honey bees communicate the place of flowers by a waggle dance"
TITLED = (
    {"title": "The waggle dance of honey bees", "abstract": f"{DANCE}. Older bees dance longer."},
    {"title": "The loss of ice in the Alps", "abstract": "Glaciers in the northern Alps lost a third of their ice."},
)
BIB = "@article{bees, title={The waggle dance of honey bees}}\n@article{ice, title={The loss of ice in the Alps}}\n"
DRAFT = f"""\\documentclass{{article}}
\\begin{{document}}
{DANCE} \\citep{{bees}}. {DANCE} \\citep{{ice}}.

Glaciers in the northern Alps lost a third of their ice.
Honey bees do not communicate the place of flowers by a waggle dance \\citep{{bees}}.
Cats were held in temples of old \\cite{{ghost}}. Markup like <script>alert(1)</script> is text and no markup.
\\end{{document}}
"""


@pytest.fixture
def draft(paperchat: Paperchat, tmp_path: Path) -> Path:
    """Return a draft with its bibliography, beside a library of its papers."""
    papers = tmp_path / "papers.jsonl"
    papers.write_text("".join(json.dumps(paper) + "\n" for paper in TITLED))
    assert paperchat("ingest", papers).code == 0
    (tmp_path / "draft.bib").write_text(BIB)
    file = tmp_path / "draft.tex"
    file.write_text(DRAFT)
    return file


def test_the_json_of_a_check_has_every_sentence_with_its_offsets(paperchat: Paperchat, draft: Path) -> None:
    checked = paperchat("check", draft, "--json")
    assert checked.code == 0
    sentences = checked.json["sentences"]
    assert all(DRAFT[sentence["start"] : sentence["end"]] == sentence["text"] for sentence in sentences)
    verdicts = [(sentence["verdict"], [cited["verdict"] for cited in sentence["citations"]]) for sentence in sentences]
    assert verdicts[:4] == [
        ("supported", ["supported"]),
        ("supported", ["unsupported"]),
        ("supported", []),
        ("contradicted", ["contradicted"]),
    ]
    assert sentences[4]["citations"][0]["paper_id"] is None
    passage, abstract = sentences[3]["passage"], sentences[3]["paper"]["abstract"]
    assert abstract[passage["start"] : passage["end"]] == passage["text"]
    assert [item["paper"]["title"] for item in sentences[2]["suggestions"]] == ["The loss of ice in the Alps"]
    entries = {entry["key"]: (entry["status"], entry["missing"]) for entry in checked.json["bibliography"]}
    assert entries == {"bees": ("known", False), "ice": ("known", False), "ghost": ("unknown", True)}


def test_strict_exits_with_1_where_a_sentence_is_contradicted(paperchat: Paperchat, draft: Path) -> None:
    assert paperchat("check", draft, "--strict").code == 1
    assert paperchat("check", "-", "--strict", stdin=f"{DANCE}.").code == 0


def test_the_text_names_line_verdict_passage_and_what_is_wrong(paperchat: Paperchat, draft: Path) -> None:
    shown = paperchat("check", draft).out
    assert f"3: supported: {DANCE}." in shown
    assert "ice: “The loss of ice in the Alps” does not say so; “The waggle dance of honey bees” does" in shown
    assert "6: contradicted:" in shown
    assert "ghost is cited, and has no entry in the bibliography" in shown
    assert "\x1b" not in shown


def test_the_report_is_one_file_in_which_the_draft_is_text(paperchat: Paperchat, draft: Path) -> None:
    report = draft.with_name("report.html")
    assert paperchat("check", draft, "--html", report).code == 0
    html = report.read_text()
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "The waggle dance of honey bees" in html


def test_sarif_points_at_the_sentence(paperchat: Paperchat, draft: Path) -> None:
    file = draft.with_name("draft.sarif")
    assert paperchat("check", draft, "--sarif", file).code == 0
    log = json.loads(file.read_text())
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    results = {result["ruleId"]: result for result in run["results"]}
    assert {"contradicted", "wrong-citation", "missing-citation", "missing-entry"} <= set(results) <= rules
    location = results["contradicted"]["locations"][0]["physicalLocation"]
    region = location["region"]
    start = region["charOffset"]
    assert location["artifactLocation"]["uri"] == "draft.tex"
    assert DRAFT[start : start + region["charLength"]].startswith("Honey bees do not")
    assert (region["startLine"], region["startColumn"]) == (6, 1)


def test_the_diff_changes_nothing_and_fix_applies_it(paperchat: Paperchat, draft: Path) -> None:
    shown = paperchat("check", draft, "--diff").out
    assert draft.read_text() == DRAFT
    assert f"+{DANCE} \\citep{{bees}}. {DANCE} \\citep{{bees}}." in shown
    assert "+Glaciers in the northern Alps lost a third of their ice~\\citep{ice}." in shown
    assert paperchat("check", draft, "--fix").code == 0
    fixed = draft.read_text()
    assert "their ice~\\citep{ice}." in fixed
    assert "Honey bees do not communicate the place of flowers by a waggle dance \\citep{bees}." in fixed
    assert not list(draft.parent.glob("*.part"))
    assert paperchat("check", draft, "--diff").out == ""


def test_a_paper_that_the_bibliography_lacks_gets_an_entry(paperchat: Paperchat, draft: Path) -> None:
    bib, markdown = draft.with_name("draft.bib"), draft.with_suffix(".md")
    bib.write_text("@article{bees, title={The waggle dance of honey bees}}")
    markdown.write_text("Glaciers in the northern Alps lost a third of their ice.\n")
    assert paperchat("check", markdown, "--fix").code == 0
    key = markdown.read_text().split("[@")[1].split("]")[0]
    assert f"{{{key}," in bib.read_text()
    assert "The loss of ice in the" in bib.read_text()
    assert paperchat("check", markdown, "--diff").out == ""


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"Bees dance.", "only LaTeX and Markdown"),
        ("a.tex", "Gödel \\cite{a}".encode("cp1252"), "only files in UTF-8"),
    ],
)
def test_other_drafts_are_not_corrected(
    name: str, content: bytes, reason: str, paperchat: Paperchat, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    refused = paperchat("check", tmp_path / name, "--fix")
    assert (refused.code, reason in refused.err) == (1, True)
    assert (tmp_path / name).read_bytes() == content


def test_the_entries_are_added_to_the_library_where_that_is_wanted(paperchat: Paperchat, draft: Path) -> None:
    abstract = "Cats were held in temples of old. " * 8
    draft.with_name("draft.bib").write_text(
        f"@article{{ghost, title={{Cats in old temples}}, abstract={{{abstract}}}}}"
    )
    checked = paperchat("check", draft, "--add", "--json")
    (entry,) = [entry for entry in checked.json["bibliography"] if entry["key"] == "ghost"]
    assert entry["status"] == "known"
    assert any(sentence["statement"].startswith("Cats") and sentence["paper"] for sentence in checked.json["sentences"])


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (bytes(range(256)) * 9, "binary"), (b"%PDF-1.7\n", "PDF")]
)
def test_what_is_no_draft_is_refused_in_one_line(
    content: bytes, reason: str, paperchat: Paperchat, tmp_path: Path
) -> None:
    (tmp_path / "draft.tex").write_bytes(content)
    refused = paperchat("check", tmp_path / "draft.tex")
    assert refused.code == 1
    assert reason in refused.err
    assert refused.err.count("\n") == 1


def test_a_draft_and_a_bibliography_that_are_not_there_are_named(paperchat: Paperchat, draft: Path) -> None:
    for arguments in (["nowhere.tex"], [draft, "--bib", "nowhere.bib"]):
        refused = paperchat("check", *arguments)
        assert (refused.code, "nowhere" in refused.err) == (1, True)
