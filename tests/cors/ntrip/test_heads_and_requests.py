"""Request heads as clients in the field send them (byte forms of ntrip 2 and 3), and as attackers do (RFC 9112)."""

from __future__ import annotations

import random

import pytest

from cors.ntrip.authorization import BasicCredentials, DigestCredentials, check_digest, digest_secret
from cors.ntrip.authorization import parse_authorization as parse
from cors.ntrip.errors import HeadError
from cors.ntrip.heads import HeadReader
from cors.ntrip.requests import Dialect, Purpose, Request, parse_request

GOOD = (
    b"GET /M1 HTTP/1.1\r\nHost: x\r\nNtrip-Version: Ntrip/2.0\r\nUser-Agent: NTRIP t/1\r\n"
    b"Authorization: Basic cm92ZXI6cHc=\r\nNtrip-GGA: $GPGGA,,,\r\n\r\n"
)


def request(raw: bytes) -> Request:
    head = HeadReader().receive(raw)
    assert head is not None
    return parse_request(head)


def refused(raw: bytes) -> HeadError:
    with pytest.raises(HeadError) as caught:
        request(raw)
    return caught.value


@pytest.mark.parametrize(
    ("head", "dialect"),
    [
        (b"GET /M HTTP/1.0\r\nUser-Agent: NTRIP RTKLIB/2.4.3\r\n\r\n", Dialect.NTRIP1),
        (b"GET /M HTTP/1.1\r\nUser-Agent: NTRIP gpsd/3.22\r\n\r\n", Dialect.NTRIP1),
        (b"GET /M HTTP/1.1\r\nUser-Agent: LefebureNTRIPClient/1\r\nNtrip-Version: Ntrip/1.0\r\n\r\n", Dialect.NTRIP1),
        (b"GET /M HTTP/1.0\r\n\r\n", Dialect.NTRIP1),
        (b"GET /M HTTP/1.0\r\nNtrip-Version: Ntrip/2.0\r\n\r\n", Dialect.NTRIP2),
        (b"GET /M HTTP/1.1\r\nNTRIP-VERSION:  ntrip/2.0 \r\n\r\n", Dialect.NTRIP2),
        (b"GET /M HTTP/1.1\r\nUser-Agent: curl/7.88.1\r\n\r\n", Dialect.HTTP),
        (b"POST /M HTTP/1.1\r\nUser-Agent: curl/7.88.1\r\n\r\n", Dialect.NTRIP2),
        (b"SETUP rtsp://x/M RTSP/1.0\r\nCSeq: 1\r\n\r\n", Dialect.RTSP),
        (b"SOURCE secret M\r\n\r\n", Dialect.NTRIP1),
    ],
)
def test_dialects_are_told_apart_by_first_line_version_and_agent(head: bytes, dialect: Dialect) -> None:
    assert request(head).dialect is dialect


@pytest.mark.parametrize("raw", [GOOD, GOOD.replace(b"\r\n", b"\n"), b"\r\n\r\n" + GOOD])
def test_a_head_means_the_same_wherever_it_is_cut(raw: bytes) -> None:
    whole = request(GOOD)
    assert whole.credentials == BasicCredentials("rover", "pw")
    for cut in range(1, len(raw)):
        reader = HeadReader()
        head = reader.receive(raw[:cut]) or reader.receive(raw[cut:] + b"rest")
        assert head is not None
        assert parse_request(head) == whole
        assert reader.rest in (b"rest", raw[cut:][:0])
    single = HeadReader()
    heads = [head for byte in raw if (head := single.receive(bytes([byte])))]
    assert [parse_request(head) for head in heads] == [whole]


@pytest.mark.parametrize(
    ("target", "mountpoint", "query"),
    [
        (b"/M1", "M1", None),
        (b"M1", "M1", None),
        (b"/", "", None),
        (b"", "", None),
        (b"/M%31", "M1", None),
        (b"/M%2531", "M%31", None),  # decoded once
        (b"/M1?user=x", "M1", "user=x"),
        (b"/?STR;;;RTCM%203.3", "", "STR;;;RTCM%203.3"),
        (b"http://caster.example:2101/M1", "M1", None),
        (b"http://caster.example", "", None),
        (b"/../M1", "../M1", None),  # a name, not a path: nobody has it
        (b"/%E9%95%BF", "长", None),
    ],
)
def test_targets_are_names(target: bytes, mountpoint: str, query: str | None) -> None:
    got = request(b"GET " + target + b" HTTP/1.1\r\n\r\n")
    assert (got.mountpoint, got.query) == (mountpoint, query)
    assert got.purpose is (Purpose.STREAM if mountpoint else Purpose.TABLE)


def test_sources_of_version_1() -> None:
    got = request(b"SOURCE se#c$r:t M1\r\nSource-Agent: NTRIP RTKLIB/2.4.3\r\nSTR: M1;Changsha;RTCM 3.3\r\n\r\n")
    assert (got.purpose, got.source_password, got.mountpoint) == (Purpose.UPLOAD, "se#c$r:t", "M1")
    assert (got.agent, got.announced) == ("NTRIP RTKLIB/2.4.3", "M1;Changsha;RTCM 3.3")
    assert request(b"SOURCE secret /M1\r\n\r\n").mountpoint == "M1"
    assert "secret" not in repr(request(b"SOURCE secret /M1\r\n\r\n"))


def test_uploads_of_version_2_tell_their_framing() -> None:
    chunked = request(b"POST /M HTTP/1.1\r\nTransfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n\r\n")
    assert (chunked.chunked, chunked.content_length, chunked.expects_continue) == (True, None, True)
    assert request(b"POST /M HTTP/1.1\r\nContent-Length: 5\r\n\r\n").content_length == 5
    raw = request(b"POST /M HTTP/1.1\r\n\r\n")
    assert (raw.chunked, raw.content_length) == (False, None)


