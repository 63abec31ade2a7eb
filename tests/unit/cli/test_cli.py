"""The command line: every verb, its JSON, what goes to which stream, and the exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import factory
from tests.conftest import BEES, ROOT, Paperchat, Run
from tests.contract.json_keys import ANSWER, HIT, PAPER, SEARCH
from tests.fakes import WordHashEmbedder


def papers_of(run: Paperchat) -> dict[str, Any]:
    """The library's papers by the first word of their abstracts."""
    return {paper["abstract"].split()[0]: paper for paper in run("list", "--json").json}


# ingest


def test_ingest_reads_standard_input(paperchat: Paperchat) -> None:
    given = '{"title": "On Ice", "abstract": "Glaciers melt."}\n'
    assert paperchat("ingest", "-", stdin=given).code == 0
    (paper,) = paperchat("list", "--json").json
    assert (paper["title"], paper["sources"]) == ("On Ice", ["standard input"])


def test_the_library_written_by_list_can_be_ingested(filled: Paperchat, tmp_path: Path) -> None:
    listed = filled("list", "--json").out
    filled("delete", *(paper["id"] for paper in json.loads(listed)))
    assert filled("ingest", "-", stdin=listed).out.startswith("3 records read: 3 papers added")


def test_papers_without_an_abstract_are_counted_and_marked(paperchat: Paperchat, papers_file: Path) -> None:
    bare = papers_file.with_name("bare.bib")
    bare.write_text("@book{a, title={On the Nature of Glacier Ice}, year={2020}}", encoding="utf-8")
    done = paperchat("ingest", bare, papers_file)
    assert done.code == 0
    assert done.out.splitlines()[1] == (
        "1 records came without an abstract. They are kept and listed, but not searched; the library has 1 such papers."
    )
    assert sum(line.endswith("On the Nature of Glacier Ice (2020) [no abstract]") for line in done_list(paperchat)) == 1
    assert paperchat("doctor").code == 0


def done_list(run: Paperchat) -> list[str]:
    return run("list").out.splitlines()


def test_ingest_prints_the_counts(paperchat: Paperchat, papers_file: Path) -> None:
    first, again = paperchat("ingest", papers_file), paperchat("ingest", papers_file)
    assert first == Run(
        0,
        "3 records read: 3 papers added, 0 updated, 0 merged, 0 unchanged, 0 skipped. The library has 3 papers.\n",
        "",
    )
    assert again.out.startswith("3 records read: 0 papers added, 0 updated, 0 merged, 3 unchanged, 0 skipped.")


def test_what_cannot_be_read_is_named_with_file_and_line_while_the_rest_goes_in(
    paperchat: Paperchat, papers_file: Path
) -> None:
    flawed = papers_file.with_name("flawed.txt")
    abstract = "Abstract: Volcanoes erupt after years of silence. We watch 12 of them from orbit, day and night."
    flawed.write_text(f"{abstract}\nAbstract:\n{abstract.replace('12', '40')} Lava flows.\n", encoding="utf-8")
    binary = papers_file.with_name("binary.txt")
    binary.write_bytes(b"\0\1\2")
    missing = papers_file.with_name("missing.txt")
    done = paperchat("ingest", flawed, binary, missing, papers_file)
    assert done.code == 1
    assert done.err.splitlines() == [
        "paperchat: flawed.txt:2: skipped: there is no text after 'Abstract:'",
        "paperchat: binary.txt: this is a binary file, not text",
        f"paperchat: {missing}: there is no such file",
    ]
    assert "1 skipped" in done.out
    assert {"Glaciers", "Honey", "Sourdough", "Volcanoes"} == set(papers_of(paperchat))


def test_a_warning_is_printed_and_is_no_failure(paperchat: Paperchat, papers_file: Path) -> None:
    papers_file.write_bytes(papers_file.read_bytes().replace(b"Alps", b"Alp\xe9s"))
    done = paperchat("ingest", papers_file)
    assert done.code == 0
    assert done.err.startswith("paperchat: warning: papers.txt:1: not UTF-8")
    assert len(done.err.splitlines()) == 1
    assert "Alpés" in paperchat("search", "alpés").out


