"""Records and encodings as Parquet. The only home of pyarrow.

The columns have types of their own, so that other programs can read the files: vectors are lists of floats.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from assistant.encodings import EncodedPaper, WordVectors
from assistant.errors import InputError
from assistant.schema import Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)

DIGEST_BYTES = 16
# Rows beyond this number are not what `paperchat embed` writes into one part.
MAX_ROWS = 1 << 16
_MAX_BYTES = 1 << 30
_TEXTS = ("title", "venue", "doi", "arxiv_id", "url")
_LISTS = ("authors", "keywords", "match_keys")


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record with its match keys, which take longer to compute than to read."""

    record: Record
    match_keys: frozenset[str]


def require_pyarrow() -> None:
    """Raise InputError where pyarrow is not installed."""
    _libraries()


def arrow_table(columns: Mapping[str, Sequence[object]]) -> Any:
    """Return columns as a table of pyarrow, which Ray Data reads too."""
    arrow, _ = _libraries()
    return arrow.table(dict(columns))


def records_data(records: Sequence[ReadRecord]) -> bytes:
    """Return records as a Parquet file."""
    arrow, _ = _libraries()
    described = [read.record for read in records]
    columns = {name: [getattr(record, name) for record in described] for name in ("abstract", "source", *_TEXTS)}
    numbers = {name: [getattr(record, name) for record in described] for name in ("year", "line")}
    lists = {name: [list(getattr(record, name)) for record in described] for name in ("authors", "keywords")}
    lists["match_keys"] = [sorted(read.match_keys) for read in records]
    return _write(arrow.table(columns | numbers | lists, schema=_record_schema()), compression="zstd")


def read_records(data: bytes, name: str) -> list[ReadRecord]:
    """Return the records of a Parquet file. Raise InputError, which names the file, where it is not one of records."""
    read = _read(data, name, _record_schema())
    columns = {column: read[column].to_pylist() for column in read.column_names}
    try:
        return [_record(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]
    except (TypeError, ValueError) as error:
        raise _damaged(name, str(error)) from error


def encodings_data(encodings: Mapping[bytes, EncodedPaper], dimension: int) -> bytes:
    """Return the encodings of papers, by the digests of their texts, as a Parquet file."""
    arrow, _ = _libraries()
    papers = list(encodings.values())
    vectors = np.concatenate([np.empty((0, dimension), np.float32), *(paper.vectors for paper in papers)])
    starts = np.concatenate([np.empty(0, np.int32), *(paper.words.starts for paper in papers)])
    width = _bit_bytes(dimension)
    bits = [np.empty((0, width), np.uint8), *(paper.words.bits for paper in papers if len(paper.words.starts))]
    word_offsets = _offsets([len(paper.words.starts) for paper in papers])
    digests = np.frombuffer(b"".join(encodings), np.uint8)
    chunk_vectors = arrow.FixedSizeListArray.from_arrays(_array(vectors, arrow.float32()), dimension)
    columns = [
        _array(digests, arrow.binary(DIGEST_BYTES)),
        _lists(_offsets([len(paper.vectors) for paper in papers]), chunk_vectors),
        _lists(word_offsets, _array(starts, arrow.int32())),
        _lists(word_offsets, _array(np.concatenate(bits), arrow.binary(width))),
    ]
    table = arrow.Table.from_arrays(columns, schema=_encoding_schema(dimension))
    # Neither vectors nor bits have anything that compression could take away.
    return _write(table, compression="none", use_dictionary=False)


def read_text_digests(data: bytes, name: str, dimension: int) -> list[bytes]:
    """Return the digests of the texts whose encodings a Parquet file has. Raise InputError as `read_encodings`."""
    digests: list[bytes] = _read(data, name, _encoding_schema(dimension), ["text"])["text"].to_pylist()
    return digests


def read_encodings(data: bytes, name: str, dimension: int) -> dict[bytes, EncodedPaper]:
    """Return the encodings of a Parquet file by digest. Raise InputError where it has none of this dimension."""
    table = _read(data, name, _encoding_schema(dimension))
    width = _bit_bytes(dimension)
    vector_offsets, vectors = _flat(table["vectors"])
    starts_offsets, starts = _flat(table["word_starts"])
    bits_offsets, bits = _flat(table["word_bits"])
    flat_vectors = _values(vectors.flatten(), np.float32).reshape(-1, dimension)
    flat_starts = _values(starts, np.int32)
    flat_bits = _values(bits, np.uint8, width).reshape(-1, width)
    if not np.array_equal(starts_offsets, bits_offsets) or not np.isfinite(flat_vectors).all():
        raise _damaged(name, "its vectors do not belong together")
    encodings: dict[bytes, EncodedPaper] = {}
    for row, digest in enumerate(table["text"].to_pylist()):
        first, last = vector_offsets[row], vector_offsets[row + 1]
        first_word, last_word = starts_offsets[row], starts_offsets[row + 1]
        words = WordVectors(flat_starts[first_word:last_word], flat_bits[first_word:last_word])
        encodings[digest] = EncodedPaper(flat_vectors[first:last], words)
    return encodings


@cache
def _record_schema() -> Any:
    arrow, _ = _libraries()
    texts = [arrow.field(name, arrow.string(), nullable=name in _TEXTS) for name in ("abstract", "source", *_TEXTS)]
    numbers = [arrow.field("year", arrow.int64()), arrow.field("line", arrow.int64(), nullable=False)]
    text = arrow.field("item", arrow.string(), nullable=False)
    lists = [arrow.field(name, arrow.list_(text), nullable=False) for name in _LISTS]
    return arrow.schema([*texts, *numbers, *lists])


@cache
def _encoding_schema(dimension: int) -> Any:
    arrow, _ = _libraries()
    vector = arrow.list_(arrow.field("item", arrow.float32(), nullable=False), dimension)
    items = {"vectors": vector, "word_starts": arrow.int32(), "word_bits": arrow.binary(_bit_bytes(dimension))}
    lists = [
        arrow.field(name, arrow.list_(arrow.field("item", item, nullable=False)), nullable=False)
        for name, item in items.items()
    ]
    return arrow.schema([arrow.field("text", arrow.binary(DIGEST_BYTES), nullable=False), *lists])


def _write(table: Any, **options: Any) -> bytes:
    _, parquet = _libraries()
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, write_statistics=False, **options)
    return buffer.getvalue()


