"""What the room refuses outright. Everything else a file does wrong is a diagnostic, returned with the data.

RinexError
├── NotRinexError          the content is no file of the kind asked for
├── UnreadableArchiveError the compression around it cannot be undone, or unpacks to an absurd size
├── CompactRinexError      a Hatanaka file damaged before its end
└── UnwritableError        what was asked to be written has no place in the format
"""

from __future__ import annotations


class RinexError(ValueError):
    """Base of the room's errors; the message names the file and what was expected."""


class NotRinexError(RinexError):
    """The content is not a RINEX (or SP3) file of the kind asked for."""


class UnreadableArchiveError(RinexError):
    """The compression cannot be undone, or the text would be larger than `transport.MAX_TEXT_BYTES`."""


class CompactRinexError(RinexError):
    """A Compact RINEX file is damaged before its end; the message holds the line."""


class UnwritableError(RinexError):
    """A value cannot be written in the version asked for."""