def test_a_progress_bar_appears_on_a_terminal_only(
    paperchat: Paperchat, papers_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paperchat("ingest", papers_file).err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert "records read" in paperchat("ingest", papers_file).err
    shown = paperchat("reindex").err
    assert "papers indexed" in shown
    assert "3/3" in shown


# list, show, search, ask


def test_list_has_a_line_for_each_paper(filled: Paperchat) -> None:
    lines = filled("list").out.splitlines()
    assert len(lines) == 3
    assert all(any(paper["id"] in line for line in lines) for paper in papers_of(filled).values())


def test_list_as_json_is_an_array_of_papers(filled: Paperchat) -> None:
    papers = filled("list", "--json").json
    assert [set(paper) for paper in papers] == [PAPER] * 3
    assert {source for paper in papers for source in paper["sources"]} == {"papers.txt"}


def test_an_empty_library_lists_nothing_and_answers_nothing(paperchat: Paperchat) -> None:
    assert paperchat("list") == Run(0, "", "")
    assert paperchat("list", "--json").json == []
    assert paperchat("search", BEES).out == "Nothing found.\n"
    answer = paperchat("ask", BEES, "--json")
    assert answer.code == 0
    assert answer.json["answered"] is False
    assert "paperchat ingest" in answer.json["text"]


def test_show_prints_a_paper_by_the_beginning_of_its_id(filled: Paperchat) -> None:
    paper = papers_of(filled)["Honey"]
    shown = filled("show", paper["id"][:6], "--json")
    added: dict[str, object] = {"tags": [], "keywords": [], "note": None, "collections": [], "citation_key": None}
    assert shown.json == paper | added
    text = filled("show", paper["id"]).out
    assert paper["id"] in text
    assert paper["abstract"] in text
    assert "papers.txt" in text


def test_search_finds_papers_best_first(filled: Paperchat) -> None:
    found = filled("search", BEES, "--json").json
    assert set(found) == SEARCH
    assert [set(hit) for hit in found["hits"]] == [HIT] * 3
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    assert found["hits"][0]["paper"]["abstract"].startswith("Honey bees")
    for hit in found["hits"]:
        for passage in hit["passages"]:
            assert hit["paper"]["abstract"][passage["start"] : passage["end"]] == passage["text"]
    assert filled("search", BEES).out.startswith(f"  1. {found['hits'][0]['paper']['id']}")


def test_search_returns_as_many_papers_as_asked(filled: Paperchat) -> None:
    assert len(filled("search", BEES, "--json", "--papers", 2).json["hits"]) == 2


def test_ask_answers_with_citations(filled: Paperchat) -> None:
    answer = filled("ask", BEES, "--json").json
    assert set(answer) == ANSWER
    assert answer["answered"]
    assert answer["citations"][0]["paper"]["abstract"].startswith("Honey bees")
    text = filled("ask", BEES).out
    assert answer["text"] in text
    assert f"\n[1] {answer['citations'][0]['paper']['id']}" in text


def test_an_abstention_is_an_answer_with_exit_code_0(filled: Paperchat) -> None:
    done = filled("ask", "Who pilots zeppelins over Venus?", "--json")
    assert done.code == 0
    assert done.json["strength"] == "none"
    assert "The library does not answer this" in filled("ask", "Who pilots zeppelins over Venus?").out


def test_options_of_the_command_outrank_the_environment(
    filled: Paperchat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(filled("--home", tmp_path / "other", "list", "--json").json) == 0
    monkeypatch.setenv("PAPERCHAT_LLM", "nobody/model")
    assert filled("ask", BEES).code == 1
    assert filled("ask", "--llm", "extractive", BEES).code == 0
    assert filled("search", BEES).code == 0, "a search needs no language model"


# chat


def test_pin_and_exclude_say_which_papers_are_looked_at(filled: Paperchat) -> None:
    best, *others = [
        hit["paper"]["id"] for hit in filled("search", "Which glaciers shrink the fastest?", "--json").json["hits"]
    ]
    for verb in ("search", "ask"):
        pinned = filled(verb, "Which glaciers shrink the fastest?", "--json", "--pin", best[:8]).json
        excluded = filled(
            verb, "Which glaciers shrink the fastest?", "--json", "--exclude", best, "--exclude", others[0]
        ).json
        assert [hit["paper"]["id"] for hit in pinned["hits"]] == [best]
        assert [hit["paper"]["id"] for hit in excluded["hits"]] == others[1:]
    unknown = filled("ask", "Which glaciers shrink the fastest?", "--pin", "nobody")
    assert (unknown.code, unknown.out) == (1, "")
    assert "'nobody'" in unknown.err


def test_a_filter_is_read_and_one_that_does_not_exist_is_refused(filled: Paperchat) -> None:
    run = filled("ask", "glaciers year>=2020")
    assert run.code == 0
    assert "no paper in the library matches year>=2020" in run.out
    refused = filled("search", "auther:Arora glaciers")
    assert (refused.code, refused.out) == (1, "")
    assert "there is no filter auther:" in refused.err


def test_chat_answers_line_by_line_until_an_empty_one(filled: Paperchat) -> None:
    done = filled("chat", stdin=f"{BEES}\nHow large is the loss of ice of the glaciers in the Alps?\n\nnever asked\n")
    assert done.code == 0
    assert done.err == ""
    assert done.out.startswith("3 papers.")
    assert done.out.index("waggle dance") < done.out.index("glaciers") < len(done.out)
    assert "never" not in done.out


def test_chat_ends_with_its_input(filled: Paperchat) -> None:
    assert filled("chat", stdin=BEES).code == 0


def test_chat_understands_a_question_that_leans_on_the_one_before(filled: Paperchat) -> None:
    done = filled("chat", stdin=f"{BEES}\nAnd with what error does the network read it?\n")
    assert "an error of 4 degrees" in done.out.split("> ")[2]


def test_an_error_does_not_end_the_conversation(filled: Paperchat) -> None:
    done = filled("chat", stdin=f"{'why ' * 2000}\n{BEES}\n")
    assert done.code == 0
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("paperchat: question: ")
    assert "waggle dance" in done.out


# doctor, reindex, delete


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version to report, whether or not the package is installed here."""
    monkeypatch.setattr("ui.doctor.version", lambda _: "9.9")


@pytest.mark.usefixtures("installed")
def test_doctor_finds_a_healthy_library_well(filled: Paperchat) -> None:
    done = filled("doctor", "--json")
    assert done.code == 0
    assert done.json["problems"] == []
    assert done.json["papers"] == 3
    assert done.json["version"] == "9.9"
    assert done.json["settings"]["llm"] == "extractive"
    assert filled("doctor").out.endswith("All is well.\n")


@pytest.mark.usefixtures("installed")
def test_doctor_fails_where_something_is_wrong(filled: Paperchat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERCHAT_PAPERZ", "3")
    done = filled("doctor")
    assert done.code == 1
    assert "PROBLEM: PAPERCHAT_PAPERZ is not a setting" in done.out
    assert "PAPERCHAT_PAPERZ" in filled("doctor", "--json").json["problems"][0]


def test_reindex_serves_another_embedder(filled: Paperchat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder(dimension=32))
    refused = filled("ask", BEES)
    assert refused.code == 1
    assert "dimension 64 -> 32" in refused.err
    assert "Run: paperchat reindex" in refused.err
    assert filled("reindex") == Run(0, "3 papers indexed.\n", "")
    assert filled("ask", BEES).code == 0
    assert len(filled("search", BEES, "--json").json["hits"]) == 3


def test_delete_takes_beginnings_of_ids_and_reports_what_is_left(filled: Paperchat) -> None:
    papers = papers_of(filled)
    done = filled("delete", papers["Honey"]["id"][:8], papers["Glaciers"]["id"], papers["Honey"]["id"])
    assert done == Run(0, "2 deleted, 1 papers left.\n", "")
    assert set(papers_of(filled)) == {"Sourdough"}
    assert [hit["paper"]["id"] for hit in filled("search", BEES, "--json").json["hits"]] == [papers["Sourdough"]["id"]]
    assert filled("show", papers["Honey"]["id"]).code == 1


def test_delete_with_one_unknown_id_deletes_nothing(filled: Paperchat) -> None:
    papers = papers_of(filled)
    done = filled("delete", papers["Honey"]["id"], "nobody")
    assert done == Run(1, "", "paperchat: no paper has the id 'nobody'\n")
    assert papers_of(filled) == papers
    assert len(filled("search", BEES, "--json").json["hits"]) == 3


# --if-empty


@pytest.mark.parametrize("verb", [("ask", BEES), ("chat",)])
def test_if_empty_fills_an_empty_library_and_reports_on_standard_error(
    paperchat: Paperchat, papers_file: Path, verb: tuple[str, ...]
) -> None:
    done = paperchat(*verb, "--if-empty", papers_file, stdin=f"{BEES}\n")
    assert done.code == 0
    assert "is empty; reading" in done.err
    assert "3 papers added" in done.err
    assert "added" not in done.out
    assert "waggle dance" in done.out


def test_if_empty_leaves_a_filled_library_alone(filled: Paperchat, tmp_path: Path) -> None:
    done = filled("ask", BEES, "--if-empty", tmp_path / "no-such-folder", "--json")
    assert done.code == 0
    assert done.err == ""
    assert done.json["answered"]


# --batch


def lines(*requests: Any) -> str:
    return "".join(f"{request if isinstance(request, str) else json.dumps(request)}\n" for request in requests)


def replies(done: Run) -> list[Any]:
    return [json.loads(line) for line in done.out.splitlines()]


def test_a_batch_gives_a_line_for_each_line_in_order_with_its_id(filled: Paperchat, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    asked = lines({"id": "b", "question": BEES}, "", {"id": [1], "question": "?"}, {"question": "glaciers"})
    file.write_text(asked, encoding="utf-8")
    from_file, from_input = filled("ask", "--batch", file), filled("ask", "--batch", "-", stdin=asked)
    for done in (from_file, from_input):
        assert (done.code, done.err) == (0, "")
        assert [reply.get("id") for reply in replies(done)] == ["b", [1], None]
        assert [set(reply) - {"id"} for reply in replies(done)] == [ANSWER] * 3
        assert replies(done)[0]["text"] == filled("ask", BEES, "--json").json["text"]


def test_a_bad_line_gives_an_error_in_its_place_and_exit_code_1(filled: Paperchat) -> None:
    bad: list[Any] = [
        "no json",
        "[1]",
        {"id": 1},
        {"id": 2, "question": 3},
        {"id": 3, "questions": "one"},
        {"id": 4, "questions": [1]},
        {"id": 5, "question": "why " * 2000},
    ]
    done = filled("ask", "--batch", "-", stdin=lines(*bad, {"id": 6, "question": BEES}))
    assert (done.code, done.err) == (1, "")
    found = replies(done)
    assert [reply.get("id") for reply in found] == [None, None, 1, 2, 3, 4, 5, 6]
    assert [reply["error"].split(":")[0] for reply in found[:-1]] == [f"line {number}" for number in range(1, 8)]
    assert found[-1]["answered"]


def test_a_batch_of_searches(filled: Paperchat) -> None:
    done = filled("search", "--batch", "-", stdin=lines({"id": 1, "question": BEES}, {"id": 2, "question": ""}))
    assert done.code == 0
    assert [set(reply) for reply in replies(done)] == [SEARCH | {"id"}] * 2
    assert [len(reply["hits"]) for reply in replies(done)] == [3, 0]


def test_in_a_dialog_each_turn_sees_those_before_it(filled: Paperchat) -> None:
    follow_up = "And with what error does the network read it?"
    asked = lines({"id": 1, "questions": [BEES, follow_up]}, {"id": 2, "questions": [follow_up]})
    dialog, alone = replies(filled("ask", "--batch", "-", stdin=asked))
    assert [set(answer) for answer in dialog["answers"]] == [ANSWER] * 2
    assert dialog["answers"][1]["standalone"] == f"{BEES} {follow_up}"
    assert alone["answers"][0]["standalone"] == follow_up


def test_each_reply_of_a_batch_is_printed_before_the_next_line_is_read(
    filled: Paperchat, capsys: pytest.CaptureFixture[str]
) -> None:
    printed: list[str] = []

    class Typist:
        def reconfigure(self, **_: object) -> None:
            """Nothing to do."""

        def __iter__(self) -> Iterator[str]:
            for number in range(3):
                yield lines({"id": number, "question": BEES})
                printed.append(capsys.readouterr().out)

    assert filled("ask", "--batch", "-", stdin=Typist()).code == 0
    assert [json.loads(each)["id"] for each in printed] == [0, 1, 2]


# errors


@pytest.mark.parametrize(
    "wrong",
    [
        ("ask",),
        ("ask", "a question", "--batch", "-"),
        ("search",),
        ("search", "words", "--batch", "-"),
        ("ingest",),
        ("delete",),
        ("show",),
        ("frobnicate",),
        ("list", "--frobnicate"),
        ("search", "words", "--papers", "many"),
    ],
)
def test_a_usage_error_exits_with_2(paperchat: Paperchat, wrong: tuple[str, ...]) -> None:
    done = paperchat(*wrong)
    assert done.code == 2
    assert done.out == ""
    assert "Usage" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("show", "nobody"), "no paper has the id 'nobody'"),
        (("delete", "nobody"), "no paper has the id 'nobody'"),
        (("search", "words", "--papers", "0"), "setting top_k (PAPERCHAT_TOP_K, formerly PAPERCHAT_PAPERS)"),
        (("ask", "why?", "--llm", "nobody/model"), "unknown provider 'nobody'"),
        (("ask", "why?", "--llm", "gpt"), "setting llm (PAPERCHAT_LLM)"),
        (("ask", "--batch", "no-such-file.jsonl"), "no-such-file.jsonl: cannot be read: "),
        (("ask", "--batch", "."), ".: cannot be read: "),
        (("ask", "why " * 2000), "question: 7,999 characters are too many"),
        (("serve", "--port", "99999"), "setting port (PAPERCHAT_PORT)"),
    ],
)
def test_an_error_of_paperchats_is_one_line_on_standard_error_with_exit_code_1(
    filled: Paperchat, arguments: tuple[str, ...], complaint: str
) -> None:
    done = filled(*arguments)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"paperchat: {complaint}")
    assert len(done.err.splitlines()) == 1


# the command itself


def test_without_arguments_it_prints_the_help(paperchat: Paperchat) -> None:
    done = paperchat()
    verbs = ("ingest", "list", "show", "search", "ask", "verify", "chat", "serve", "doctor", "reindex", "delete")
    assert all(f" {verb} " in done.out + done.err for verb in verbs)


@pytest.mark.parametrize("arguments", [("--help",), ("list",), ("conversations",)])
def test_the_help_and_lists_load_no_heavy_library(arguments: tuple[str, ...], tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "ui.cli", *arguments]
    environment = os.environ | {"PAPERCHAT_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in loaded
    heavy = {"torch", "chromadb", "gradio", "llama_index", "sentence_transformers", "tantivy", "scipy", "pylatexenc"}
    assert loaded & heavy == set()
    if arguments == ("--help",):
        assert loaded & {"numpy", "sqlalchemy"} == set()
