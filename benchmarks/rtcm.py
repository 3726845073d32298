"""RTCM 3 against RTKLIB's C decoder and encoder (pyrtklib5) and pyrtcm: same bytes, answers compared first, one core.

A file in the page cache, decoded in 1 MB blocks into arrays that are used again (RTKLIB reads by `fgetc` and fills its
own structures: that is its design and counts). Process time, rounds interleaved, medians. The bytes are a recorded MSM7
stream of the data collection (CORSNET_DATA), or what our own encoder makes where the collection is missing.
"""

from __future__ import annotations

import gzip
import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyrtklib5 as rtklib
from pyrtcm import RTCMReader

from cors.gnss.observations import concatenate
from cors.gnss.time import NS, parse_time
from cors.rtcm import _encode_kernels as encode_kernels
from cors.rtcm.encoder_rows import fresh_memory, kernel_rows
from cors.rtcm.msm import MsmEncoder, MsmType, encode_epochs
from cors.rtcm.observation_rows import decode_blocks
from cors.rtcm.recording import decode_recording
from cors.rtcm.station_epochs import StationEpoch
from cors.rtcm.stream import StreamDecoder, decode_stream
from tests.cors.rtcm.peers import Rtklib, rtklib_observations
from tests.cors.rtcm.samples import CHANNELS, NOW, observations

RECORDED = Path(os.environ.get("CORSNET_DATA", Path(__file__).parents[2] / "shared" / "data")) / "rtcm" / "streams"
STREAM, START = "single_station/week-rollover-STR17.rtcm3.gz", "2018-07-14T23:50:00"
BEFORE_THE_WEEK_CHANGE = 1_200_000
"""Bytes of it: RTKLIB loses the week behind."""
FILE_BYTES = 50_000_000
ROUNDS = 7
LIVE_BAR_US = 40.0

Row = tuple[str, float, float, float, float]
"""Name, ours, the peer's, ratio (above 1 is faster), and the ratio that must be reached."""


def run() -> list[Row]:
    """Rows of this room. Raises AssertionError where the answers differ."""
    data, start = _stream()
    return [*_file(data, start), _pyrtcm(data, start), _live(data, start), _encoder(data, start)]


def _stream() -> tuple[bytes, int]:
    path = RECORDED / STREAM
    if path.exists():
        return gzip.decompress(path.read_bytes())[:BEFORE_THE_WEEK_CHANGE], parse_time(START)
    encoder, rows = MsmEncoder(MsmType.MSM7), observations(1, "GREJC", 9)
    return b"".join(encoder.encode(NOW + k * NS, 1, rows, CHANNELS) for k in range(600)), NOW


def _medians(*contestants: Callable[[], object]) -> list[float]:
    """Seconds of process time each, rounds interleaved, the first unmeasured."""
    times: list[list[float]] = [[] for _ in contestants]
    for round_number in range(ROUNDS + 1):
        for contestant, taken in zip(contestants, times, strict=True):
            begun = time.process_time()
            contestant()
            if round_number:
                taken.append(time.process_time() - begun)
    return [statistics.median(taken) for taken in times]


def _pieces(path: Path) -> Iterator[memoryview]:
    buffer = bytearray(1 << 20)
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(buffer):
            yield memoryview(buffer)[:size]


def _blocks(path: Path, start: int) -> int:
    return sum(block.observations.satellite.size for block in decode_blocks(_pieces(path), start))


def _rtklib_file(path: Path, start: int) -> int:
    decoder = Rtklib(start)
    file = rtklib.FileWrapper(str(path), "rb")
    epochs = 0
    while (code := rtklib.input_rtcm3f(decoder.rtcm, file)) != -2:
        epochs += code == 1
    decoder.close()
    return epochs


def _file(data: bytes, start: int) -> list[Row]:
    rows = decode_recording(data, start).observations
    events, _ = decode_stream(data, start)
    ours = {}
    for epoch in (e for e in events if isinstance(e, StationEpoch)):
        ours |= {(epoch.gpst, r[0], r[1]): r for r in zip(*(c.tolist() for c in epoch.observations), strict=True)}
    theirs = rtklib_observations(data, start)
    told = {key: value for key, value in theirs.items() if value[0]}
    assert len(told) > 1000 and all(abs(ours[key][2] - value[0]) < 1e-7 for key, value in told.items())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream.rtcm3"
        times = FILE_BYTES // len(data)
        path.write_bytes(data * times)
        assert _blocks(path, start) == times * rows.satellite.size
        mine, peer = _medians(lambda: _blocks(path, start), lambda: _rtklib_file(path, start))
    megabytes = len(data) * times / 1e6
    return [("file to arrays, MB/s (RTKLIB input_rtcm3f)", megabytes / mine, megabytes / peer, peer / mine, 4.0)]


