"""Every setting, in one frozen object that is passed as an argument.

Precedence: command line, then `PAPERCHAT_*` variables, then `paperchat.toml` (in the working
directory, then in the library's directory), then the defaults below. Keys of hosted providers stay
in the providers' own variables and are never settings of paperchat.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from assistant.errors import SettingsError

PREFIX = "PAPERCHAT_"
TOML = "paperchat.toml"
# The directory of named libraries, below the home.
LIBRARIES = "libraries"


def default_home() -> Path:
    """The directory that holds everything, where `PAPERCHAT_HOME` does not say otherwise."""
    return platformdirs.user_data_path("paperchat", appauthor=False)


class Settings(BaseSettings):
    """The effective settings. Field descriptions are the settings table of the README."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    home: Path = Field(default_factory=default_home, description="directory of the library and everything else kept")
    library: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="name of a library of its own below `home`: small letters, digits and hyphens",
    )
    store: str | None = Field(
        default=None,
        description="address of a Chroma server that holds the vectors, `http://host:port`; a folder of the library's "
        "directory where not given",
    )
    store_token: SecretStr | None = Field(
        default=None, description="token that the Chroma server asks for; it is never shown"
    )
    store_tenant: str = Field(default="default_tenant", pattern=r"^[^\s/]+$", description="tenant on the Chroma server")
    store_database: str = Field(
        default="default_database", pattern=r"^[^\s/]+$", description="database of the tenant; it must exist"
    )
    store_timeout: float = Field(
        default=30, gt=0, le=3600, description="seconds that the Chroma server has for an answer"
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
        description="what computes the embedder: `float32`, `medium` (other kernels), `bfloat16`, `float16` (graphics "
        "processors), `openvino` and `openvino-int8` (need `paperchat[fast]`); `auto` times them once and takes the "
        "fastest that agrees",
    )
    query_prompt: str | None = Field(default=None, description="text put before a question when it is embedded")
    document_prompt: str | None = Field(default=None, description="text put before a chunk when it is embedded")
    chunk_tokens: int | None = Field(
        default=None, ge=32, description="most word-pieces of a chunk; the embedder's own limit where not given"
    )
    llm: str = Field(
        default="extractive",
        pattern=r"^(extractive|[a-z]+/.+)$",
        description="who writes the answer: `extractive` quotes, without a model; else `provider/model`",
    )
    prompts: Path | None = Field(
        default=None, description="folder of templates that replace what is said to the language model"
    )
    prompt_tokens: int = Field(
        default=3000, ge=500, le=1_000_000, description="most tokens that the language model is given to read"
    )
    reply_tokens: int = Field(
        default=2000, ge=16, le=100_000, description="most tokens that the language model may write"
    )
    first_token_timeout: float = Field(
        default=300, gt=0, le=86_400, description="seconds that the language model has for its first token"
    )
    token_timeout: float = Field(
        default=60, gt=0, le=86_400, description="seconds that it has from one token to the next"
    )
    total_timeout: float = Field(default=900, gt=0, le=86_400, description="seconds that it has for a whole reply")
    retries: int = Field(
        default=3,
        ge=0,
        le=20,
        description="how often it is asked again, after a pause, where it is busy, fails or cannot be reached",
    )
    rewrite: bool = Field(
        default=False, description="let the language model put follow-up questions in words that stand alone"
    )
    nli: str | None = Field(
        default=None,
        min_length=1,
        description="cross-encoder of entailment that checks claims too: a folder or a hub name; none by default",
    )
    verify: str = Field(
        default="normal",
        pattern=r"^(strict|normal|off)$",
        description="what becomes of a language model's sentences that no abstract supports: `normal` marks them, "
        "`strict` quotes the nearest passages in their place, `off` checks nothing",
    )
    papers: int = Field(default=10, ge=1, le=1000, description="papers that a search returns")
    candidates: int = Field(default=100, ge=1, le=1000, description="papers that each index proposes before fusion")
    dense_weight: float = Field(default=0.5, ge=0, le=1, description="share of the vector score in the fused score")
    reranker: str = Field(
        default="late-interaction",
        min_length=1,
        description="closer look at the best candidates: `late-interaction` compares word by word with the embedder's "
        "own vectors; `none`; else a sentence-transformers cross-encoder: a folder, or a hub name",
    )
    reranked: int = Field(default=50, ge=1, le=1000, description="papers that the re-ranker looks at")
    rerank_weight: float = Field(default=0.6, ge=0, le=1, description="share of the re-ranker in the score")
    statements: int = Field(default=5, ge=1, le=10, description="most sentences that the extractive answer quotes")
    firm_from: float = Field(default=0.33, ge=0, le=1, description="confidence from which an answer is firm")
    tentative_from: float = Field(default=0.15, ge=0, le=1, description="confidence below which there is no answer")
    question_limit: int = Field(default=4000, ge=100, le=100_000, description="longest question, in characters")
    arxiv_url: str = Field(
        default="https://export.arxiv.org/api/query",
        pattern=r"^https?://",
        description="arXiv's interface, or a mirror of it; asked only by `paperchat add`",
    )
    doi_url: str = Field(
        default="https://doi.org",
        pattern=r"^https?://",
        description="where a DOI is resolved; asked only by `paperchat add`",
    )
    port: int = Field(
        default=7860,
        ge=0,
        le=65535,
        description="port of the page on this machine (127.0.0.1); the next free one is taken",
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="address that the page listens on; any but this machine's own needs `auth`",
    )
    auth: Path | None = Field(
        default=None, description="file of those who may log in to the page, as `paperchat user` writes it"
    )

    @field_validator("store")
    @classmethod
    def _is_address(cls, given: str | None) -> str | None:
        return None if given is None else _web_address(given)

    @field_validator("store_token")
    @classmethod
    def _is_token(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and not re.fullmatch(r"[!-~]+", given.get_secret_value()):
            raise ValueError("must be letters, digits and punctuation of ASCII, without spaces")
        return given

    @property
    def shared(self) -> Path:
        """The directory of what all libraries have in common."""
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
        """Command line, environment, TOML: in this order."""
        given = init_settings().get("home") or os.environ.get(f"{PREFIX}HOME") or default_home()
        files = [Path(given) / TOML, Path(TOML)]
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=files)


