"""Files to records: every layout, and what is said of a line that is none."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from assistant.errors import InputError
from assistant.schema import Record
from ingest.parsers.base import Problem
from ingest.parsers.detect import find_files, parse, read_records

ICE = "Glaciers in the Alps lost a third of their ice. " * 6
BEES = "Honey bees tell the place of flowers by a dance. " * 6
BREAD = "Sourdough rises by wild yeast and by bacteria. " * 6
ABSTRACTS = [text.strip() for text in (ICE, BEES, BREAD)]
ICE, BEES, BREAD = ABSTRACTS
BANNER = "Get trending papers in your email inbox once a day!\nGet trending papers in your email inbox!\n"


def parsed(text: str) -> tuple[list[Record], list[Problem]]:
    """Records and problems of a file's text."""
    items = list(parse(text.encode(), "x.txt"))
    return [i for i in items if isinstance(i, Record)], [i for i in items if isinstance(i, Problem)]


def only_records(text: str) -> list[Record]:
    records, problems = parsed(text)
    assert problems == []
    return records


# Lines with a prefix


@pytest.mark.parametrize("prefix", ["Abstract:", "Abstract: ", "ABSTRACT :\t", "abstract:"])
def test_a_line_with_the_prefix_is_an_abstract(prefix: str) -> None:
    assert only_records(f"{prefix}Ice melts.\n") == [Record("Ice melts.", source="x.txt")]


def test_records_know_their_lines_although_some_are_blank() -> None:
    records = only_records("\n\nAbstract: Ice melts.\n\n \nAbstract: Bees dance.\n")
    assert [record.line for record in records] == [3, 6]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Ice melts.", "does not begin with 'Abstract:'"),
        ("Abstract: ", "no text after"),
        ("Abstract:", "no text after"),
    ],
)
def test_a_line_that_holds_no_abstract_is_reported_and_the_others_are_read(line: str, reason: str) -> None:
    records, (problem,) = parsed(f"Abstract: Bees dance.\n{line}\nAbstract: Bread rises.\n")
    assert [record.abstract for record in records] == ["Bees dance.", "Bread rises."]
    assert (problem.source, problem.line, problem.lost) == ("x.txt", 2, True)
    assert reason in problem.reason


# Titles and abstracts in turn


def test_a_title_goes_with_the_abstract_below_it() -> None:
    assert only_records(f"On Ice\n{ICE}\nOn Bees\n{BEES}\n") == [
        Record(ICE, title="On Ice", source="x.txt"),
        Record(BEES, title="On Bees", source="x.txt"),
    ]


@pytest.mark.parametrize("title", ["ETHER: On Ice", "3D Ice", "Ω-Ice", "Subscribers and Ice"])
def test_banner_and_button_of_the_page_are_left_out(title: str) -> None:
    (record,) = only_records(f"{BANNER}Subscribe{title}\n{ICE}\n")
    assert record.title == title


@pytest.mark.parametrize("title", ["SubscribeAll: On Ice", "Subscribers and Ice"])
def test_without_the_banner_a_title_stays_as_it_is(title: str) -> None:
    (record,) = only_records(f"{title}\n{ICE}\n")
    assert record.title == title


def test_a_title_without_abstract_is_reported_and_the_others_are_read() -> None:
    records, problems = parsed(f"On Ice\n{ICE}\nOn Bees\n{BEES}\nLost\nOn Bread\n{BREAD}\nOn Ice\n{ICE}\nLost too")
    assert [record.title for record in records] == ["On Ice", "On Bees", "On Bread", "On Ice"]
    assert [(problem.line, problem.lost) for problem in problems] == [(5, True), (10, True)]


def test_an_abstract_without_title_is_kept_with_a_warning() -> None:
    long = " ".join([BREAD, BREAD])
    records, (warning,) = parsed(f"On Ice\n{ICE}\n{long}\nOn Bees\n{BEES}\nOn Ice\n{ICE}\nOn Ice\n{ICE}")
    assert Record(long, source="x.txt") in records
    assert (warning.line, warning.lost) == (3, False)


# Titles, authors and abstracts in turn


def test_authors_stand_between_title_and_abstract() -> None:
    text = f"Lin, Yong\nOn Ice\nLin, Yong, van der Berg, Anna Maria\n{ICE}\nOn Bees\nO'Neil, Zoë\n{BEES}\n"
    assert only_records(text) == [
        Record(ICE, title="On Ice", authors=("Yong Lin", "Anna Maria van der Berg"), source="x.txt"),
        Record(BEES, title="On Bees", authors=("Zoë O'Neil",), source="x.txt"),
    ]


