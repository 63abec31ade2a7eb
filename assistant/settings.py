"""Every setting, in one frozen object that is passed as an argument.

Precedence: command line, then `PAPERCHAT_*` variables, then `paperchat.toml` in the working directory, then
`paperchat.toml` in the library's directory, then the defaults below. Keys of hosted providers stay in the providers'
own variables and are never settings of paperchat.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from assistant.errors import SettingsError

PREFIX = "PAPERCHAT_"
TOML = "paperchat.toml"
# The directory of named libraries, below the home.
LIBRARIES = "libraries"
# The most collections over which a store on a Chroma server may be spread.
MAX_SHARDS = 64
# Earlier names of settings. They are accepted wherever the new names are.
RENAMED = {
    "papers": "top_k",
    "reranked": "rerank_top_k",
    "statements": "max_sentences",
    "prompt_tokens": "max_prompt_tokens",
    "reply_tokens": "max_output_tokens",
    "question_limit": "max_question_length",
    "firm_from": "firm_threshold",
    "tentative_from": "tentative_threshold",
}

Value = TypeVar("Value")


def default_home() -> Path:
    """Return the platform's data directory, which is used where `PAPERCHAT_HOME` is not set."""
    return platformdirs.user_data_path("paperchat", appauthor=False)


class Settings(BaseSettings):
    """The effective settings. The field descriptions are the settings table of the documentation."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    home: Path = Field(
        default_factory=default_home, description="directory of the library, its conversations and its models"
    )
    library: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="name of a separate library below `home`: lower-case letters, digits and hyphens",
    )
    database: SecretStr | None = Field(
        default=None,
        description="address of a PostgreSQL database, `postgresql+psycopg://user:password@host/database`, that takes "
        "the catalog, the conversations and the word vectors of a library which several machines share; needs `store` "
        "and `paperchat[postgres]`; it is never shown",
    )
    database_timeout: float = Field(
        default=300, gt=0, le=3600, description="seconds of silence after which the PostgreSQL server counts as lost"
    )
    store: str | None = Field(
        default=None,
        description="address of a Chroma server for the vectors, `http://host:port`; by default they are stored in the "
        "library's directory",
    )
    store_token: SecretStr | None = Field(
        default=None, description="access token of the Chroma server; it is never shown"
    )
    store_tenant: str = Field(default="default_tenant", pattern=r"^[^\s/]+$", description="tenant on the Chroma server")
    store_database: str = Field(
        default="default_database", pattern=r"^[^\s/]+$", description="database of that tenant; it must exist"
    )
    store_timeout: float = Field(default=30, gt=0, le=3600, description="seconds to wait for the Chroma server")
    store_shards: int = Field(
        default=1,
        ge=1,
        le=MAX_SHARDS,
        description="collections over which a new store on the Chroma server is spread; `reindex` applies a change",
    )
    embedder: str = Field(
        default="all-MiniLM-L6-v2",
        min_length=1,
        description="sentence-transformers model: the packaged default, a folder, or a hub name",
    )
    embedder_revision: str | None = Field(default=None, description="hub revision (tag or commit) of the embedder")
    engine: str = Field(
        default="auto",
        pattern=r"^(auto|float32|medium|bfloat16|float16|openvino|openvino-int8)$",
        description="how the embedder is computed: `float32` (the packaged one by onnxruntime), `openvino` and "
        "`openvino-int8` (need `paperchat[fast]`), or by PyTorch `medium` (other kernels), `bfloat16`, `float16` "
        "(GPUs); `auto` times them once and takes the fastest whose vectors agree with `float32`",
    )
    query_prompt: str | None = Field(default=None, description="prefix of a question when it is embedded")
    document_prompt: str | None = Field(default=None, description="prefix of a chunk when it is embedded")
    chunk_tokens: int | None = Field(
        default=None, ge=32, description="maximum word-pieces of a chunk; by default the embedder's own limit"
    )
    llm: str = Field(
        default="extractive",
        pattern=r"^(extractive|[a-z]+/.+)$",
        description="language model that writes the answer, `provider/model`; `extractive` quotes without a model",
    )
    prompts: Path | None = Field(default=None, description="folder of prompt templates that replace the packaged ones")
    templates: str = Field(
        default="auto",
        pattern=r"^(auto|small|full)$",
        description="packaged set of prompt templates: `small` is for models that read about 2,000 tokens, `full` for "
        "others; `auto` takes `small` where a prompt may have fewer than 2,000 tokens",
    )
    max_prompt_tokens: int = Field(
        default=3000, ge=500, le=1_000_000, description="maximum tokens of a prompt to the language model"
    )
    max_output_tokens: int = Field(
        default=2000, ge=16, le=100_000, description="maximum tokens of a reply of the language model"
    )
    first_token_timeout: float = Field(
        default=300, gt=0, le=86_400, description="seconds to wait for the first token of the language model"
    )
    token_timeout: float = Field(default=60, gt=0, le=86_400, description="seconds to wait from one token to the next")
    total_timeout: float = Field(default=900, gt=0, le=86_400, description="seconds to wait for a whole reply")
    retries: int = Field(
        default=3,
        ge=0,
        le=20,
        description="times that a request to a busy, failing or unreachable language model is repeated, with pauses",
    )
    rewrite: bool = Field(
        default=False, description="let the language model rewrite follow-up questions as standalone questions"
    )
    strategy: str = Field(
        default="single",
        pattern=r"^(single|best-of-n|self-moa|refine)$",
        description="how a language model writes an answer: `single` reply, `best-of-n` drafts of which the supported "
        "sentences stay, `self-moa` (drafts put together by one more call), `refine` (unsupported sentences written "
        "again)",
    )
    samples: int = Field(default=4, ge=1, le=16, description="most drafts of `best-of-n` and `self-moa`")
    sample_temperature: float = Field(
        default=0.7, gt=0, le=2, description="temperature of every draft of these after the first"
    )
    strategy_tokens: int = Field(
        default=40_000,
        ge=0,
        le=10_000_000,
        description="tokens, read and written, after which a strategy makes no further call and stops a running one",
    )
    strategy_timeout: float = Field(default=600, gt=0, le=86_400, description="... and the seconds after which it does")
    nli: str | None = Field(
        default=None,
        min_length=1,
        description="entailment cross-encoder that also checks claims: a folder or a hub name; none by default",
    )
    verify: str = Field(
        default="normal",
        pattern=r"^(strict|normal|off)$",
        description="treatment of a language model's sentences that no abstract supports: `normal` marks them, "
        "`strict` replaces them by quotations of the nearest passages, `off` skips the check",
    )
    top_k: int = Field(default=10, ge=1, le=1000, description="papers that a search returns")
    candidates: int = Field(default=100, ge=1, le=1000, description="papers that each index contributes before fusion")
    dense_weight: float = Field(default=0.5, ge=0, le=1, description="weight of the vector score in the fused score")
    reranker: str = Field(
        default="late-interaction",
        min_length=1,
        description="re-ranker of the best candidates: `late-interaction` compares the embedder's word vectors; "
        "`none`; or a sentence-transformers cross-encoder: a folder, or a hub name",
    )
    rerank_top_k: int = Field(default=50, ge=1, le=1000, description="papers that the re-ranker scores")
    rerank_weight: float = Field(default=0.6, ge=0, le=1, description="weight of the re-ranker in the score")
    max_sentences: int = Field(default=4, ge=1, le=10, description="maximum sentences of an extractive answer")
    firm_threshold: float = Field(default=0.2, ge=0, le=1, description="confidence from which an answer is firm")
    tentative_threshold: float = Field(
        default=0.05, ge=0, le=1, description="confidence below which there is no answer"
    )
    max_question_length: int = Field(default=4000, ge=100, le=100_000, description="maximum characters of a question")
    arxiv_url: str = Field(
        default="https://export.arxiv.org/api/query",
        pattern=r"^https?://",
        description="address of arXiv's API, or of a mirror; used only to add papers by name, and by `watch run` and "
        "`retractions --online`",
    )
    doi_url: str = Field(
        default="https://doi.org",
        pattern=r"^https?://",
        description="address of the DOI resolver; used only to add papers by name",
    )
    zotero_url: str = Field(
        default="http://127.0.0.1:23119/api",
        pattern=r"^https?://",
        description="address of the API of a running Zotero; used only by `paperchat add zotero:` and the page",
    )
    zotero_directory: Path | None = Field(
        default=None,
        description="Zotero's data directory, with `zotero.sqlite`; by default the one that Zotero uses",
    )
    crossref_url: str = Field(
        default="https://api.crossref.org",
        pattern=r"^https?://",
        description="address of Crossref's API; used only by `paperchat retractions --online`",
    )
    openalex_url: str = Field(
        default="https://api.openalex.org",
        pattern=r"^https?://",
        description="address of OpenAlex's API; used only by `paperchat retractions --online`",
    )
    contact: str = Field(
        default="",
        max_length=200,
        pattern=r"^[!-~]*$",
        description="e-mail address by which services can reach you if your requests trouble them; sent with each "
        "request",
    )
    watch_hours: float = Field(
        default=0,
        ge=0,
        le=24 * 31,
        description="hours between two runs of the watches while the page or the API is served; 0 runs none",
    )
    port: int = Field(
        default=7860,
        ge=0,
        le=65535,
        description="port of the page; if it is taken, the next free one is used",
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="address that the page listens on; any but this machine's own requires `auth`",
    )
    auth: Path | None = Field(
        default=None, description="file of the users who may log in to the page, as `paperchat user` writes it"
    )
    shutdown_seconds: float = Field(
        default=10,
        ge=0,
        le=3600,
        description="seconds that a server which is stopped gives to the answers that it is writing",
    )
    requests_per_minute: int = Field(
        default=120,
        ge=1,
        le=1_000_000,
        description="requests to the API that one token, or one user, may send a minute",
    )

    mcp_add: bool = Field(default=False, description="let MCP clients add papers to the library")
    log: str | None = Field(
        default=None,
        pattern=r"^(debug|info)$",
        description="level of the log on standard error, `info` or `debug`; silent by default",
    )
    log_format: str = Field(
        default="text",
        pattern=r"^(text|json)$",
        description="form of the log: lines of `text`, or of `json` for what collects logs",
    )
    log_questions: bool = Field(default=False, description="include the text of questions in the log")

    @field_validator("database")
    @classmethod
    def _validate_database(cls, address: SecretStr | None) -> SecretStr | None:
        if address is None:
            return None
        text = re.sub("^postgres(ql)?://", "postgresql+psycopg://", address.get_secret_value())
        if not re.fullmatch(r"postgresql\+psycopg://\S*", text):
            raise ValueError("it must be postgresql+psycopg://user:password@host:port/database")
        return SecretStr(text)

    @field_validator("store")
    @classmethod
    def _validate_store(cls, address: str | None) -> str | None:
        return None if address is None else _web_address(address)

    @field_validator("store_token")
    @classmethod
    def _validate_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not re.fullmatch(r"[!-~]+", token.get_secret_value()):
            raise ValueError("must be letters, digits and punctuation of ASCII, without spaces")
        return token

    @property
    def shared(self) -> Path:
        """Return the directory of the files that all libraries share."""
        return self.home.parent.parent if self.library else self.home

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources in order of precedence: arguments, environment, TOML files."""
        arguments = init_settings()
        home = arguments.get("home") or os.environ.get(f"{PREFIX}HOME") or default_home()
        return (
            InitSettingsSource(settings_cls, _renamed(arguments)),
            _Environment(settings_cls),
            *(_TomlFile(settings_cls, file) for file in _toml_files(Path(home))),
        )