def load(**overrides: Any) -> Settings:
    """The effective settings; overrides that are None count as not given.

    Where a library is named, `home` is that library's directory.

    Raises SettingsError, one line that names the setting, for a value out of range or an unreadable file.
    """
    found = _checked({name: value for name, value in overrides.items() if value is not None})
    return found.model_copy(update={"home": found.home / LIBRARIES / found.library}) if found.library else found


def changed(settings: Settings, **changes: Any) -> Settings:
    """The same settings but for these. Raises SettingsError as `load` does."""
    return _checked(settings.model_dump() | changes)


def _checked(given: dict[str, Any]) -> Settings:
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(map(_complaint, error.errors()))) from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"{TOML} cannot be read: {error}") from error


def unknown_variables() -> list[str]:
    """`PAPERCHAT_*` variables that name no setting: most likely misspelt."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)


def _web_address(given: str) -> str:
    """The address without a slash at its end. Raises ValueError, which shows nothing that could be secret."""
    shown = re.sub(r"//.*@", "//...@", re.split("[?#]", given)[0])
    try:
        found = urlsplit(given)
        if found.scheme not in ("http", "https") or not found.hostname or found.port == 0:
            raise ValueError("it must be http://host:port or https://host:port")
    except ValueError as error:
        raise ValueError(f"{shown!r} is no address of a server: {error}") from error
    if found.username is not None or found.query or found.fragment:
        raise ValueError(f"{shown!r} holds more than an address; a token goes into {PREFIX}STORE_TOKEN")
    return given.rstrip("/")


def _complaint(problem: Any) -> str:
    name = ".".join(map(str, problem["loc"])) or "settings"
    # What our own checks complain of may be secret: they say themselves what can be shown.
    hidden = problem["type"] in ("extra_forbidden", "value_error")
    given = "" if hidden else f" (given: {problem['input']!r})"
    return f"setting {name} ({PREFIX}{name.upper()}): {problem['msg'].removeprefix('Value error, ')}{given}"
