"""The raw archive: what is flushed survives a SIGKILL, files are whole after it, disks may fail, hours change."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cors.archive import hour_file
from cors.archive.places import hour_path
from cors.archive.raw_archive import MOST_WAITING_BYTES, RawArchive, keep_flushing
from cors.archive.reading import read_between, read_file, read_recent
from cors.archive.time_tags import read_tags, tag_path
from cors.archive.whole_frames import whole_frames
from cors.gnss.time import NS, gpst_from_calendar
from tests.cors.archive.frames import STATION_1005, crc24q, frame

HOUR = gpst_from_calendar(2026, 11, 25, 12)
ROOT = Path(__file__).parents[3]


def frames_of(data: bytes) -> list[bytes]:
    """Whole good frames that lie back to back; fails on anything else."""
    found, at = [], 0
    while at < len(data):
        assert data[at] == 0xD3
        end = at + 6 + int.from_bytes(data[at + 1 : at + 3], "big")
        assert end <= len(data) and crc24q(data[at:end]) == 0
        found.append(data[at:end])
        at = end
    return found


def write(archive: RawArchive, station: str, begin: int, count: int) -> list[bytes]:
    """A frame a second from `begin` on."""
    sent = [frame(1077, k.to_bytes(4, "big") * 5) for k in range(count)]
    for k, data in enumerate(sent):
        archive.append(station, data, begin + k * NS)
    return sent


@pytest.mark.parametrize("lines", [1, 7, 40])
def test_a_killed_writer_loses_nothing_that_was_flushed(tmp_path: Path, lines: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cors.archive.writer_process", str(tmp_path), str(HOUR)],
        stdout=subprocess.PIPE, cwd=ROOT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    safe = [int(process.stdout.readline()) for _ in range(lines)][-1]
    process.kill()
    process.stdout.close()
    assert process.wait() == -9
    path = hour_path(tmp_path, "KILL00CHN", HOUR)
    before = path.read_bytes()
    assert len(before) >= safe
    archive = RawArchive(tmp_path)
    archive.append("KILL00CHN", STATION_1005, HOUR + 3000 * NS)
    archive.close()
    after = path.read_bytes()
    assert frames_of(after)[-1] == STATION_1005 and after[:safe] == before[:safe]
    tags = read_tags(tag_path(path))
    assert tags.ends[-1] == len(after) and (tags.times[-1] - HOUR) // NS == 3000
    assert b"".join(p.data for p in read_file(path, "KILL00CHN")) == after


@pytest.mark.parametrize("cut", [1, 2, 3, 10, 27])
@pytest.mark.parametrize("tags", ["whole", "cut", "none", "broken"])
def test_what_a_crash_leaves_is_mended(tmp_path: Path, cut: int, tags: str) -> None:
    archive = RawArchive(tmp_path)
    sent = write(archive, "A", HOUR, 10)
    archive.close()
    path = hour_path(tmp_path, "A", HOUR)
    os.truncate(path, path.stat().st_size - cut)
    content = tag_path(path).read_bytes()
    if tags == "none":
        tag_path(path).unlink()
    elif tags == "broken":
        tag_path(path).write_bytes(b"\0" * 500)
    elif tags == "cut":
        tag_path(path).write_bytes(content[:-19])  # two and a half records: data went further
    archive = RawArchive(tmp_path)
    archive.append("A", STATION_1005, HOUR + 20 * NS)
    archive.flush()
    assert archive.counts()["A"].mended_bytes == len(sent[-1]) - cut
    assert path.read_bytes() == b"".join(sent[:-1]) + STATION_1005
    pieces = list(read_file(path, "A"))
    assert b"".join(p.data for p in pieces) == b"".join(sent[:-1]) + STATION_1005
    assert pieces[-1].data == STATION_1005 and pieces[-1].received == HOUR + 20 * NS
    times = [p.received for p in pieces]
    assert times == sorted(times)
    archive.close()


def test_whole_frames_keeps_what_is_no_frame() -> None:
    assert whole_frames(b"text" + STATION_1005 + b"junk") == 4 + 25 + 4
    assert whole_frames(STATION_1005 + STATION_1005[:24]) == 25
    assert whole_frames(b"") == 0 and whole_frames(b"\xd3") == 0 and whole_frames(b"\xd3\xff\xff\xff") == 4


def test_hours_change_by_time_of_reception(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    sent = write(archive, "A", HOUR + 3597 * NS, 6)
    archive.close()
    first, second = hour_path(tmp_path, "A", HOUR), hour_path(tmp_path, "A", HOUR + 3600 * NS)
    assert frames_of(first.read_bytes()) == sent[:3] and frames_of(second.read_bytes()) == sent[3:]
    assert read_tags(tag_path(second)).tick_ms == 0 and read_tags(tag_path(first)).tick_ms == 3_597_000


def test_the_last_minutes_of_all_stations_in_the_order_they_came(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    sent = {name: write(archive, name, HOUR + 3500 * NS + n * NS // 10, 200) for n, name in enumerate("CAB")}
    archive.flush()  # still open: a running archive can be read
    now = HOUR + 3700 * NS
    pieces = list(read_recent(tmp_path, now, 150.0))
    assert [p.received for p in pieces] == sorted(p.received for p in pieces)
    assert pieces[0].received == HOUR + 3550 * NS and len(pieces) == 450
    for name, frames in sent.items():
        assert [p.data for p in pieces if p.station == name] == frames[50:]
    only = list(read_between(tmp_path, HOUR, now, ["B", "GONE"]))
    assert {p.station for p in only} == {"B"} and len(only) == 200
    archive.close()


def test_a_clock_that_steps_back_keeps_the_bytes_and_the_order(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    for k, second in enumerate([3590, 3600, 3595, 3601]):
        archive.append("A", frame(1077, bytes([k]) * 9), HOUR + second * NS)
    archive.close()
    first = hour_path(tmp_path, "A", HOUR)
    assert [f[5] for f in frames_of(first.read_bytes())] == [0, 2]
    assert [f[5] for f in frames_of(hour_path(tmp_path, "A", HOUR + 3600 * NS).read_bytes())] == [1, 3]


def test_a_full_disk_is_reported_kept_for_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = RawArchive(tmp_path)
    sent = write(archive, "A", HOUR, 3)
    archive.flush()
    real, half = os.pwrite, []

    def full(descriptor: int, data: bytes, at: int) -> int:
        if half:
            raise OSError(28, "No space left on device")
        half.append(at)
        return real(descriptor, bytes(data)[: len(data) // 2], at)

    monkeypatch.setattr(hour_file.os, "pwrite", full)
    more = write(archive, "A", HOUR + 10 * NS, 3)
    archive.flush()
    counts = archive.counts()["A"]
    assert counts.errors == 1 and counts.last_error.endswith("No space left on device")
    assert counts.waiting_bytes == sum(map(len, more)) and counts.lost_bytes == 0
    assert frames_of(hour_path(tmp_path, "A", HOUR).read_bytes()) == sent  # the half was taken back
    block = frame(1077, bytes(1000)) * 50
    for k in range(2 * MOST_WAITING_BYTES // len(block)):
        archive.append("A", block, HOUR + 20 * NS + k)
    assert archive.counts()["A"].waiting_bytes <= MOST_WAITING_BYTES and archive.counts()["A"].lost_bytes > 0
    monkeypatch.undo()
    archive.close()
    written = hour_path(tmp_path, "A", HOUR).read_bytes()
    assert written == b"".join(sent) + block * (len(written) // len(block)) and len(written) > len(block)


def test_a_bad_folder_stops_one_station_only(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "BAD").write_text("a file where a folder should be")
    archive = RawArchive(tmp_path)
    write(archive, "BAD", HOUR, 2)
    sent = write(archive, "GOOD", HOUR, 2)
    archive.flush()
    assert archive.counts()["BAD"].errors == 1
    assert frames_of(hour_path(tmp_path, "GOOD", HOUR).read_bytes()) == sent
    with pytest.raises(ValueError, match="not a station name"):
        archive.append("../../etc", b"", HOUR)
    archive.close()


async def test_flushing_goes_on_until_it_is_cancelled_and_then_once_more(tmp_path: Path) -> None:
    archive, turns = RawArchive(tmp_path), asyncio.Semaphore(0)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await turns.acquire()

    task = asyncio.create_task(keep_flushing(archive, 1.0, sleep))
    first = write(archive, "A", HOUR, 1)
    turns.release()
    while len(slept) < 2:
        await asyncio.sleep(0)
    path = hour_path(tmp_path, "A", HOUR)
    assert frames_of(path.read_bytes()) == first
    second = write(archive, "A", HOUR + 5 * NS, 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert frames_of(path.read_bytes()) == first + second and slept[0] == 1.0
