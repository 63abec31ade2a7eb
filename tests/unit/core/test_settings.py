"""Settings: where they come from, and what is refused."""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs
import pytest
from pydantic import ValidationError

from assistant.errors import SettingsError
from assistant.settings import RENAMED, Settings, changed, deprecated_names, load, unknown_variables
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory, a home and an environment of the test's own; returns the home."""
    for name in [name for name in os.environ if name.upper().startswith("PAPERCHAT_")]:
        monkeypatch.delenv(name)
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "default")
    monkeypatch.setenv("PAPERCHAT_HOME", str(home))
    return home


def write(folder: Path, text: str) -> None:
    (folder / "paperchat.toml").write_text(text, encoding="utf-8")


def test_each_source_outranks_those_behind_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().top_k == 10
    write(home, "top_k = 1")
    assert load().top_k == 1
    write(Path.cwd(), "top_k = 2")
    assert load().top_k == 2
    monkeypatch.setenv("PAPERCHAT_TOP_K", "3")
    assert load().top_k == 3
    assert load(top_k=4).top_k == 4


def test_sources_are_taken_setting_by_setting(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "top_k = 1\nport = 1000")
    write(Path.cwd(), "top_k = 2\nstatements = 2")
    monkeypatch.setenv("PAPERCHAT_MAX_SENTENCES", "5")
    found = load(candidates=50)
    assert (found.top_k, found.port, found.max_sentences, found.candidates) == (2, 1000, 5, 50)


def test_an_option_that_was_not_given_is_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERCHAT_LLM", "ollama/llama3.2")
    assert load(llm=None, home=None).llm == "ollama/llama3.2"


def test_home_comes_from_the_environment_or_is_the_platforms(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load().home == home
    monkeypatch.delenv("PAPERCHAT_HOME")
    assert load().home == tmp_path / "default"


def test_the_file_of_the_library_named_on_the_command_line_is_read(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other, "top_k = 7")
    assert load(home=other).top_k == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("top_k", "0"),
        ("top_k", "1001"),
        ("top_k", "ten"),
        ("top_k", ""),
        ("candidates", "0"),
        ("dense_weight", "1.1"),
        ("dense_weight", "-0.1"),
        ("dense_weight", "nan"),
        ("reranker", ""),
        ("rerank_top_k", "0"),
        ("rerank_weight", "1.1"),
        ("max_sentences", "0"),
        ("firm_threshold", "2"),
        ("tentative_threshold", "-1"),
        ("max_question_length", "99"),
        ("max_prompt_tokens", "499"),
        ("max_output_tokens", "15"),
        ("first_token_timeout", "0"),
        ("token_timeout", "nan"),
        ("total_timeout", "inf"),
        ("retries", "-1"),
        ("port", "65536"),
        ("store_tenant", ""),
        ("store_database", "a/b"),
        ("store_timeout", "0"),
        ("store_shards", "0"),
        ("store_shards", "65"),
        ("verify", "sometimes"),
        ("verify", ""),
        ("llm", "gpt-4o"),
        ("llm", ""),
        ("llm", "openai/"),
        ("embedder", ""),
    ],
)
def test_a_value_out_of_range_is_refused_in_one_line_that_names_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"PAPERCHAT_{name.upper()}", value)
    variable = rf"PAPERCHAT_{name.upper()}(, formerly PAPERCHAT_[A-Z_]+)?"
    with pytest.raises(SettingsError, match=rf"setting {name} \({variable}\).*{re.escape(value)}") as no:
        load()
    assert "\n" not in str(no.value)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://chroma.example.org/", "https://chroma.example.org"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://example.org:8443/chroma/", "https://example.org:8443/chroma"),
    ],
)
def test_the_store_is_the_address_of_a_server(given: str, kept: str) -> None:
    assert load(store=given).store == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "localhost:8000",
        "ftp://host:8000",
        "/var/chroma",
        "http://",
        "http://host:x",
        "http://host:99999",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_refused_in_one_line_that_shows_it(given: str) -> None:
    with pytest.raises(
        SettingsError, match=r"setting store \(PAPERCHAT_STORE\).*is not the address of a server"
    ) as refused:
        load(store=given)
    assert repr(given) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        "http://ann:hunter2@host:8000",
        "http://hunter2@host:8000",
        "http://host:8000?token=hunter2",
        "http://host:8000/#hunter2",
        "http://ann:hunter2@host:x",
        "ftp://ann:hunter2@host?hunter2",
        "http://ann:hunt@er2@host:8000",
    ],
)
def test_a_secret_in_the_address_is_refused_and_not_shown(given: str) -> None:
    with pytest.raises(SettingsError, match=r"setting store \(PAPERCHAT_STORE\)") as refused:
        load(store=given)
    assert not re.search("hunter2|er2|ann", str(refused.value))


@pytest.mark.parametrize("given", ["", "hunter2 ", "hunter2\nX-Other: 1", "hunter2é"])
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERCHAT_STORE_TOKEN", given)
    with pytest.raises(SettingsError, match=r"setting store_token \(PAPERCHAT_STORE_TOKEN\)") as refused:
        load()
    assert "hunter2" not in str(refused.value)


def test_a_token_is_nowhere_in_the_settings_as_they_are_printed_or_kept() -> None:
    settings = load(**{"store_token": "hunter2"})
    assert settings.store_token is not None
    assert settings.store_token.get_secret_value() == "hunter2"
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump(mode='json')} {settings.model_dump_json()}"
    assert load(**settings.model_dump()) == settings


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERCHAT_TOP_K", "0")
    monkeypatch.setenv("PAPERCHAT_PORT", "-1")
    with pytest.raises(SettingsError, match=r"top_k .*; .*port "):
        load()