def _read(data: bytes, name: str, schema: Any, columns: list[str] | None = None) -> Any:
    """Return the table of a Parquet file that must have these columns, without missing values, as one chunk each."""
    arrow, parquet = _libraries()
    try:
        with parquet.ParquetFile(io.BytesIO(data)) as file:
            groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
            if file.metadata.num_rows > MAX_ROWS or sum(group.total_byte_size for group in groups) > _MAX_BYTES:
                raise _damaged(name, "it is larger than any part")
            if file.schema_arrow.remove_metadata() != schema:
                raise _damaged(name, "it has other columns")
            table = file.read(columns).combine_chunks()
            table.validate(full=True)
            return table
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise _damaged(name, str(error)) from error


def _record(row: dict[str, Any]) -> ReadRecord:
    keys = frozenset(row.pop("match_keys"))
    record = Record(**row | {name: tuple(row[name]) for name in ("authors", "keywords")})
    if not (record.abstract or record.title) or not keys or not record.source:
        raise ValueError("a record has neither title nor abstract, or no source")
    return ReadRecord(record, keys)


def _offsets(lengths: Sequence[int]) -> NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int32)


def _lists(offsets: NDArray[np.int32], values: Any) -> Any:
    arrow, _ = _libraries()
    item = arrow.field("item", values.type, nullable=False)
    return arrow.ListArray.from_arrays(_array(offsets, arrow.int32()), values, type=arrow.list_(item))


def _flat(column: Any) -> tuple[NDArray[np.int64], Any]:
    """Return the offsets of a column of lists, from 0, and the values of all its lists."""
    lists = column.combine_chunks()
    lists = lists.chunk(0) if hasattr(lists, "chunk") else lists
    offsets = _values(lists.offsets, np.int32).astype(np.int64)
    return offsets - offsets[0], lists.flatten()


def _array(values: NDArray[Any], item: Any) -> Any:
    """Return the bytes of values as an array of a type of fixed width.

    `pyarrow.array` would do the same, but imports pandas, which takes a second.
    """
    arrow, _ = _libraries()
    length = values.nbytes * 8 // item.bit_width
    return arrow.Array.from_buffers(item, length, [None, arrow.py_buffer(np.ascontiguousarray(values))])


def _values(array: Any, dtype: type[Number], width: int = 1) -> NDArray[Number]:
    """Return what an array of fixed width holds; `width` is how many numbers make one of its values.

    Its own `to_numpy` would do the same, but imports pandas.
    """
    buffer = array.buffers()[1]
    data = np.frombuffer(buffer, dtype) if buffer is not None else np.empty(0, dtype)
    return data[array.offset * width : (array.offset + len(array)) * width]


def _bit_bytes(dimension: int) -> int:
    return (dimension + 7) // 8


def _damaged(name: str, reason: str) -> InputError:
    return InputError(name, f"is not a part that paperchat embed wrote, or is damaged: {reason.splitlines()[0]}")


@cache
def _libraries() -> tuple[Any, Any]:
    """Return pyarrow and its Parquet module. Raise InputError where they are not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("Parquet", "cannot be read or written: run pip install 'paperchat[parquet]'") from error
    return pyarrow, pyarrow.parquet