def _pyrtcm(data: bytes, start: int) -> Row:
    few = data[:200_000]
    recording = decode_recording(few, start)
    read = [message for _, message in RTCMReader(io.BytesIO(few), quitonerror=0) if message is not None]
    assert sum(getattr(m, "NCell", 0) for m in read) == recording.observations.satellite.size
    peer = _medians(lambda: sum(1 for _ in RTCMReader(io.BytesIO(few), quitonerror=0)))[0] / len(few)
    many = few * 50
    mine = _medians(lambda: sum(b.observations.satellite.size for b in decode_blocks(iter([many]), start)))[0] / len(
        many
    )
    return "bytes to arrays, MB/s (pyrtcm)", 1e-6 / mine, 1e-6 / peer, peer / mine, 400.0


def _epoch_pieces(data: bytes, start: int) -> list[bytes]:
    """The observation messages of each epoch, as a socket would give them."""
    recording = decode_recording(data, start)
    pieces: dict[int, bytes] = {}
    sizes = dict(recording.frames[:, :2].tolist())
    for tag, offset in zip(recording.messages.gpst.tolist(), recording.messages.offset.tolist(), strict=True):
        pieces[tag] = pieces.get(tag, b"") + data[offset : offset + sizes[offset]]
    return list(pieces.values())


def _live(data: bytes, start: int) -> Row:
    """A hundred stations fed an epoch each in turn, from bytes to arrays; the bar is a time."""
    pieces = _epoch_pieces(data, start)[:60]
    stations = [StreamDecoder(start) for _ in range(100)]

    def second() -> None:
        for piece in pieces:
            for station in stations:
                station.feed(piece, start)

    mine = _medians(second)[0] / (len(pieces) * len(stations)) * 1e6
    return (
        f"live epoch of {len(pieces[0])} bytes, us (bar {LIVE_BAR_US:g} us)",
        mine,
        LIVE_BAR_US,
        LIVE_BAR_US / mine,
        1.0,
    )


def _encoder(data: bytes, start: int) -> Row:
    """MSM7 with CRC: epochs of a real station, ours in a batch as a caster makes them, RTKLIB's one by one."""
    events, decoder = decode_stream(data, start)
    epochs = [e for e in events if isinstance(e, StationEpoch)][:300]
    rows = kernel_rows(concatenate([e.observations for e in epochs]))
    offsets = np.concatenate([[0], np.cumsum([e.observations.satellite.size for e in epochs])])
    gpst, ids = np.array([e.gpst for e in epochs]), np.full(len(epochs), 7)
    out, ends = np.zeros(len(epochs) * 8 * 1029, np.uint8), np.zeros(len(epochs) + 1, np.int64)
    memory, table = fresh_memory(rows.satellite.size), decoder.channel_table.reshape(1, 64)
    counts = np.zeros(encode_kernels.COUNTS, np.int64)

    def batch() -> int:
        return encode_epochs(
            MsmType.MSM7, gpst, ids, rows, offsets, out, ends, memory=memory, channels=table, counts=counts
        )

    assert batch() == len(epochs)
    again = decode_recording(out[: ends[-1]].tobytes(), start).observations
    kept = ~np.isnan(rows.pseudorange)
    assert np.nanmax(np.abs(again.pseudorange[: kept.sum()] - rows.pseudorange[kept][: again.pseudorange.size])) < 3e-4
    peer = Rtklib(start)
    numbers = [n for n in (1077, 1087, 1097, 1117, 1127)]
    for code in peer.feed(data[:60_000]):
        if code == 1:
            break
    made = b""
    for number in numbers:
        rtklib.gen_rtcm3(peer.rtcm, number, 0, 1)
        made += bytes(peer.rtcm.buff[k] for k in range(peer.rtcm.nbyte))
    cells = decode_recording(made, start).observations.satellite.size
    assert cells > 30

    def one_by_one() -> None:
        for _ in range(300):
            for number in numbers:
                rtklib.gen_rtcm3(peer.rtcm, number, 0, 1)

    mine, theirs = _medians(batch, one_by_one)
    peer.close()
    ours, other = again.satellite.size / mine / 1e6, 300 * cells / theirs / 1e6
    return "MSM7 encoded with CRC, million cells/s (RTKLIB gen_rtcm3)", ours, other, ours / other, 5.0


if __name__ == "__main__":
    for name, ours, peer, ratio, bar in run():
        print(f"{name:<62} {ours:10.4g} {peer:10.4g} {ratio:8.1f} x (bar {bar:g})")