def test_a_misspelt_option_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="setting top_kk"):
        load(top_kk=3)


@pytest.mark.parametrize(
    ("text", "named"),
    [("dense_wieght = 0.5", "dense_wieght"), ("[retrieval]\npapers = 3", "retrieval"), ("top_k = [3]", "top_k")],
)
def test_a_wrong_key_in_the_file_is_refused_in_one_line_that_names_it(text: str, named: str) -> None:
    write(Path.cwd(), text)
    with pytest.raises(SettingsError, match=f"setting {named} ") as refused:
        load()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"top_k = ", b"top_k: 3", b"\xff\xfe", b'llm = "a\n"', b"\0"])
def test_a_broken_file_is_refused_in_one_line_that_names_it(content: bytes) -> None:
    (Path.cwd() / "paperchat.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"paperchat\.toml") as refused:
        load()
    assert "\n" not in str(refused.value)


def test_a_home_that_links_to_itself_has_no_file(tmp_path: Path) -> None:
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    settings = load(home=circle)
    assert (settings.top_k, deprecated_names(settings)) == (10, [])


def test_a_folder_in_the_place_of_the_file_is_passed_over() -> None:
    (Path.cwd() / "paperchat.toml").mkdir()
    assert load().top_k == 10


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load().top_k = 3


def test_variables_that_name_no_setting_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unknown_variables() == []
    monkeypatch.setenv("PAPERCHAT_TOP_K", "3")
    monkeypatch.setenv("PAPERCHAT_DENSE_WIEGHT", "0.5")
    monkeypatch.setenv("paperchat_llmm", "x")
    monkeypatch.setenv("PAPERCHATTER", "somebody else's")
    assert unknown_variables() == ["PAPERCHAT_DENSE_WIEGHT", "paperchat_llmm"]


def test_variables_that_the_project_reads_itself_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [file for package in ("assistant", "ingest", "ui", "eval") for file in (ROOT / package).rglob("*.py")]
    texts = [file.read_text(encoding="utf-8") for file in files]
    for name in {name for text in texts for name in re.findall(r"\bPAPERCHAT_[A-Z_]*[A-Z]\b", text)}:
        monkeypatch.setenv(name, "anything")
    assert unknown_variables() == []


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_earlier_name_is_accepted_wherever_the_new_one_is(
    old: str, new: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = 1 if new.endswith("_threshold") else 1000 if "length" in new or "tokens" in new else 3
    assert old not in Settings.model_fields
    write(home, f"{old} = {value}")
    assert getattr(load(), new) == value
    write(home, "")
    monkeypatch.setenv(f"PAPERCHAT_{old.upper()}", str(value))
    assert getattr(load(), new) == value
    monkeypatch.delenv(f"PAPERCHAT_{old.upper()}")
    assert getattr(load(**{old: value}), new) == getattr(changed(load(), **{old: value}), new) == value
    assert getattr(load(), new) == Settings.model_fields[new].default


def test_where_both_names_are_given_the_new_one_counts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(papers=3, top_k=4).top_k == 4
    write(home, "top_k = 5\npapers = 6")
    assert load().top_k == 5
    monkeypatch.setenv("PAPERCHAT_PAPERS", "7")
    assert load().top_k == 7, "a variable under its old name still outranks a file"
    monkeypatch.setenv("PAPERCHAT_TOP_K", "8")
    assert load().top_k == 8


def test_a_wrong_value_under_an_earlier_name_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"setting top_k \(PAPERCHAT_TOP_K, formerly PAPERCHAT_PAPERS\).*0"):
        load(papers=0)


def test_the_earlier_names_in_use_are_listed_with_the_new_ones(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert deprecated_names(load()) == []
    monkeypatch.setenv("paperchat_papers", "7")
    monkeypatch.setenv("PAPERCHAT_STATEMENTS", "2")
    monkeypatch.setenv("PAPERCHAT_MAX_SENTENCES", "3")
    write(home, "reply_tokens = 100")
    write(Path.cwd(), "papers = 2\ntop_k = 3")
    assert list(map(str, deprecated_names(load(library="ice")))) == [
        "PAPERCHAT_PAPERS is now called PAPERCHAT_TOP_K; the old name still works",
        "PAPERCHAT_STATEMENTS is ignored, because PAPERCHAT_MAX_SENTENCES, its new name, is set too",
        f"papers in {Path.cwd() / 'paperchat.toml'} is ignored, because top_k, its new name, is set too",
        f"reply_tokens in {home / 'paperchat.toml'} is now called max_output_tokens; the old name still works",
    ]


def test_no_setting_holds_a_key() -> None:
    assert not [name for name in Settings.model_fields if re.search("key|secret|password|api", name)]


def test_settings_that_are_changed_keep_the_library_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERCHAT_LIBRARY", "ice")
    named = load(home=tmp_path)
    other = changed(named, top_k=3)
    assert (other.home, other.library, other.top_k) == (tmp_path / "libraries" / "ice", "ice", 3)
    with pytest.raises(SettingsError, match="PAPERCHAT_TOP_K"):
        changed(named, top_k=0)


def test_what_all_libraries_have_in_common_lies_beside_them(tmp_path: Path) -> None:
    assert load(home=tmp_path, library="ice").shared == load(home=tmp_path).shared == tmp_path
