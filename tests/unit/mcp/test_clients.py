"""The configuration of clients: edited in place, backed up, and never broken."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.settings import Settings
from tests.conftest import ROOT, Paperchat
from ui.mcp.clients import CLIENTS, client_named, configured, launch_command
from ui.mcp.config_text import add_to_json, add_to_toml

COMMAND = ["/opt/paper chat/bin/paperchat", "--library", "nlp", "mcp"]
NAMES = [client.name for client in CLIENTS]
ENTRY = {"command": COMMAND[0], "args": COMMAND[1:]}
VS_CODE = """{
\t// servers of the team
\t"servers": {
\t\t"github": {"url": "https://api.example.com/mcp", /* "x": 1 */},
\t},
\t"inputs": [], // "servers": {}
}
"""
CODEX = """model = "gpt-5" # the best

[mcp_servers.docs]
command = "docs"
args = ["[mcp_servers.paperchat]"]

[tui]
notifications = true
"""


def test_comments_and_everything_else_stay_in_json_with_comments() -> None:
    edited = client_named("vscode").edited(VS_CODE, COMMAND)
    entry = '\t\t"paperchat": {\n\t\t\t"type": "stdio",\n\t\t\t"command": "/opt/paper chat/bin/paperchat",\n'
    assert entry in edited
    assert [line for line in VS_CODE.splitlines() if line not in edited.splitlines()] == []


def test_comments_and_everything_else_stay_in_toml() -> None:
    edited = client_named("codex").edited(CODEX, COMMAND)
    assert edited.startswith(CODEX.rstrip())
    assert tomllib.loads(edited)["mcp_servers"] == tomllib.loads(CODEX)["mcp_servers"] | {"paperchat": ENTRY}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_file_gets_the_entry_alone(name: str, text: str) -> None:
    client = client_named(name)
    edited = client.edited(text, COMMAND)
    parsed = tomllib.loads(edited) if client.is_toml else json.loads(edited)
    assert parsed == {client.section: {"paperchat": client.entry(COMMAND)}}
    assert client.snippet(COMMAND) in edited


@pytest.mark.parametrize("name", NAMES)
def test_an_edit_replaces_an_earlier_one_and_keeps_what_the_user_added_to_it(name: str) -> None:
    client = client_named(name)
    first = client.edited("", ["old", "mcp"])
    mine = first.replace('"mcp"', '"mcp", "--llm"')
    if client.is_toml:
        mine += '\n[mcp_servers.paperchat.env]\nPAPERCHAT_LLM = "ollama/llama3.2"\n\n[tui]\nx = 1\n'
    else:
        mine = mine.replace('"command"', '"env": {"PAPERCHAT_LLM": "ollama/llama3.2"}, "command"')
    edited = client.edited(mine, COMMAND)
    parsed = tomllib.loads(edited) if client.is_toml else json.loads(edited)
    expected = client.entry(COMMAND) | {"env": {"PAPERCHAT_LLM": "ollama/llama3.2"}}
    assert parsed[client.section] == {"paperchat": expected}
    assert client.edited(edited, COMMAND) == edited


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=4),
    st.dictionaries(st.text(max_size=5) | st.just("paperchat"), st.dictionaries(st.text(), JSON_VALUES, max_size=2)),
    st.sampled_from([None, 1, 4, "\t"]),
    st.booleans(),
)
def test_any_json_says_what_it_said_and_the_entry(
    others: dict[str, object], servers: dict[str, dict[str, object]], indent: int | str | None, has_section: bool
) -> None:
    document = {name: value for name, value in others.items() if name != "mcpServers"}
    if has_section:
        document["mcpServers"] = servers
    edited = json.loads(add_to_json(json.dumps(document, indent=indent), "mcpServers", "paperchat", ENTRY))
    kept = servers if has_section else {}
    assert edited == document | {"mcpServers": kept | {"paperchat": kept.get("paperchat", {}) | ENTRY}}


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "null", '{"mcpServers": []}', '{"mcpServers": {"paperchat": 3}}', "{'a': 1}", "\x00", "[" * 5000],
)
def test_what_is_no_configuration_in_json_is_refused(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        add_to_json(text, "mcpServers", "paperchat", ENTRY)


@pytest.mark.parametrize(
    "text",
    ["a = ", "mcp_servers = 3", "mcp_servers = {docs = {command = 'docs'}}", 'a = """\n[mcp_servers.paperchat]\n"""'],
)
def test_what_is_no_configuration_in_toml_is_refused_or_kept(text: str) -> None:
    try:
        edited = add_to_toml(text, "mcp_servers", "paperchat", ENTRY)
    except ValueError:
        return
    assert tomllib.loads(edited) == tomllib.loads(text) | {"mcp_servers": {"paperchat": ENTRY}}


def test_windows_line_ends_and_a_byte_order_mark_stay() -> None:
    edited = add_to_json('\ufeff{\r\n    "a": 1\r\n}\r\n', "mcpServers", "paperchat", ENTRY)
    assert edited.startswith("\ufeff{\r\n    ")
    assert "\n" not in edited.replace("\r\n", "")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_written_unless_asked_for(paperchat: Paperchat, tmp_path: Path, name: str) -> None:
    file = tmp_path / "client" / "config"
    run = paperchat("--library", "nlp", "mcp", "install", name, "--file", file)
    assert run.code == 0
    assert not file.parent.exists()
    assert str(file) in run.err
    assert "--library" in run.out
    assert "mcp" in run.out


def test_the_library_of_the_environment_is_the_one_that_a_client_opens(
    paperchat: Paperchat, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("PAPERCHAT_LIBRARY", "nlp")
    arguments = json.loads(paperchat("mcp", "install", "claude").out)["mcpServers"]["paperchat"]["args"]
    assert arguments[-5:] == ["--home", str(settings.home), "--library", "nlp", "mcp"]


@pytest.mark.parametrize("name", NAMES)
def test_written_configurations_are_backed_up_and_keep_their_permissions(
    paperchat: Paperchat, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "client"
    folder.mkdir()
    file, text = folder / "config", CODEX if name == "codex" else VS_CODE
    file.write_text(text)
    file.chmod(0o600)
    link = folder / "link"
    link.symlink_to(file)
    assert paperchat("mcp", "install", name, "--write", "--file", link).code == 0
    assert link.is_symlink()
    assert "paperchat" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [backup.read_text() for backup in folder.glob("config.backup-*")] == [text]
    assert "already" in paperchat("mcp", "install", name, "--write", "--file", link).out
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("content", [b"{ not json", b"\xff\xfe{}", b"model = ", b"[]"])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_cannot_be_parsed_is_left_alone_and_what_to_paste_is_printed(
    paperchat: Paperchat, tmp_path: Path, name: str, content: bytes
) -> None:
    file = tmp_path / "config"
    file.write_bytes(content)
    run = paperchat("mcp", "install", name, "--write", "--file", file)
    if run.code:  # a few of these are valid in one of the formats
        assert file.read_bytes() == content
        assert "is left as it is" in run.err
        assert "Traceback" not in run.err
        assert '"mcp"' in run.out
    else:
        tomllib.loads(file.read_text())
    assert run.code or name == "codex"


def test_doctor_names_the_clients_that_have_the_server(
    paperchat: Paperchat, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name, value in (("HOME", str(tmp_path)), ("XDG_CONFIG_HOME", ""), ("CODEX_HOME", "")):
        monkeypatch.setenv(name, value)
    assert configured() == []
    for name in NAMES[1:]:
        assert paperchat("mcp", "install", name, "--write").code == 0
    client_named("claude").locate(tmp_path, "linux", {}).parent.mkdir(parents=True)
    client_named("claude").locate(tmp_path, "linux", {}).write_text("{ no json")
    assert configured() == ["VS Code", "Cursor", "LM Studio", "Codex"]
    assert paperchat("doctor", "--json").json["assistants"] == "VS Code, Cursor, LM Studio, Codex"


def test_a_folder_that_cannot_be_written_is_reported(paperchat: Paperchat, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = paperchat("mcp", "install", "claude", "--write", "--file", tmp_path / "file" / "config.json")
    assert run.code == 1
    assert run.err.count("\n") == 2


def test_an_unknown_client_is_answered_with_those_that_are_known(paperchat: Paperchat) -> None:
    run = paperchat("mcp", "install", "emacs")
    assert run.code == 1
    assert "claude, vscode, cursor, lmstudio, codex" in run.err


@pytest.mark.parametrize(
    ("name", "platform", "path"),
    [
        ("claude", "darwin", "/h/Library/Application Support/Claude/claude_desktop_config.json"),
        ("claude", "win32", "/h/AppData/Roaming/Claude/claude_desktop_config.json"),
        ("claude", "linux", "/h/.config/Claude/claude_desktop_config.json"),
        ("vscode", "darwin", "/h/Library/Application Support/Code/User/mcp.json"),
        ("vscode", "linux", "/h/.config/Code/User/mcp.json"),
        ("cursor", "linux", "/h/.cursor/mcp.json"),
        ("lmstudio", "win32", "/h/.lmstudio/mcp.json"),
        ("codex", "linux", "/h/.codex/config.toml"),
    ],
)
def test_each_client_has_its_file_where_its_documentation_says(name: str, platform: str, path: str) -> None:
    assert PurePosixPath(client_named(name).locate(Path("/h"), platform, {})) == PurePosixPath(path)


def test_the_command_of_a_configuration_starts_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["paperchat"])
    monkeypatch.setenv("PATH", "")
    command = launch_command(["--home", str(tmp_path)], [])
    assert command[0] == sys.executable
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=60, check=False, env=os.environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_skill_names_only_tools_and_commands_that_exist(paperchat: Paperchat) -> None:
    from ui.mcp.tools import TOOLS

    text = paperchat("mcp", "skill").out
    assert text.startswith("---\nname: paperchat\ndescription: ")
    names = {tool.name for tool in TOOLS}
    assert {word for word in ("ask", "search", "similar", "list", "fetch", "verify") if f"`{word}`" in text} <= names


def test_the_entry_of_the_registry_keeps_the_rules_of_its_schema() -> None:
    """Check what the schema of 2025-12-11 requires of the fields that the entry has, and that it has no others."""
    entry = json.loads((ROOT / "docs" / "server.json").read_text(encoding="utf-8"))
    assert set(entry) == {"$schema", "name", "title", "description", "version", "packages"}
    assert entry["$schema"] == "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", entry["name"])
    assert 3 <= len(entry["name"]) <= 200
    assert entry["name"].startswith("io.github.")
    assert 1 <= len(entry["title"]) <= 100
    assert 1 <= len(entry["description"]) <= 100
    for package in entry["packages"]:
        assert {"registryType", "identifier", "version", "transport"} <= set(package)
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"]), "one release, neither a range nor latest"
        assert package["transport"] == {"type": "stdio"}
        assert all({"type", "value"} <= set(argument) for argument in package["packageArguments"])
        for variable in package["environmentVariables"]:
            assert set(variable) <= {"name", "description", "format", "isRequired", "isSecret", "default"}
            assert variable.get("format", "string") in ("string", "number", "boolean", "filepath")


def test_the_entry_of_the_registry_has_the_version_and_the_name_of_this_package() -> None:
    entry = json.loads((ROOT / "docs" / "server.json").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = entry["packages"][0]
    assert entry["version"] == package["version"] == project["version"]
    assert package["identifier"] == project["name"]
    assert len(entry["description"]) <= 100
    # The registry looks for this line in the description of the package.
    assert f"mcp-name: {entry['name']}" in (ROOT / project["readme"]).read_text(encoding="utf-8")