def test_a_list_of_one_publication_is_read() -> None:
    (record,) = only_records(f"Lin, Yong\nOn Ice\nLin, Yong, Tang, Shange\n{ICE}\n")
    assert record.authors == ("Yong Lin", "Shange Tang")


def test_a_line_out_of_place_is_reported_and_the_others_are_read() -> None:
    group = f"On Ice\nLin, Yong\n{ICE}\n"
    records, (problem,) = parsed(f"{group}{group}On Nothing\n{group}")
    assert [record.title for record in records] == ["On Ice"] * 3
    assert (problem.line, problem.lost) == (7, True)


# Every layout


@pytest.mark.parametrize("before", ["Abstract: ", "On Ice\n", "On Ice\nLin, Yong\n"])
def test_a_line_too_long_for_an_abstract_is_reported_and_the_others_are_read(before: str) -> None:
    text = "".join(f"{before}{abstract}\n" for abstract in (BEES, "x" * 20_001, BREAD, ICE, ICE, ICE))
    records, problems = parsed(text)
    assert [record.abstract for record in records] == [BEES, BREAD, ICE, ICE, ICE]
    last = 2 * (before.count("\n") + 1)
    assert any(problem.line == last and "is too long for an abstract" in problem.reason for problem in problems)
    assert all(problem.lost and last - 1 <= problem.line <= last for problem in problems)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "binary"),
        (b"Abstract: ice\x00bees", "binary"),
        (b"Ice melts.\nBees dance.\n", "no record is recognised"),
        (b"Title\n" * 10, "no record is recognised"),
    ],
)
def test_a_file_without_a_record_is_an_error_that_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=f"^x.txt.*: .*{reason}"):
        list(parse(data, "x.txt"))


def test_a_line_of_another_encoding_is_read_with_a_warning() -> None:
    items = list(parse("Abstract: Über Bäume.\n".encode("cp1252") + "Abstract: Über Eis.\n".encode(), "x.txt"))
    warning, *records = items
    assert isinstance(warning, Problem)
    assert (warning.line, warning.lost) == (1, False)
    assert records == [Record("Über Bäume.", source="x.txt"), Record("Über Eis.", source="x.txt")]


def test_a_byte_order_mark_is_no_part_of_a_first_line_of_another_encoding() -> None:
    warning, record = parse(b"\xef\xbb\xbf" + "Abstract: Über Bäume.\n".encode("cp1252"), "x.txt")
    assert isinstance(warning, Problem)
    assert "(byte 11)" in warning.reason
    assert record == Record("Über Bäume.", source="x.txt")


@pytest.mark.parametrize("character", ["\x1b", "\x7f", "\u0085", "\u00a0", "\u2028", "\u3000"])
def test_what_cannot_be_printed_becomes_a_space_wherever_it_stands(character: str) -> None:
    (record,) = only_records(f"Abstract: {'x' * 100}{character}bees{character}\n")
    assert record.abstract == f"{'x' * 100} bees"


def test_control_characters_become_spaces() -> None:
    assert only_records("Abstract: ice\x1b[31m\u2028bees\u200b\n")[0].abstract == "ice [31m bees"


# Paths


def test_a_folder_gives_its_files_with_papers_by_name_and_then_those_of_its_folders(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "folder.txt").mkdir()
    wanted = [
        tmp_path / name for name in ("a.txt", "b.TXT", "readme-too.txt", "unnamed", "deep/c.txt", "deep/deeper/d.txt")
    ]
    for file in [*wanted, tmp_path / "README.md", tmp_path / ".hidden.txt"]:
        file.write_text("Abstract: Ice melts.", encoding="utf-8")
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.7 Abstract: Ice melts.")
    (tmp_path / "script.py").write_text("print('Abstract')", encoding="utf-8")
    assert list(find_files(tmp_path)) == wanted


def test_a_file_named_on_its_own_is_taken_whatever_its_name(tmp_path: Path) -> None:
    file = tmp_path / "papers"
    file.write_text("Abstract: Ice melts.", encoding="utf-8")
    assert list(find_files(file)) == [file]
    assert list(read_records(file)) == [Record("Ice melts.", source="papers")]


def test_a_folder_without_papers_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the folder holds no file with papers in it"):
        list(find_files(tmp_path))


def test_a_path_too_long_for_the_system_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a" * 300):
        list(find_files(tmp_path / ("a" * 300)))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_the_source_of_a_file_whose_name_is_not_utf_8_can_be_written_down(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.txt")
    file.write_text("Abstract: Ice melts.", encoding="utf-8")
    (record,) = read_records(file)
    assert isinstance(record, Record)
    assert record.source.encode("utf-8").startswith(b"caf")
