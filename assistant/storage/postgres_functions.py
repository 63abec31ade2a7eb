"""The functions of `paper_queries` and the conversations as PostgreSQL computes them; they agree with the Python ones.

Phrases and names arrive as their words, folded and joined by blanks.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

_WORD = re.compile(r"[^\W_]")
# Longer phrases take long as regular expressions, or are too complex.
_MAX_PATTERN = 500


@cache
def function_statements() -> tuple[str, ...]:
    """Return the statements that create the functions in the schema that names are looked up in first."""
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    marks = _character_class(filter(unicodedata.combining, characters))
    word = _character_class(filter(_WORD.match, characters))
    to_one, to_several = _case_folding(characters)
    translated = f"translate(lowered, {_literal(to_one.keys())}, {_literal(to_one.values())})"
    return (
        _function(
            "paperchat_casefold(value text)",
            "text",
            f"paperchat_fold_special(lower(value COLLATE {_UNICODE}))",
        ),
        # Most texts have no letter that is not folded by being put into lower case, and `translate` is slow.
        _function(
            "paperchat_fold_special(lowered text)",
            "text",
            f"CASE WHEN lowered ~ '[{_character_class([*to_one, *to_several])}]' "
            f"THEN {_replacing(translated, to_several)} ELSE lowered END",
        ),
        _function("casefold(value text)", "text", "paperchat_casefold(value)"),
        _function("instr(value text, part text)", "integer", "position(part IN value)"),
        _function(
            "paperchat_fold(value text)",
            "text",
            'CASE WHEN octet_length(value) = length(value) THEN lower(value COLLATE "C") '
            f"ELSE regexp_replace(normalize(paperchat_casefold(value), NFKD), '[{marks}]', '', 'g') END",
        ),
        _function(
            "paperchat_words(folded text)",
            "text",
            f"' ' || btrim(regexp_replace(folded, '[^{word}]+', ' ', 'g')) || ' '",
        ),
        # Most texts lack the first word of a phrase, which is quick to see; most are in ASCII, which is quick to match.
        _function(
            "paperchat_holds_folded(folded text, phrase text)",
            "boolean",
            f"position(split_part(phrase, ' ', 1) IN folded) > 0 AND CASE WHEN length(phrase) > {_MAX_PATTERN} "
            "THEN position(' ' || phrase || ' ' IN paperchat_words(folded)) > 0 "
            f"WHEN octet_length(folded) = length(folded) THEN folded ~ {_phrase('a-z0-9')} "
            f"ELSE folded ~ {_phrase(word)} END",
        ),
        _function(
            "paperchat_holds(value text, phrase text)",
            "boolean",
            "paperchat_holds_folded(paperchat_fold(coalesce(value, '')), phrase)",
        ),
        _function(
            "paperchat_says(phrase text, title text, abstract text)",
            "boolean",
            "paperchat_holds(abstract, phrase) OR paperchat_holds(title, phrase)",
        ),
        _function(
            "paperchat_joined(authors text)",
            "text",
            "(SELECT string_agg(author, E'\\n') FROM json_array_elements_text(authors::json) AS author)",
        ),
        _function(
            "paperchat_has(phrase text, title text, abstract text, venue text, authors text)",
            "boolean",
            "paperchat_says(phrase, title, abstract) OR paperchat_holds(venue, phrase) "
            "OR (paperchat_may_hold(authors, split_part(phrase, ' ', 1)) "
            "AND paperchat_holds(paperchat_joined(authors), phrase))",
        ),
        # A list in JSON in which no letter is escaped has what one of its texts has.
        _function(
            "paperchat_may_hold(texts text, part text)",
            "boolean",
            r"position('\' IN texts) > 0 OR position(part IN lower(texts)) > 0",
        ),
        _function("paperchat_folded(title text)", "text", "paperchat_fold(title)"),
        _function(
            "paperchat_parts(author text)",
            "text[]",
            "string_to_array(btrim(paperchat_words(paperchat_fold(author))), ' ')",
        ),
        _function(
            "paperchat_surname(authors text)",
            "text",
            "(paperchat_parts(authors::json ->> 0))[cardinality(paperchat_parts(authors::json ->> 0))]",
        ),
        _function(
            "paperchat_is_called(parts text[], name text[])",
            "boolean",
            "(SELECT bool_or(length(word) > 1 AND word = ANY (parts)) AND bool_and(EXISTS (SELECT FROM unnest(parts) "
            "AS part WHERE part = word OR (least(length(word), length(part)) = 1 AND left(part, 1) = left(word, 1)))) "
            "FROM unnest(name) AS word)",
        ),
        _function(
            "paperchat_is_by(authors text, name text)",
            "boolean",
            "EXISTS (SELECT FROM json_array_elements_text(authors::json) AS author "
            "WHERE paperchat_is_called(paperchat_parts(author), string_to_array(name, ' ')))",
        ),
        _function(
            "paperchat_one_is_from(sources text, part text)",
            "boolean",
            "EXISTS (SELECT FROM json_array_elements_text(sources::json) AS source "
            "WHERE position(part IN paperchat_casefold(source)) > 0)",
        ),
        # What stands between the quotation marks where there is one source, in which no letter is escaped.
        _function(
            "paperchat_is_from(sources text, part text)",
            "boolean",
            r"""CASE WHEN position('\' IN sources) > 0 OR position('", "' IN sources) > 0 """
            "THEN paperchat_one_is_from(sources, paperchat_casefold(part)) "
            "ELSE position(lower(part) IN lower(substr(sources, 3, greatest(0, length(sources) - 4)))) > 0 END",
        ),
    )


def _phrase(word: str) -> str:
    """Return the regular expression of the parameter `phrase` between characters that are not of this class."""
    return f"('(^|[^{word}])' || replace(phrase, ' ', '[^{word}]+') || '([^{word}]|$)')"


# The collation by whose rules letters other than ASCII are put into lower case; every build with ICU has it.
_UNICODE = '"und-x-icu"'


def _function(signature: str, result: str, expression: str) -> str:
    """Return the statement that creates a function of one expression."""
    return (
        f"CREATE OR REPLACE FUNCTION {signature} RETURNS {result} LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE "
        f"AS $body$ BEGIN RETURN {expression}; END $body$"
    )


def _case_folding(characters: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what becomes of letters in lower case when they are case-folded: of some one letter, of some several."""
    folded = {
        character.lower(): character.casefold()
        for character in characters
        if len(character.lower()) == 1 and character.lower() != character.casefold()
    }
    to_one = {letter: letters for letter, letters in folded.items() if len(letters) == 1}
    return to_one, {letter: letters for letter, letters in folded.items() if letter not in to_one}


def _replacing(value: str, replacements: Mapping[str, str]) -> str:
    """Return the expression that replaces parts of a value one after the other."""
    for part, replacement in replacements.items():
        value = f"replace({value}, {_literal(part)}, {_literal(replacement)})"
    return value


def _character_class(characters: Iterable[str]) -> str:
    """Return ranges of characters as they stand within the brackets of a regular expression."""
    return "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in _ranges(sorted(map(ord, characters))))


def _ranges(codes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of consecutive numbers; the numbers ascend."""
    first = last = -2
    for code in codes:
        if code != last + 1:
            if last >= 0:
                yield first, last
            first = code
        last = code
    yield first, last


def _literal(characters: Iterable[str]) -> str:
    return "U&'" + "".join(rf"\+{ord(character):06x}" for character in characters) + "'"