@pytest.mark.parametrize(
    ("head", "code", "status"),
    [
        (b"POST /M HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "two_framings", 400),
        (b"POST /M HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", "two_framings", 400),
        (b"POST /M HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n", "blank_before_colon", 400),
        (b"POST /M HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "transfer_encoding", 501),
        (b"POST /M HTTP/1.1\r\nContent-Length: +5\r\n\r\n", "content_length", 400),
        (b"GET /M HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "folded_line", 400),
        (b"GET /M HTTP/1.1\r\nA: b\rC: d\r\n\r\n", "bare_cr", 400),
        (b"GET /M\x00 HTTP/1.1\r\n\r\n", "control_character", 400),
        (b"PUT /M HTTP/1.1\r\n\r\n", "method", 405),
        (b"PRI * HTTP/2.0\r\n\r\n", "http_version", 505),
        (b"GET /M\r\n\r\n", "bad_request_line", 400),
        (b"hello\r\n\r\n", "bad_request_line", 400),
        (b"GET /" + b"x" * 101 + b" HTTP/1.1\r\n\r\n", "mountpoint_too_long", 404),
        (b"SOURCE a b c\r\n\r\n", "bad_source_line", 400),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 101 + b"\r\n", "too_many_lines", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 8192, "head_too_long", 431),
    ],
)
def test_what_is_refused(head: bytes, code: str, status: int) -> None:
    error = refused(head)
    assert (error.code, error.status) == (code, status)


def test_the_limits_themselves_pass() -> None:
    assert request(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100 + b"\r\n").purpose is Purpose.TABLE
    fill = 8192 - len(b"GET / HTTP/1.1\r\nX: \r\n\r\n")
    assert request(b"GET / HTTP/1.1\r\nX: " + b"y" * fill + b"\r\n\r\n").purpose is Purpose.TABLE


@pytest.mark.parametrize(
    ("value", "user", "password"),
    [
        ("Basic cm92ZXI6cHc=", "rover", "pw"),
        ("basic cm92ZXI6cHc", "rover", "pw"),  # padding missing
        ("BASIC  cm92ZXI6cDp3 ", "rover", "p:w"),  # RFC 7617 2: the first colon
        ("Basic w6k6w7w=", "é", "ü"),  # UTF-8
        ("Basic 6Tr8", "é", "ü"),  # Latin-1
        ("Basic dTo=", "u", ""),
    ],
)
def test_basic_credentials_as_encoders_write_them(value: str, user: str, password: str) -> None:
    assert parse(value) == BasicCredentials(user, password)
    assert "password" not in repr(parse(value))


@pytest.mark.parametrize(
    "value", ["Basic !!!", "Basic", "", "Bearer x", "Basic cm92ZXI=", "Basic " + "A" * 4000, "Digest"]
)
def test_credentials_that_cannot_be_read_are_none(value: str) -> None:
    assert parse(value) is None


RFC7616 = (
    'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm={0}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
    'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="{1}", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_against_the_example_of_rfc_7616_3_9_1(algorithm: str, response: str) -> None:
    credentials = parse(RFC7616.format(algorithm, response))
    assert isinstance(credentials, DigestCredentials)
    secret = digest_secret(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    assert check_digest(secret, credentials, "GET")
    assert not check_digest(secret, credentials, "POST")
    assert not check_digest(digest_secret(algorithm, "Mufasa", "http-auth@example.org", "x"), credentials, "GET")


def test_digest_of_curl_7_88() -> None:
    """Recorded: user "user", password "pw", realm "/M"."""
    credentials = parse(
        'Digest username="user", realm="/M", nonce="abc", uri="/M", '
        'cnonce="NTc3MjBkNzgxYmRlNDE1NTk3OTRkMGIzYTY4NDgzMWE=", nc=00000001, qop=auth, '
        'response="73260bfac1567eb71073ff7357101d7f", algorithm=MD5'
    )
    assert isinstance(credentials, DigestCredentials)
    assert check_digest(digest_secret("MD5", "user", "/M", "pw"), credentials, "GET")


def test_20000_mutated_heads_raise_nothing_but_head_errors() -> None:
    random_bytes = random.Random(20261125)
    seeds = [
        GOOD,
        b"SOURCE secret M1\r\nSource-Agent: NTRIP RTKLIB/2.4.3\r\nSTR: M1;Changsha;RTCM 3.3;\r\n\r\n",
        b'POST /M1 HTTP/1.1\r\nAuthorization: Digest username="u", realm="r", nonce="n", uri="/", '
        b'response="x"\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n',
        b"SETUP rtsp://x/M1 RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    ]
    parsed = refusals = 0
    for _ in range(20_000):
        raw = bytearray(random_bytes.choice(seeds))
        for _ in range(random_bytes.randint(1, 6)):
            at = random_bytes.randrange(len(raw))
            kind = random_bytes.randrange(4)
            if kind == 0:
                raw[at] = random_bytes.randrange(256)
            elif kind == 1:
                del raw[at : at + random_bytes.randrange(1, 12)]
                raw = raw or bytearray(b"x")
            elif kind == 2:
                raw[at:at] = raw[random_bytes.randrange(len(raw)) :][:40]
            else:
                raw[at:at] = random_bytes.randbytes(random_bytes.randrange(1, 9))
        try:
            head = HeadReader().receive(bytes(raw))
            if head is not None:
                parse_request(head)
                parsed += 1
        except HeadError as error:
            assert error.status in (400, 404, 405, 431, 501, 505)
            refusals += 1
    assert parsed > 2000
    assert refusals > 2000
