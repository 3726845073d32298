"""A recording as a source: its pieces when they are due."""

from __future__ import annotations

from collections.abc import Generator

from cors.archive.reading import ArchivedPiece
from cors.ingest.address import FileAddress
from cors.ingest.backoff import End
from cors.ingest.clock import Clock
from cors.ingest.connection import Ended
from cors.ingest.pacing import Pacer
from cors.ingest.recording import recorded_pieces


class FileSource:
    """A ByteSource of a recording; ends as FINISHED."""

    def __init__(self, pieces: Generator[ArchivedPiece], pacer: Pacer) -> None:
        """Begins with the first piece."""
        self._pieces = pieces
        self._pacer = pacer

    async def read(self) -> bytes:
        """The next piece when it is due. Raises Ended."""
        try:
            piece = next(self._pieces, None)
        except OSError as error:
            raise Ended(End.CLOSED, str(error.strerror or error)) from None
        if piece is None:
            raise Ended(End.FINISHED, "the recording ended")
        await self._pacer.until(piece.received)
        return piece.data

    def write(self, data: bytes) -> None:
        """A recording listens to nobody."""

    async def close(self) -> None:
        """Close the file."""
        self._pieces.close()


class FileOpener:
    """Opens one recording; told to the scene's pacer when it is made, so that all begin in step."""

    def __init__(self, address: FileAddress, pacer: Pacer, clock: Clock) -> None:
        """Reads as far as the first piece, where the file is there; where not, the first try to open it says so."""
        self._address = address
        self._pacer = pacer
        self._clock = clock
        try:
            first = next(recorded_pieces(address.path, clock.now()), None)
        except OSError:
            first = None
        if first is not None:
            pacer.include(first.received)

    async def __call__(self) -> FileSource:
        """Begin anew. Raises Ended(UNREACHABLE)."""
        path = self._address.path
        try:
            path.open("rb").close()
        except OSError as error:
            raise Ended(End.UNREACHABLE, f"{path}: {error.strerror or error}") from None
        return FileSource(recorded_pieces(path, self._clock.now()), self._pacer)
