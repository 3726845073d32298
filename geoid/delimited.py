"""Delimited text as it comes from offices and instruments: bytes to lines, lines to fields.

Decides: encoding by byte order mark, else UTF-8 if the beginning is UTF-8, else GB18030 (which holds GBK and GB2312);
the delimiter by the first line: comma, tab, semicolon, bar, else blanks. A quoted field may run over some lines.
Memory is bounded whatever comes: a line of more than `LONGEST_LINE` characters is cut, an open quote is given up.
"""

from __future__ import annotations

import codecs
import collections
import csv
import itertools
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

_READ = 1 << 20
_SAMPLE = 1 << 18
LONGEST_LINE = 1 << 16
_LARGEST_BLOCK = 1 << 23
"""Characters after which a block ends, however few its records."""
_AT_ONCE = 32
_MOST_QUOTED_LINES = 16
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = (",", "\t", ";", "|", "，")
BLANKS = " "
"""Stands for any run of blanks as delimiter."""


class Decoded(NamedTuple):
    """Lines with their line ends, and the encoding they were in."""

    encoding: str
    lines: Iterator[str]


class Block(NamedTuple):
    """Some records of a table, in order."""

    texts: list[str]
    """Each record without its line end."""
    lines: Sequence[int]
    """The line of the table, from 1, on which each begins."""
    flat: list[str] | None
    """Regular block: all fields one after the other, `width` a record."""
    fields: list[list[str] | None]
    """Any other block: the fields of each record, None for comments and blank lines."""
    width: int

    def column(self, position: int) -> list[str]:
        """One column of a regular block."""
        return [] if self.flat is None else self.flat[position :: self.width]


def decode(stream: BinaryIO) -> Decoded:
    """Lines of a byte stream. What fits no encoding comes out with replacement characters, never as an exception."""
    sample = stream.read(_SAMPLE)
    encoding = next((name for mark, name in _MARKS if sample.startswith(mark)), None) or _guess(sample)
    return Decoded(encoding, _lines(stream, sample, encoding))


def _guess(sample: bytes) -> str:
    """UTF-8 unless the sample (which may end within a character) is not."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _lines(stream: BinaryIO, sample: bytes, encoding: str) -> Iterator[str]:
    """Complete lines, then what is left."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    rest, block = "", sample
    while block:
        *lines, rest = (rest + decoder.decode(block)).split("\n")
        yield from (line + "\n" for line in lines)
        while len(rest) > LONGEST_LINE:
            yield rest[:LONGEST_LINE] + "\n"
            rest = rest[LONGEST_LINE:]
        block = stream.read(_READ)
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest


def detect_delimiter(line: str) -> str:
    """The delimiter of a table by its first line: the one that makes most fields, at least three; else blanks."""
    best = max(_DELIMITERS, key=lambda delimiter: len(split(line, delimiter)))
    return best if len(split(line, best)) >= 3 else BLANKS


def split(line: str, delimiter: str) -> list[str]:
    """Fields of one line, read leniently."""
    if delimiter == BLANKS:
        return line.split()
    fields = _strict(line, delimiter)
    return fields if fields is not None else line.split(delimiter)


def _strict(text: str, delimiter: str) -> list[str] | None:
    """Fields of a record whose quotes are in order; None where they are not."""
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([line + "\n" for line in text.split("\n")], delimiter=delimiter, strict=True), None)
    except csv.Error:
        return None


def is_empty(text: str, delimiter: str, width: int) -> bool:
    """Whether a line holds no record: blank, only delimiters, or begun with # or % and not as wide as a record."""
    if text[:1] in ("#", "%"):
        return (len(text.split()) if delimiter == BLANKS else text.count(delimiter) + 1) != width
    return not text.strip(" \t" + delimiter)


def blocks(lines: Iterator[str], delimiter: str, width: int, size: int, first_line: int) -> Iterator[Block]:
    """Blocks of about `size` records; `first_line` is the number of the first of these lines in the table."""
    while raw := _taken(lines, size):
        block = _regular(raw, delimiter, width, first_line) or _irregular(raw, lines, delimiter, width, first_line)
        first_line = block.lines[-1] + block.texts[-1].count("\n") + 1
        yield block


def _taken(lines: Iterator[str], size: int) -> list[str]:
    """The next lines without their ends: `size` of them, or fewer if they are long."""
    raw: list[str] = []
    characters = 0
    while len(raw) < size and characters < _LARGEST_BLOCK:
        some = [line.rstrip("\r\n") for line in itertools.islice(lines, min(_AT_ONCE, size - len(raw)))]
        if not some:
            break
        raw += some
        characters += sum(map(len, some))
    return raw


def _regular(raw: list[str], delimiter: str, width: int, first_line: int) -> Block | None:
    """The block if it is lines of `width` plain fields and nothing else, split in one go."""
    whole = "\n".join(raw)
    if delimiter == BLANKS or '"' in whole:
        return None
    if set(map(str.count, raw, itertools.repeat(delimiter))) != {width - 1} or delimiter * (width - 1) in raw:
        return None
    flat = whole.replace("\n", delimiter).split(delimiter)
    return Block(raw, range(first_line, first_line + len(raw)), flat, [], width)


def _irregular(raw: list[str], more: Iterator[str], delimiter: str, width: int, first_line: int) -> Block:
    """The block record by record; a quoted field left open at its end goes on in `more`."""
    texts: list[str] = []
    fields: list[list[str] | None] = []
    lines: list[int] = []
    pending = collections.deque(raw)
    number = first_line
    while pending:
        text = pending.popleft()
        if is_empty(text, delimiter, width):
            cells = None
        elif delimiter == BLANKS:
            cells = text.split()
        else:
            text = _closed(text, pending, more, delimiter)
            cells = split(text, delimiter)
        texts.append(text)
        fields.append(cells)
        lines.append(number)
        number += text.count("\n") + 1
    return Block(texts, lines, None, fields, width)


def _closed(text: str, pending: collections.deque[str], more: Iterator[str], delimiter: str) -> str:
    """A record with the lines its quoted field goes on over; if no quote closes it, the line with quotes doubled."""
    state = "plain" if _strict(text, delimiter) is not None else _quoting(text, delimiter, "start")
    length = len(text)
    for taken in range(_MOST_QUOTED_LINES):
        if state != "quoted":
            whole = "\n".join([text, *itertools.islice(pending, taken)])
            if taken and _strict(whole, delimiter) is None:
                break
            for _ in range(taken):
                pending.popleft()
            return whole
        if taken == len(pending):
            following = next(more, None)
            if following is None or length > LONGEST_LINE:
                break
            pending.append(following.rstrip("\r\n"))
        length += len(pending[taken])
        state = _quoting("\n" + pending[taken], delimiter, state)
    return delimiter.join(quoted(field, delimiter) for field in text.split(delimiter))


def _quoting(text: str, delimiter: str, state: str) -> str:
    """Where a reader of fields stands after the text: start, plain, quoted, or after a quote in a quoted field."""
    for sign in text:
        if state == "quoted":
            state = "after" if sign == '"' else state
        elif state == "after" and sign == '"':
            state = "quoted"
        elif sign == delimiter:
            state = "start"
        else:
            state = "quoted" if state == "start" and sign == '"' else "plain"
    return state


def quoted(field: str, delimiter: str) -> str:
    """A field as written: in quotes if it must be; among blanks its own blanks become underscores, nothing a dash."""
    if delimiter == BLANKS:
        return "_".join(field.split()) or "-"
    if delimiter in field or '"' in field or "\n" in field:
        return '"' + field.replace('"', '""') + '"'
    return field
