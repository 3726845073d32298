"""`[caster]`: the caster's settings, validated once, frozen. Defaults are those of ntrip 1, 3.6, 5 and 7."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, model_validator

Seconds = Annotated[float, Field(gt=0.0, le=86_400.0)]
Port = Annotated[int, Field(ge=0, le=65_535)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Framing(StrEnum):
    """How a version 2 stream is delimited."""

    CLOSE = "close"
    """By the connection's end: nothing to decode, nobody fails on it."""
    CHUNKED = "chunked"


class SecondLogin(StrEnum):
    """What happens when an account logs in more often than it may."""

    REPLACE = "replace"
    """The new device wins: the old socket is usually a dead one."""
    REFUSE = "refuse"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ListenerSettings(_Settings):
    """One address the caster listens at."""

    host: str = ""
    """Empty: every address, IPv4 and IPv6."""
    port: Port = 2101
    """0: any free one."""
    certificate: Path | None = None
    """PEM chain; with `certificate_key` the listener speaks TLS and nothing else."""
    certificate_key: Path | None = None
    frame: str = ""
    """Reference frame of what is served here (CGCS2000, ITRF2020); empty: the network's."""
    v2_framing: Framing = Framing.CLOSE
    icy_empty_line: bool = True
    """False for a raw mountpoint's consumer that cannot resynchronise after two bytes."""

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> Self:
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key belong together")
        return self

    @property
    def tls(self) -> bool:
        """Speaks TLS."""
        return self.certificate is not None


class Identity(_Settings):
    """Who runs the caster: the sourcetable's CAS and NET records."""

    host: str = "localhost"
    """The name clients know it by."""
    identifier: str = "corsnet"
    operator: str = "unknown"
    network: str = "corsnet"
    country: str = "CHN"
    latitude: Annotated[float, Field(ge=-90, le=90)] = 0.0
    longitude: Annotated[float, Field(ge=-180, le=180)] = 0.0
    fee: bool = False
    web_network: str = "none"
    web_streams: str = "none"
    web_registration: str = "none"
    generator: str = "corsnet"


class PositionSettings(_Settings):
    """What is asked of a rover on a mountpoint that needs its position (ntrip 5.3)."""

    gga_timeout_s: Seconds = 30.0
    """Without any GGA before the first position: no_position."""
    notice_s: Seconds = 10.0
    """After this the service is told that a rover sends nothing."""
    first_fix_timeout_s: Seconds = 300.0
    """GGA without a position in it keeps a session so long."""
    stale_s: Seconds = 300.0
    """Since the last position: position_stale. Not for accounts with a static position."""
    interval_s: Seconds = 1.0
    """At most one position is passed on in this time; a flood is coalesced to its newest."""
    max_speed_m_s: Annotated[float, Field(gt=0.0)] = 300.0
    """A jump that means more needs a second sentence that agrees."""
    area_timeout_s: Seconds = 60.0
    """Outside the service area: out_of_area."""
    resume_s: Seconds = 5.0
    """A rover that comes back within this time is the same session: BNC states its position by reconnecting."""


class LimitSettings(_Settings):
    """What is bounded, and where (ntrip 7)."""

    head_timeout_s: Seconds = 10.0
    headless_after_s: Annotated[float, Field(ge=0.0)] = 1.0
    """A connection without a complete request counts as headless from this age."""
    headless_per_address: Count = 10
    headless: Count = 500
    clients: Count = 10_000
    clients_per_address: Count = 2000
    sources: Count = 1000
    uplink_bytes_s: Count = 65_536
    """What a rover may write a second; above it is read no faster."""
    backlog_bytes: Count = 8192
    """In the transport's buffer, above which a subscriber is slow."""
    waiting_bytes: Count = 16_384
    """Of whole epochs kept for a slow subscriber; beyond it the oldest go."""
    waiting_s: Seconds = 5.0
    """An epoch that waited longer is dropped."""
    slow_reader_s: Seconds = 10.0
    """Without progress for so long: slow_reader."""
    failures_per_minute: Count = 5
    """Wrong passwords, for each account from an address."""
    failures_per_minute_address: Count = 60
    ban_after: Count = 100
    """Failures within ten minutes, less five for each success, from one address."""
    never_banned: tuple[IPvAnyNetwork, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    """The operator's own networks."""


class SourceSettings(_Settings):
    """Uploads and what comes of their loss."""

    stale_s: Seconds = 15.0
    """A source silent so long may be taken over."""
    no_valid_data_s: Seconds = 60.0
    """Without a good frame for so long: no_valid_data."""
    dead_s: Seconds = 30.0
    """A mountpoint without a new epoch for so long is dead: new rovers are refused."""
    linger_s: Seconds = 60.0
    """So long its subscribers are kept: source_lost."""


class CasterSettings(_Settings):
    """`[caster]`."""

    host: str = ""
    port: Port = 2101
    tls_port: Port = 2102
    """Used once a certificate is configured."""
    certificate: Path | None = None
    certificate_key: Path | None = None
    frame: str = ""
    v2_framing: Framing = Framing.CLOSE
    icy_empty_line: bool = True
    more_listeners: tuple[ListenerSettings, ...] = ()
    """One port a frame is what Chinese controllers have presets for."""
    second_login: SecondLogin = SecondLogin.REPLACE
    digest: bool = False
    """Offer Digest beside Basic where TLS is off; needs accounts that keep Digest secrets for `digest_realm`."""
    digest_realm: str = "corsnet"
    settle_s: Annotated[float, Field(ge=0.0, le=1.0)] = 0.1
    """Between a reply's head and the first data: clients lose what shares the head's segment."""
    identity: Identity = Identity()
    positions: PositionSettings = PositionSettings()
    limits: LimitSettings = LimitSettings()
    sources: SourceSettings = SourceSettings()

    @property
    def listeners(self) -> tuple[ListenerSettings, ...]:
        """The clear port, the TLS port if there is a certificate, and the others."""
        clear = ListenerSettings(
            host=self.host,
            port=self.port,
            frame=self.frame,
            v2_framing=self.v2_framing,
            icy_empty_line=self.icy_empty_line,
        )
        if self.certificate is None and self.certificate_key is None:
            return (clear, *self.more_listeners)
        certificate = {"certificate": self.certificate, "certificate_key": self.certificate_key}
        return (clear, clear.model_copy(update={"port": self.tls_port, **certificate}), *self.more_listeners)

    @model_validator(mode="after")
    def _listeners_are_apart(self) -> Self:
        places = [(listener.host, listener.port) for listener in self.listeners if listener.port]
        for host, port in places:
            if sum(p == port and (h == host or "" in (h, host)) for h, p in places) > 1:
                raise ValueError(f"two listeners at port {port}")
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key belong together")
        return self
