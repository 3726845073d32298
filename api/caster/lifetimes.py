"""When a session is over, and what a rover is waited for. Rules only (ntrip 5.3, 7): the time comes in.

Before its first position a rover must send some GGA every `gga_timeout_s`; one without a position keeps it alive for
`first_fix_timeout_s`. Afterwards the last position may be `stale_s` old, unless the account's position is static. Who
stays outside the service area, or does not read what it is sent, goes.
"""

from __future__ import annotations

from api.caster.reasons import EndReason, Waiting
from api.caster.sessions import Session
from api.caster.settings import LimitSettings, PositionSettings


def judge_position(session: Session, now: float, settings: PositionSettings) -> EndReason | None:
    """Why a session on a mountpoint that needs a position is over, if it is."""
    track = session.track
    outside = [since for since in (session.out_of_area_since, track.nowhere_since) if since is not None]
    if outside:
        return EndReason.OUT_OF_AREA if now - min(outside) >= settings.area_timeout_s else None
    if track.last is None:
        silent = now - (track.heard if track.heard is not None else session.opened)
        fixless = now - session.opened
        over = silent >= settings.gga_timeout_s or fixless >= settings.first_fix_timeout_s
        return EndReason.NO_POSITION if over else None
    static = session.account is not None and session.account.static_position
    stale = now - track.last.received >= settings.stale_s
    return EndReason.POSITION_STALE if stale and not static else None


def waiting_for(session: Session, now: float, settings: PositionSettings) -> Waiting | None:
    """What a rover without data should be told to send; a sentence without position is answered at once."""
    if session.track.last is not None:
        return None
    if session.track.heard is not None:
        return Waiting.FIX if session.track.unplaced else None
    return Waiting.GGA if now - session.opened >= settings.notice_s else None


def judge_progress(session: Session, size: int, now: float, settings: LimitSettings) -> EndReason | None:
    """Whether a slow session reads at all: its transport holds `size` bytes now."""
    if size < session.stalled_size:
        session.stalled_size = size
        session.stalled_since = now
    return EndReason.SLOW_READER if now - session.stalled_since >= settings.slow_reader_s else None
