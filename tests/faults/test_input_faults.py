"""Files that are broken, hostile or enormous: each is reported with its place, and whatever is whole goes in."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.schema import Record
from assistant.storage.library import Library
from ingest import pipeline
from ingest.parsers.archives import ArchiveLimits
from ingest.parsers.base import LONGEST_RECORD, Problem
from ingest.parsers.detect import find_files, parse, read_records
from ingest.report import IngestReport

ENTRY = "@article{{key{0},\n  title = {{On the Nature of Number {0}}},\n  abstract = {{We count to {0}.}}\n}}\n"
LINE = '{{"title": "On the Nature of Number {0}", "abstract": "We count to {0}."}}\n'
SMALL = ArchiveLimits(size=1 << 20, ratio=50, ratio_min_size=1 << 16, members=5)

Items = tuple[list[Record], list[Problem]]
Ingest = Callable[[str, bytes], IngestReport]


def entries(count: int) -> bytes:
    return "".join(map(ENTRY.format, range(count))).encode()


def lines(count: int) -> bytes:
    return "".join(map(LINE.format, range(count))).encode()


def parsed(data: bytes, limits: ArchiveLimits = SMALL) -> Items:
    """Records and problems of a file's content."""
    items = list(parse(data, "x", limits))
    return [i for i in items if isinstance(i, Record)], [i for i in items if isinstance(i, Problem)]


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


@pytest.fixture
def ingest(library: Library, tmp_path: Path) -> Ingest:
    """Writes a file and ingests its folder."""

    def write_and_ingest(name: str, data: bytes) -> IngestReport:
        folder = tmp_path / "papers"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
        return pipeline.ingest([folder], library)

    return write_and_ingest


# Containers


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_of_a_truncated_file_what_was_unpacked_goes_in(pack: Callable[[bytes], bytes]) -> None:
    data = b"".join(LINE.format(os.urandom(30).hex()).encode() for _ in range(4_000))
    records, problems = parsed(pack(data)[:-9_000], ArchiveLimits())
    assert len(records) > 1_000
    (problem,) = (problem for problem in problems if "damaged or cut off" in problem.reason)
    assert (problem.source, problem.lost) == ("x", True)


def test_a_truncated_archive_is_reported() -> None:
    records, (problem,) = parsed(zipped({"a.jsonl": lines(100)})[:-30])
    assert records == []
    assert "the archive is damaged or cut off" in problem.reason


