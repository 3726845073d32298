"""Every kernel has one signature whatever is handed in, so that nothing is compiled on a rover's time."""

from __future__ import annotations

import numpy as np
import pytest
from numba import config

from cors.gnss.observations import Observations, take
from cors.rtcm import _decode_kernels, _encode_kernels, _frame_kernels
from cors.rtcm.frames import FrameReader, crc24q, encode_frame
from cors.rtcm.msm import MsmEncoder, MsmType
from cors.rtcm.observables import ObservablesEncoder
from cors.rtcm.observation_rows import decode_blocks
from cors.rtcm.recording import decode_recording
from cors.rtcm.stream import StreamDecoder
from tests.cors.rtcm.samples import CHANNELS, NOW, observations

ENTRIES = [
    _frame_kernels.scan, _frame_kernels.seal_all, _frame_kernels.crc24q, _decode_kernels.decode_msm,
    _decode_kernels.decode_observables, _decode_kernels.count_rows, _encode_kernels.encode_msm,
    _encode_kernels.encode_observables,
]  # fmt: skip


def frozen(rows: Observations) -> Observations:
    for column in rows:
        column.flags.writeable = False
    return rows


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
def test_one_signature_each() -> None:
    rows = observations(1, "GREC", 4)
    encoder, old = MsmEncoder(MsmType.MSM4), ObservablesEncoder()
    decoder = StreamDecoder(NOW)
    kinds = [
        rows, take(rows, slice(None, None, 2)), frozen(observations(2, "GR", 3)),
        rows._replace(cn0=rows.cn0.astype(np.float64), flags=rows.flags.astype(np.int64)), take(rows, slice(0, 0)),
    ]  # fmt: skip
    for kind in kinds:
        data = encoder.encode(NOW, 1, kind, CHANNELS) + old.encode(NOW, 1, kind, decoder.channel_table)
        for form in (data, bytearray(data), memoryview(data)):
            decoder.feed(form, NOW)
            decode_recording(form, NOW)
            list(decode_blocks(iter([form]), NOW, 4096))
    decoder.close()
    FrameReader().feed(encode_frame(b"\x3e\xd0"))
    crc24q(b"1234")
    assert {kernel.__name__: len(kernel.signatures) for kernel in ENTRIES} == {k.__name__: 1 for k in ENTRIES}
