"""The clients whose configuration can be written: where it is, in which form, and how the server is started."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assistant.errors import InputError, NotFoundError
from assistant.serialization import Json
from ui.mcp.config_text import add_to_json, add_to_toml, json_section, toml_section, toml_table

ENTRY = "paperchat"

Locate = Callable[[Path, str, Mapping[str, str]], Path]


@dataclass(frozen=True, slots=True)
class McpClient:
    """A client; `locate` returns its file from the home directory, the platform and the environment.

    Entries are below `section`; `fixed` is what each entry has besides the command.
    """

    name: str
    title: str
    locate: Locate
    section: str = "mcpServers"
    fixed: tuple[tuple[str, str], ...] = ()
    is_toml: bool = False

    def entry(self, command: Sequence[str]) -> Json:
        """Return the entry that starts the server by this command."""
        return {**dict(self.fixed), "command": command[0], "args": list(command[1:])}

    def snippet(self, command: Sequence[str]) -> str:
        """Return the text to paste into the configuration."""
        entry = self.entry(command)
        if self.is_toml:
            return toml_table(self.section, ENTRY, entry)
        return json.dumps({self.section: {ENTRY: entry}}, indent=2, ensure_ascii=False)

    def edited(self, text: str, command: Sequence[str]) -> str:
        """Return the text of the configuration with the entry. Raises ValueError where it cannot be parsed."""
        add = add_to_toml if self.is_toml else add_to_json
        return add(text, self.section, ENTRY, self.entry(command))

    def has_entry(self, file: Path) -> bool:
        """Return whether the file has an entry of that name; one that cannot be read or parsed has none."""
        try:
            text = file.read_text(encoding="utf-8-sig")
            entries = (toml_section if self.is_toml else json_section)(text, self.section)
        except (OSError, ValueError, RecursionError):
            return False
        return ENTRY in entries


@dataclass(frozen=True, slots=True)
class Installation:
    """What has been written: the file, and the backup of what it was; no backup of a file that is new or unchanged."""

    file: Path
    backup: Path | None
    changed: bool


def _application_data(folder: str, file: str) -> Locate:
    """Return what locates a file among the application data of a user."""

    def locate(home: Path, platform: str, environment: Mapping[str, str]) -> Path:
        if platform == "darwin":
            return home / "Library" / "Application Support" / folder / file
        if platform == "win32":
            return Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / folder / file
        return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / folder / file

    return locate


def _codex(home: Path, _: str, environment: Mapping[str, str]) -> Path:
    return Path(environment.get("CODEX_HOME") or home / ".codex") / "config.toml"


CLIENTS = (
    McpClient("claude", "Claude Desktop", _application_data("Claude", "claude_desktop_config.json")),
    McpClient("vscode", "VS Code", _application_data("Code", "User/mcp.json"), "servers", (("type", "stdio"),)),
    McpClient("cursor", "Cursor", lambda home, *_: home / ".cursor" / "mcp.json"),
    McpClient("lmstudio", "LM Studio", lambda home, *_: home / ".lmstudio" / "mcp.json"),
    McpClient("codex", "Codex", _codex, "mcp_servers", is_toml=True),
)


def client_named(name: str) -> McpClient:
    """Return the client of this name. Raises NotFoundError."""
    for client in CLIENTS:
        if client.name == name:
            return client
    raise NotFoundError(f"no client is called {name!r}; there are {', '.join(client.name for client in CLIENTS)}")


def configuration_file(client: McpClient) -> Path:
    """Return the client's file for the user of this process."""
    return client.locate(Path.home(), sys.platform, os.environ)


def configured() -> list[str]:
    """Return the titles of the clients of this user whose configuration has the server."""
    return [client.title for client in CLIENTS if client.has_entry(configuration_file(client))]


def launch_command(options: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Return the command that starts the server, by whole paths: clients rarely have the PATH of a shell."""
    program = shutil.which(sys.argv[0])
    if program and Path(program).stem == ENTRY:
        return [str(Path(program).absolute()), *options, "mcp", *arguments]
    return [sys.executable, "-m", "ui.cli", *options, "mcp", *arguments]


def install(client: McpClient, file: Path, command: Sequence[str]) -> Installation:
    """Write the entry into the configuration, after a backup. Raises InputError where that would break the file."""
    target = Path(os.path.realpath(file))  # a file that is linked to stays one
    try:
        # Line ends are the client's.
        text = target.read_bytes().decode("utf-8") if target.exists() else ""
        edited = client.edited(text, command)
        if edited == text:
            return Installation(file, None, False)
        backup = _back_up(target) if target.exists() else None
        _replace(target, edited)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(str(file), f"is left as it is, because it cannot be edited safely: {error}") from error
    return Installation(file, backup, True)


def _back_up(file: Path) -> Path:
    now = datetime.now().astimezone()
    backup = file.with_name(f"{file.name}.backup-{now:%Y%m%d-%H%M%S-%f}")
    shutil.copy2(file, backup)
    return backup


def _replace(file: Path, text: str) -> None:
    """Write a file as a whole or not at all, with the permissions that it had."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode("utf-8"))
        if file.exists():
            shutil.copymode(file, name)
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def options_of(home: Path | None, library: str | None, embedder: str | None) -> list[str]:
    """Return the options by which the server opens the same library. Raises InputError for a relative embedder."""
    if embedder and Path(embedder).exists() and not Path(embedder).is_absolute():
        raise InputError("--embedder", f"give the whole path of {embedder}, as clients start the server elsewhere")
    chosen = {"--home": str(home.absolute()) if home else None, "--library": library, "--embedder": embedder}
    return [part for name, value in chosen.items() if value for part in (name, value)]