def test_a_damaged_member_costs_itself_alone() -> None:
    data = bytearray(zipped({"a.jsonl": lines(100), "b.jsonl": lines(3)}))
    data[60:80] = bytes(20)
    records, problems = parsed(bytes(data))
    assert [record.source for record in records][-3:] == ["x/b.jsonl"] * 3
    assert {problem.source for problem in problems} == {"x/a.jsonl"}


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, lambda data: zipped({"bomb.jsonl": data})])
def test_a_bomb_is_given_up_without_being_held(pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(lines(10) + b" " * (48 << 20))
    tracemalloc.start()
    records, (problem,) = parsed(bomb, ArchiveLimits(ratio=100, ratio_min_size=1 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(records) == 10
    assert "it unpacks to more than 100 times its size" in problem.reason
    assert peak < 40 << 20


def test_a_file_that_unpacks_to_too_much_is_given_up() -> None:
    noise = "".join(LINE.format(os.urandom(300).hex()) for _ in range(2_000))
    records, problems = parsed(gzip.compress(noise.encode()))
    assert records
    assert any("it unpacks to more than 1,048,576 bytes" in problem.reason for problem in problems)


def test_an_archive_of_too_many_files_is_given_up() -> None:
    records, (problem,) = parsed(zipped({f"{number}.bib": entries(1) for number in range(9)}))
    assert len(records) == SMALL.members
    assert "the archive has more than 5 files" in problem.reason


def test_names_of_members_lead_nowhere(tmp_path: Path, library: Library) -> None:
    archive = tmp_path / "in" / "papers.zip"
    archive.parent.mkdir()
    names = ["../../outside.bib", "/outside.bib", "..\\outside.bib", "C:/outside.bib"]
    archive.write_bytes(zipped({name: entries(1) for name in names}))
    before = set(tmp_path.rglob("*"))
    pipeline.ingest([archive], library)
    created = set(tmp_path.rglob("*")) - before
    assert not [file for file in created if "outside" in file.name]
    (paper,) = library.catalog.papers.all()
    assert all(source.startswith("papers.zip/") and ".." not in source for source in paper.sources)


def test_an_archive_in_an_archive_is_read_and_one_deeper_is_reported() -> None:
    inner = zipped({"a.bib": entries(1)})
    records, problems = parsed(zipped({"inner.zip": inner, "b.bib.gz": gzip.compress(entries(1))}))
    assert [record.source for record in records] == ["x/inner.zip/a.bib", "x/b.bib.gz"]
    assert problems == []
    records, (problem,) = parsed(zipped({"outer.zip": zipped({"inner.zip": inner}), "b.bib": entries(1)}))
    assert [record.source for record in records] == ["x/b.bib"]
    assert "nested more than 2 deep" in problem.reason


def test_an_encrypted_member_is_reported_and_the_others_go_in() -> None:
    data = bytearray(zipped({"a.bib": entries(1), "b.bib": entries(1)}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1  # the flag of the first member
    records, (problem,) = parsed(bytes(data))
    assert [record.source for record in records] == ["x/b.bib"]
    assert (problem.source, "encrypted" in problem.reason) == ("x/a.bib", True)


def test_pictures_and_readmes_in_an_archive_are_passed_over() -> None:
    data = {
        "a.bib": entries(1),
        "figure.png": b"\x89PNG\r\n\x1a\n\0\0",
        "README.md": b"# Papers",
        "script.py": b"print()",
    }
    records, problems = parsed(zipped(data))
    assert (len(records), problems) == (1, [])


# Records


def test_one_broken_entry_among_5000_is_reported_with_its_line_and_the_others_go_in() -> None:
    parts = [ENTRY.format(number) for number in range(5_000)]
    parts[2_500] = "@article{broken,\n  title = {No end {of it},\n  year = 2020\n"
    records, (problem,) = parsed("".join(parts).encode(), ArchiveLimits())
    assert len(records) == 4_999
    assert (problem.line, problem.lost) == (2_500 * 4 + 1, True)
    assert "broken BibTeX" in problem.reason


def test_lines_of_two_encodings_in_one_file_are_both_read(ingest: Ingest, library: Library) -> None:
    data = ENTRY.format("Zürich").encode("cp1252") + ENTRY.format("Genève").encode()
    report = ingest("mixed.bib", data)
    assert {paper.title for paper in library.catalog.papers.all()} == {
        "On the Nature of Number Zürich",
        "On the Nature of Number Genève",
    }
    assert [(problem.line, problem.lost) for problem in report.problems] == [(1, False), (2, False), (3, False)]


def test_a_table_with_line_breaks_in_cells_and_a_row_without_a_column() -> None:
    records, (problem,) = parsed(
        b'title,abstract,year\n"One\nhalf","Ice\n\nmelts, ""fast"".",2020\nTwo,2021\nThree,Bees dance.,2022\n'
    )
    assert [(record.title, record.abstract, record.line) for record in records] == [
        ("One half", 'Ice melts, "fast".', 2),
        ("Three", "Bees dance.", 7),
    ]
    assert (problem.line, problem.reason) == (6, "skipped: the row has 2 columns, the header 3")


def test_papers_of_one_key_in_one_file_all_go_in(ingest: Ingest, library: Library) -> None:
    same = ENTRY.format(1) + ENTRY.format(2).replace("key2", "key1")
    ingest("same.bib", same.encode())
    ingest(
        "same.jsonl",
        b'{"_id": "1", "title": "A", "text": "Ice melts."}\n{"_id": "1", "title": "B", "text": "Bees dance."}',
    )
    assert library.catalog.papers.count() == 4


@pytest.mark.parametrize(
    "form",
    [
        "@article{{a, title={{Long}}, abstract={{{0}}}}}\n" + ENTRY.format(1).replace("{", "{{").replace("}", "}}"),
        '{{"title": "Long", "abstract": "{0}"}}\n{{"title": "On the Nature of Number 1", "abstract": "y"}}\n',
        "title,abstract\nLong,{0}\nOn the Nature of Number 1,y\n",
        "TY  - JOUR\nTI  - Long\nAB  - {0}\nER  - \nTY  - JOUR\nTI  - On the Nature of Number 1\nAB  - y\nER  - \n",
        "<feed><entry><title>Long</title><summary>{0}</summary></entry>"
        "<entry><title>On the Nature of Number 1</title><summary>y</summary></entry></feed>",
        "Title: Long\nAbstract: {0}\n\nTitle: On the Nature of Number 1\nAbstract: y\n",
    ],
)
def test_200000_characters_are_no_abstract_and_the_next_record_is_read(form: str) -> None:
    records, (problem,) = parsed(form.format("x " * 100_000).encode())
    assert [record.title for record in records] == ["On the Nature of Number 1"]
    assert problem.lost
    assert problem.line


def test_control_characters_and_overrides_of_direction_do_not_reach_the_library(
    ingest: Ingest, library: Library
) -> None:
    ingest("odd.bib", ENTRY.format("\x1b[31m\u202eevil\u2069\x07 1").encode())
    (paper,) = library.catalog.papers.all()
    assert paper.title == "On the Nature of Number [31mevil 1"
    assert paper.abstract.isprintable()


def test_json_nested_100000_deep_is_reported_and_its_neighbours_go_in() -> None:
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n"
    records, (problem,) = parsed(lines(2) + deep + lines(1))
    assert len(records) == 3
    assert (problem.line, "broken JSON" in problem.reason) == (3, True)
    array = b"[" + b",".join([lines(1), deep, lines(1)]) + b"]"
    records, (problem,) = parsed(array)
    assert (len(records), "broken JSON" in problem.reason) == (2, True)


@pytest.mark.parametrize(
    "line", [b"[1, 2]", b'"text"', b"7", b"null", b"{broken", b'{"title": "cut o', b"{}", b"\xff\xfe"]
)
def test_a_line_that_is_no_object_is_reported_and_the_others_go_in(line: bytes) -> None:
    records, problems = parsed(lines(2) + line + b"\n" + lines(2))
    assert len(records) == 4
    assert {problem.line for problem in problems} == {3}
    assert any(problem.lost for problem in problems)


def test_a_line_of_50_megabytes_is_reported_and_not_held(tmp_path: Path) -> None:
    file = tmp_path / "long.jsonl"
    file.write_bytes(lines(2) + b'{"title": "' + b"x" * 50_000_000 + b'"}\n' + lines(2))
    tracemalloc.start()
    items = list(read_records(file))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(isinstance(item, Record) for item in items) == 4
    (problem,) = (item for item in items if isinstance(item, Problem))
    assert (problem.line, problem.reason) == (3, f"a line of more than {LONGEST_RECORD:,} characters")
    assert peak < 40 << 20


def test_a_large_file_is_read_as_it_comes() -> None:
    class Endless(io.BufferedIOBase):
        """Lines without end."""

        def read1(self, size: int = -1, /) -> bytes:
            return lines(1)

    records = parse(Endless(), "x")
    tracemalloc.start()
    for _ in range(5_000):
        assert isinstance(next(records), Record)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_of_very_many_problems_the_first_are_told_and_all_are_counted(ingest: Ingest) -> None:
    report = ingest("bad.jsonl", lines(1) + b"{}\n" * 3_000 + lines(2))
    assert (report.added, report.skipped) == (2, 3_000)
    assert len(report.problems) == 1_001
    assert str(report.problems[-1]) == "bad.jsonl: and 2,000 more problems like these"


# XML

BOMB = "".join(f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, 10))


@pytest.mark.parametrize(
    "declared",
    [
        f'<!DOCTYPE feed [<!ENTITY e0 "ha">{BOMB}]>',
        '<!DOCTYPE feed [<!ENTITY e9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE feed SYSTEM "http://localhost:9/x.dtd">',
    ],
)
def test_entities_are_never_expanded_and_nothing_outside_is_read(declared: str) -> None:
    bad, good = "<entry><title>&e9;</title></entry>", "<entry><title>Ice</title></entry>"
    records, (problem,) = parsed(f'<?xml version="1.0"?>{declared}<feed>{bad}{good}</feed>'.encode())
    assert [record.title for record in records] == ["Ice"]
    assert "undefined entity" in problem.reason


def test_a_document_type_within_a_record_is_refused() -> None:
    data = (
        '<feed><entry><!DOCTYPE x [<!ENTITY e "ha">]><title>&e;</title></entry><entry><title>Ice</title></entry></feed>'
    )
    records, problems = parsed(data.encode())
    assert [record.title for record in records] == ["Ice"]
    assert len(problems) == 1


def test_xml_nested_100000_deep_is_read() -> None:
    deep = "<a>" * 100_000 + "</a>" * 100_000
    records, _ = parsed(f"<feed><entry><title>Ice</title>{deep}</entry></feed>".encode())
    assert [record.title for record in records] == ["Ice"]


# Folders


def test_links_in_circles_end_and_are_reported_where_they_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.bib").write_bytes(entries(1))
    (tmp_path / "deep" / "up").symlink_to(tmp_path)
    (tmp_path / "self.bib").symlink_to("self.bib")
    (tmp_path / "gone.bib").symlink_to("nowhere.bib")
    assert [file.name for file in find_files(tmp_path) if isinstance(file, Path)] == ["gone.bib", "self.bib", "a.bib"]


def test_unreadable_files_are_reported_and_the_good_ones_among_them_go_in(
    ingest: Ingest, library: Library, tmp_path: Path
) -> None:
    ingest("a.bib", entries(1))
    (tmp_path / "papers" / "b.bib").symlink_to("nowhere.bib")
    report = ingest("c.bib", ENTRY.format(7).encode())
    assert library.catalog.papers.count() == 2
    assert [problem.reason for problem in report.problems] == ["cannot be read: No such file or directory"]
    assert report.failed


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_folder_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.bib").write_bytes(entries(1))
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    try:
        listing = list(find_files(tmp_path))
    finally:
        closed.chmod(0o700)
    assert listing == [tmp_path / "a.bib", Problem(str(closed), 0, "cannot be read: Permission denied")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes on this system")
def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.bib")
    (tmp_path / "a.bib").write_bytes(entries(1))
    assert list(find_files(tmp_path)) == [tmp_path / "a.bib"]


def test_a_web_page_and_a_pdf_are_refused_by_name(ingest: Ingest) -> None:
    ingest("page.txt", b"<!DOCTYPE html>\n<html><body>Rate limit exceeded</body></html>")
    report = ingest("paper.txt", b"%PDF-1.7\n%\xe2\xe3")
    assert [problem.reason.partition(":")[0].partition(",")[0] for problem in report.problems] == [
        "this is a web page",
        "this is a PDF",
    ]


def test_json_without_papers_is_refused_once(ingest: Ingest) -> None:
    (problem,) = ingest("queries.jsonl", b'{"_id": "1", "text": "Does ice melt?"}\n' * 500).problems
    assert "no paper is recognised in it" in problem.reason


def test_json_written_by_list_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text(json.dumps([{"id": "a", "title": None, "abstract": "Ice melts.", "authors": []}]), encoding="utf-8")
    assert list(read_records(file)) == [Record("Ice melts.", source="list.json")]
