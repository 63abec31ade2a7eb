"""Edit the text of a client's configuration, JSON with or without comments or TOML, and change nothing else in it.

An edit is parsed again: it counts only if the file then says what it said before, and the new entry. Otherwise, and
where the text cannot be parsed, ValueError is raised.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping

from assistant.serialization import Json

_STRING = r'"(?:\\.|[^"\\])*"'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])", re.DOTALL)
_SPACE = re.compile(r"\s*")
_TABLE = re.compile(r"^[ \t]*\[.*?(?=^[ \t]*\[|\Z)", re.MULTILINE | re.DOTALL)

# The offsets of the value of each member of an object.
Members = dict[str, tuple[int, int]]


def add_to_json(text: str, section: str, name: str, entry: Json) -> str:
    """Return the text with the entry in an object of its top level; what the entry had besides is kept."""
    text = text if text.strip() else "{}\n"
    plain = _without_comments(text)
    before = json.loads(plain)
    entries = _object(_object(before).get(section, {}))
    merged = _object(entries.get(name, {})) | entry
    members, root = _members(plain, plain.index("{")), plain.index("{")
    if section not in members:
        edited = _insert(text, root, section, {name: merged}, depth=1, is_empty=not members)
    else:
        edited = _put(text, plain, members[section][0], name, merged)
    if json.loads(_without_comments(edited)) != before | {section: entries | {name: merged}}:
        raise ValueError("it is laid out in an unusual way")
    return edited


def add_to_toml(text: str, section: str, name: str, entry: Json) -> str:
    """Return the text with the entry as a table below `section`; what the entry had besides is kept."""
    before = tomllib.loads(text)
    entries = _object(before.get(section, {}))
    merged = _object(entries.get(name, {})) | entry
    others = _TABLE.sub(lambda table: "" if _is_table_of(table[0], section, name) else table[0], text).rstrip()
    edited = "\n\n".join(filter(None, [others, toml_table(section, name, merged)])) + "\n"
    if tomllib.loads(edited) != before | {section: entries | {name: merged}}:
        raise ValueError("it is laid out in an unusual way")
    return edited


def json_section(text: str, section: str) -> Json:
    """Return an object of the top level, empty where there is none."""
    return _object(_object(json.loads(_without_comments(text))).get(section, {}))


def toml_section(text: str, section: str) -> Json:
    """Return a table of the top level, empty where there is none."""
    return _object(tomllib.loads(text).get(section, {}))


def toml_table(section: str, name: str, entry: Json) -> str:
    """Return an entry as a TOML table without tables within it."""
    lines = [f"{key} = {_toml_value(value)}" for key, value in entry.items()]
    return "\n".join([f"[{section}.{name}]", *lines])


def _toml_value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    # Strings, numbers and booleans are written as in JSON; what is not fails when the edit is parsed again.
    return json.dumps(value, default=str)


def _is_table_of(table: str, section: str, name: str) -> bool:
    """Return whether this is the table of an entry, or one below it."""
    try:
        header = tomllib.loads(table.split("\n")[0])
    except tomllib.TOMLDecodeError:
        return False
    entries = header.get(section)
    return isinstance(entries, dict) and name in entries


def _without_comments(text: str) -> str:
    """Return the text with blanks for its comments and trailing commas, so that every offset stays."""

    def blank(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0])

    # A byte-order mark stays where it is, and out of the way of the parser.
    return _TRAILING_COMMA.sub(blank, _COMMENT.sub(blank, text.replace("\ufeff", " ", 1)))


def _members(plain: str, start: int) -> Members:
    """Return the members of the object that begins at this offset."""
    decoder, members = json.JSONDecoder(), Members()
    position = _after_space(plain, start + 1)
    while plain[position] != "}":
        key, position = decoder.raw_decode(plain, position)
        value_start = _after_space(plain, _after_space(plain, position) + 1)
        _, value_end = decoder.raw_decode(plain, value_start)
        members[key] = (value_start, value_end)
        position = _after_space(plain, value_end)
        position = _after_space(plain, position + 1) if plain[position] == "," else position
    return members


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _put(text: str, plain: str, start: int, name: str, entry: Json) -> str:
    """Return the text with the entry in the object that begins at this offset, in place of one of that name."""
    members = _members(plain, start)
    if name not in members:
        return _insert(text, start, name, entry, depth=2, is_empty=not members)
    value_start, value_end = members[name]
    return text[:value_start] + _formatted(text, entry, 2) + text[value_end:]


def _insert(text: str, start: int, name: str, value: Json, depth: int, is_empty: bool) -> str:
    """Return the text with a member more, the first one of the object that begins at this offset."""
    newline, unit = _newline(text), _indent(text)
    member = f"{newline}{unit * depth}{json.dumps(name)}: {_formatted(text, value, depth)}"
    rest = text[start + 1 :]
    closing = f"{newline}{unit * (depth - 1)}" if is_empty and rest.lstrip(" \t").startswith("}") else ""
    return f"{text[: start + 1]}{member}{closing if is_empty else ','}{rest}"


def _formatted(text: str, value: Json, depth: int) -> str:
    unit = _indent(text)
    lines = json.dumps(value, indent=unit, ensure_ascii=False).split("\n")
    return f"{_newline(text)}{unit * depth}".join(lines)


def _indent(text: str) -> str:
    match = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    return match[1] if match else "  "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise ValueError("there is no object where one is expected")
    return value
