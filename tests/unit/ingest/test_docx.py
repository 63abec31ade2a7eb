"""Word documents give the text that stands in them; what is no document is refused."""

from __future__ import annotations

import io
import zipfile

import pytest

from assistant.errors import InputError
from ingest import drafts
from ingest.parsers import docx

NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def document(body: str, name: str = "word/document.xml") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, f'<?xml version="1.0"?><w:document {NAMESPACE}><w:body>{body}</w:body></w:document>')
    return written.getvalue()


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def test_tracked_insertions_are_text_and_deletions_are_not() -> None:
    deleted = '<w:del w:id="1"><w:r><w:delText>sleep</w:delText><w:t>never</w:t></w:r></w:del>'
    moved = f"<w:moveFrom>{run('away ')}</w:moveFrom><w:moveTo>{run('home ')}</w:moveTo>"
    body = (
        f"<w:p>{run('Bees ')}{deleted}<w:ins>{run('dance ')}</w:ins>{moved}{run('[1].')}</w:p><w:p>{run('Ice.')}</w:p>"
    )
    assert docx.text(document(body), "a.docx") == "Bees dance home [1].\n\nIce."


def test_a_paragraph_that_was_deleted_as_a_whole_is_none() -> None:
    assert (
        docx.text(document(f"<w:del><w:p>{run('Gone.')}</w:p></w:del><w:p>{run('Here.')}</w:p>"), "a.docx") == "Here."
    )


def test_a_document_is_a_draft() -> None:
    body = (
        f"<w:p>{run('Bees dance [1].')}</w:p><w:p>{run('References')}</w:p><w:p>{run('[1] Lin. On bees. 2020.')}</w:p>"
    )
    opened = drafts.open_bytes(document(body), "draft.docx")
    (sentence,) = opened.text.sentences()
    assert (sentence.statement, [cited.key for cited in sentence.citations]) == ("Bees dance.", ["1"])
    assert opened.is_document


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (document("", name="other.xml"), "no Word document"),
        (b"PK\x03\x04" + bytes(100), "no Word document"),
        (document("<w:p>")[:-40], "no Word document"),
        (document("<w:p><w:r>"), "broken XML"),
        (document(f"<w:p>{run('a' * 40_000_000)}</w:p>"), "which no document has"),
    ],
    ids=["another archive", "damaged", "cut off", "broken XML", "zip bomb"],
)
def test_what_is_no_document_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        docx.text(data, "a.docx")


def test_an_entity_of_a_document_is_never_expanded() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        bomb = '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
        archive.writestr("word/document.xml", f"{bomb}<w:document {NAMESPACE}><w:p>{run('&b;')}</w:p></w:document>")
    with pytest.raises(InputError, match="broken XML"):
        docx.text(written.getvalue(), "a.docx")


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        ("Gödel \n".encode("utf-16"), "Gödel \n", "utf-16"),
        ("Gödel".encode("cp1252"), "Gödel", "windows-1252"),
        ("\ufeffGödel\r\n".encode(), "Gödel\r\n", "utf-8-sig"),
    ],
)
def test_drafts_of_any_encoding_are_read(data: bytes, text: str, encoding: str) -> None:
    opened = drafts.open_bytes(data, "draft.txt")
    assert (opened.text.source, opened.encoding) == (text, encoding)
    assert bool(opened.notes) == (encoding == "windows-1252")


@pytest.mark.parametrize(("data", "reason"), [(b"", "empty"), (b" \n", "empty"), (bytes(range(256)) * 9, "binary")])
def test_an_empty_and_a_binary_file_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        drafts.open_bytes(data, "draft.tex")
