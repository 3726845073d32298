"""RTKLIB's str2str replays our raw hours by their tags, and we read the tags that it writes."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from cors.archive.places import hour_path
from cors.archive.raw_archive import RawArchive
from cors.archive.reading import read_file
from cors.archive.time_tags import read_tags, tag_path
from cors.gnss.time import NS, gpst_from_calendar
from tests.cors.archive.frames import frame
from tests.programs import program

HOUR = gpst_from_calendar(2026, 11, 25, 12)


def archived(root: Path) -> tuple[Path, bytes]:
    """An hour file of 3 s with four frames a second."""
    archive, sent = RawArchive(root), b""
    for k in range(12):
        data = frame(1077, bytes([k]) * 200)
        archive.append("STR100AUS", data, HOUR + k * NS // 4)
        sent += data
    archive.close()
    return hour_path(root, "STR100AUS", HOUR), sent


def pour(arguments: list[str], tmp_path: Path, wanted: int) -> bytes:
    """What str2str pours into a pipe as its last output; the pipe opens when both are there, so nothing is lost."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [program("str2str"), *arguments, "-out", f"file://{pipe}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    received = b""
    try:
        with pipe.open("rb", buffering=0) as file:
            while len(received) < wanted and (chunk := file.read(1 << 16)):
                received += chunk
            process.send_signal(signal.SIGINT)
            process.wait()
    finally:
        process.kill()
        process.wait()
    return received


def test_str2str_replays_an_hour_by_its_tags(tmp_path: Path) -> None:
    path, sent = archived(tmp_path)
    assert pour(["-in", f"{path}::T::x10"], tmp_path, len(sent)) == sent


def test_we_read_the_tags_str2str_writes(tmp_path: Path) -> None:
    path, sent = archived(tmp_path)
    copy = tmp_path / "copy.rtcm3"
    assert pour(["-in", f"{path}::T::x3", "-out", f"{copy}::T"], tmp_path, len(sent)) == sent
    assert read_tags(tag_path(copy)).ends[-1] == len(sent)
    pieces = list(read_file(copy, "STR100AUS"))
    assert b"".join(piece.data for piece in pieces) == sent
    assert 0 < pieces[-1].received - pieces[0].received < 2.75 * NS