@dataclass(frozen=True, slots=True)
class DeprecatedName:
    """An earlier name of a setting that is in use; `ignored` because the new name is set in the same place."""

    old: str
    new: str
    ignored: bool
    file: Path | None = None

    def __str__(self) -> str:
        where = f"{self.old} in {self.file}" if self.file else self.old
        if self.ignored:
            return f"{where} is ignored, because {self.new}, its new name, is set too"
        return f"{where} is now called {self.new}; the old name still works"


class _Environment(EnvSettingsSource):
    """The environment variables, under the current names of the settings."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return _renamed(super()._load_env_vars(), PREFIX.lower())


class _TomlFile(InitSettingsSource):
    """The settings of one TOML file, under their current names."""

    def __init__(self, settings_cls: type[BaseSettings], file: Path) -> None:
        super().__init__(settings_cls, _renamed(TomlConfigSettingsSource(settings_cls, toml_file=file)()))


def load(**overrides: Any) -> Settings:
    """Return the effective settings; overrides that are None do not count.

    Where a library is named, `home` is that library's directory.

    Raises SettingsError, in one line that names the setting, for a value out of range or an unreadable file.
    """
    settings = _validated({name: value for name, value in overrides.items() if value is not None})
    if settings.library is None:
        return settings
    return settings.model_copy(update={"home": settings.home / LIBRARIES / settings.library})


def changed(settings: Settings, **changes: Any) -> Settings:
    """Return the settings with these changes. Raises SettingsError as `load` does."""
    return _validated(settings.model_dump() | _renamed(changes))


def unknown_variables() -> list[str]:
    """Return the `PAPERCHAT_*` variables that name no setting: most likely they are misspelt."""
    names = {f"{PREFIX}{name}".upper() for name in (*Settings.model_fields, *RENAMED)}
    return sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in names)


def deprecated_names(settings: Settings) -> list[DeprecatedName]:
    """Return the earlier names of settings that the environment and the TOML files use."""
    variables = {name.upper() for name in os.environ}
    names = {f"{PREFIX}{old}".upper(): f"{PREFIX}{new}".upper() for old, new in RENAMED.items()}
    in_environment = _deprecated(variables, names)
    files = [file for file in _toml_files(settings.shared) if file.is_file()]
    in_files = (_deprecated(tomllib.loads(file.read_text(encoding="utf-8")), RENAMED, file) for file in files)
    return [*in_environment, *(name for names_of_file in in_files for name in names_of_file)]


def _deprecated(used: Collection[str], names: Mapping[str, str], file: Path | None = None) -> list[DeprecatedName]:
    return [DeprecatedName(old, new, new in used, file) for old, new in names.items() if old in used]


def _toml_files(home: Path) -> tuple[Path, ...]:
    """Return the files of settings, the one that takes precedence first."""
    # Unlike Path.resolve, realpath accepts a circle of links; opening the library reports it.
    return tuple(dict.fromkeys(Path(os.path.realpath(file)) for file in (Path(TOML), home / TOML)))


def _renamed(values: Mapping[str, Value], prefix: str = "") -> dict[str, Value]:
    """Return the values under the current names of their settings; where both names are used, the new one counts."""
    new_names = {prefix + old: prefix + new for old, new in RENAMED.items()}
    return {new_names.get(name, name): value for name, value in values.items() if new_names.get(name) not in values}


def _validated(values: dict[str, Any]) -> Settings:
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError("; ".join(map(_message, error.errors()))) from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"{TOML} cannot be read: {error}") from error


def _web_address(text: str) -> str:
    """Return the address without a slash at its end. Raises ValueError, whose message shows nothing secret."""
    redacted = re.sub(r"//.*@", "//...@", re.split("[?#]", text)[0])
    try:
        address = urlsplit(text)
        if address.scheme not in ("http", "https") or not address.hostname or address.port == 0:
            raise ValueError("it must be http://host:port or https://host:port")
    except ValueError as error:
        raise ValueError(f"{redacted!r} is not the address of a server: {error}") from error
    if address.username is not None or address.query or address.fragment:
        raise ValueError(f"{redacted!r} holds more than an address; a token goes into {PREFIX}STORE_TOKEN")
    return text.rstrip("/")


def _message(problem: Any) -> str:
    name = ".".join(map(str, problem["loc"])) or "settings"
    # A value that our own validators refuse may be secret: they include in their message what may be shown.
    is_hidden = problem["type"] in ("extra_forbidden", "value_error")
    value = "" if is_hidden else f" (given: {problem['input']!r})"
    earlier = next((f", formerly {PREFIX}{old.upper()}" for old, new in RENAMED.items() if new == name), "")
    return f"setting {name} ({PREFIX}{name.upper()}{earlier}): {problem['msg'].removeprefix('Value error, ')}{value}"
