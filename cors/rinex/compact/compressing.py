"""RINEX to Compact RINEX by RNXCMP, as the package `hatanaka` carries it.

RNXCMP 4.1.0 drops the picosecond field of RINEX 4.02 without a word: such a text is refused rather than lose it.
"""

from __future__ import annotations

import re
import warnings

from cors.rinex.errors import UnwritableError

_PICOSECONDS = re.compile(rb"^> \d{4}.{50} \d{5}\s*$", re.MULTILINE)


def compress(text: bytes) -> bytes:
    """Compact RINEX of a plain observation text. Raises UnwritableError where RNXCMP cannot or would lose something."""
    import hatanaka  # 60 ms that readers do not pay

    if _PICOSECONDS.search(text):
        raise UnwritableError("Compact RINEX loses the picoseconds of RINEX 4.02 (expected gzip alone)")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return bytes(hatanaka.rnx2crx(text))
        except (hatanaka.HatanakaException, UserWarning) as error:
            raise UnwritableError(f"Compact RINEX: {error}") from error
