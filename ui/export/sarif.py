"""Write the findings of a check as SARIF 2.1.0, which editors and code hosts show beside the text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from urllib.parse import quote

from assistant.drafts.findings import DraftFinding, DraftRule, entry_message, sentence_findings
from assistant.drafts.lines import SourceLines
from assistant.drafts.values import BibliographyEntry, DraftCheck
from assistant.serialization import Json

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(check: DraftCheck, source: str, name: str, entries: Sequence[BibliographyEntry] = ()) -> str:
    """Return the SARIF log of a check of the draft with this text and file name."""
    lines = SourceLines(source)
    findings = (found for sentence in check.sentences for found in sentence_findings(sentence))
    results = [*(_result(found, lines, name) for found in findings), *_entry_results(check, entries, name)]
    driver = {
        "name": "paperchat",
        "version": version("paperchat"),
        "rules": [_rule(rule) for rule in DraftRule],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _rule(rule: DraftRule) -> Json:
    return {
        "id": rule.value,
        "shortDescription": {"text": rule.description},
        "defaultConfiguration": {"level": rule.level},
    }


def _result(found: DraftFinding, lines: SourceLines, name: str) -> Json:
    (line, column), (end_line, end_column) = lines.position(found.start), lines.position(found.end)
    region = {
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
        "charOffset": found.start,
        "charLength": found.end - found.start,
    }
    return _located(found.rule, found.message, name, region)


def _entry_results(check: DraftCheck, entries: Sequence[BibliographyEntry], name: str) -> Iterator[Json]:
    """Yield the findings about entries: those of a .bib file in that file, others in the draft as a whole."""
    records = {entry.key: entry.record for entry in reversed(entries)}
    for entry in check.bibliography:
        message, record = entry_message(entry), records.get(entry.key)
        if message is not None:
            file = record.source if record and record.source else name
            yield _located(*message, file, {"startLine": max(1, record.line if record else 1)})


def _located(rule: DraftRule, message: str, name: str, region: Json) -> Json:
    # SARIF wants brackets escaped, which would be links.
    text = message.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    location = {"physicalLocation": {"artifactLocation": {"uri": quote(name)}, "region": region}}
    return {"ruleId": rule.value, "level": rule.level, "message": {"text": text}, "locations": [location]}
