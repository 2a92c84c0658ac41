# SPDX-License-Identifier: BSD-3-Clause
"""What must not pass: malformed and smuggled requests, heads too large, clients too slow."""
import textwrap
import time

import pytest

from frame.origin import echo_head, fixed, raw_answer

pytestmark = pytest.mark.sanitize

CONFIG = '''
    frontend f
        bind 10.9.0.2:80
        timeout http-request 600ms
        timeout http-keep-alive 400ms
        default_backend b
    backend b
        server s1 10.9.0.1:8001
    '''

# Both proxies refuse these with 400 and close.
MALFORMED = {
    'lengths differ': b'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    'lengths differ in one row': b'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 4\r\n\r\nabcd',
    'length is no number': b'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3x\r\n\r\nabc',
    'length is negative': b'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\nabc',
    'length with plus': b'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc',
    'length overflows': b'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n',
    'length is empty': b'POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n',
    'space before the colon': b'GET / HTTP/1.1\r\nHost : h\r\n\r\n',
    'name is empty': b'GET / HTTP/1.1\r\nHost: h\r\n: v\r\n\r\n',
    'name with a control': b'GET / HTTP/1.1\r\nHost: h\r\nX\x01Y: v\r\n\r\n',
    'no colon': b'GET / HTTP/1.1\r\nHost: h\r\nabc\r\n\r\n',
    'CR in a value': b'GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n',
    'no version word': b'GET / HTXP/1.1\r\nHost: h\r\n\r\n',
    'version with letters': b'GET / HTTP/a.b\r\nHost: h\r\n\r\n',
    'method with a bracket': b'G(T / HTTP/1.1\r\nHost: h\r\n\r\n',
    'control in the target': b'GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n',
    'not HTTP': b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcdefgh\r\n\r\n',
    'encoding is unknown': b'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n',
    'chunked twice': b'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n'
                     b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
}
# HAProxy 2.6 repairs these or lets them pass; we refuse what RFC 9112 lets us refuse.
STRICTER = {
    'NUL in a value': b'GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n',
    'length and chunked': b'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n'
                          b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'chunked in HTTP/1.0': b'POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'folded header': b'GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n',
    'bare LF': b'GET / HTTP/1.1\nHost: h\n\n',
    'bare LF in one header': b'GET / HTTP/1.1\r\nHost: h\r\nX: a\nY: b\r\n\r\n',
}
# After a good head: the answer may be 400, or nothing where the head has gone to the server already.
BAD_CHUNKS = {
    'size is no number': b'xyz\r\nabc\r\n0\r\n\r\n',
    'size with 0x': b'0x3\r\nabc\r\n0\r\n\r\n',
    'size with minus': b'-3\r\nabc\r\n0\r\n\r\n',
    'size overflows': b'fffffffffffffffff\r\nabc\r\n0\r\n\r\n',
    'data longer than the size': b'2\r\nabc\r\n0\r\n\r\n',
    'size is empty': b'\r\nabc\r\n0\r\n\r\n',
    'CR alone after the size': b'3\rabc\r\n0\r\n\r\n',
}


def refused(proxy, origin, client, data):
    one = origin(echo_head)
    proxy.start(CONFIG)
    c = client()
    c.send(data)
    answer = c.answer()
    assert answer.status == 400
    assert c.closed()
    assert one.requests == [], 'nothing of it reached the server'
    assert client().get().status == 200


@pytest.mark.both_proxies
@pytest.mark.parametrize('name', MALFORMED)
def test_malformed(proxy, origin, client, name):
    refused(proxy, origin, client, MALFORMED[name])


@pytest.mark.parametrize('name', STRICTER)
def test_stricter_than_haproxy(proxy, origin, client, name):
    refused(proxy, origin, client, STRICTER[name])


@pytest.mark.both_proxies
@pytest.mark.parametrize('name', BAD_CHUNKS)
def test_bad_chunk(proxy, origin, client, name):
    one = origin(echo_head)
    proxy.start(CONFIG)
    c = client()
    c.request(method='POST', headers='Transfer-Encoding: chunked\r\n', body=BAD_CHUNKS[name])
    assert c.answer().status == 400
    assert c.closed()
    assert not any(r.body for r in one.requests)


@pytest.mark.both_proxies
def test_same_length_twice_is_one(proxy, origin, client):
    one = origin(echo_head)
    proxy.start(CONFIG)
    c = client()
    c.request(method='POST', headers='Content-Length: 3\r\nContent-Length: 3\r\n', body=b'abc')
    assert c.answer().status == 200
    assert one.requests[0].headers['content-length'] == '3'


@pytest.mark.both_proxies
def test_smuggled_second_request_is_not_served(proxy, origin, client):
    """What follows a refused request on the connection is never looked at."""
    one = origin(echo_head)
    proxy.start(CONFIG)
    c = client()
    c.send(MALFORMED['lengths differ'] + b'GET /admin HTTP/1.1\r\nHost: h\r\n\r\n')
    assert c.answer().status == 400
    assert c.closed()
    assert one.requests == []


@pytest.mark.both_proxies
@pytest.mark.parametrize('head', [
    b'GET /' + b'a' * 20000 + b' HTTP/1.1\r\nHost: h\r\n\r\n',
    b'GET / HTTP/1.1\r\nHost: h\r\nX: ' + b'a' * 20000 + b'\r\n\r\n',
    b'GET / HTTP/1.1\r\nHost: h\r\n' + b'A: b\r\n' * 3000 + b'\r\n',
], ids=['target', 'header', 'headers'])
def test_head_too_large(proxy, origin, client, head):
    one = origin(echo_head)
    proxy.start(CONFIG)
    c = client()
    try:
        c.send(head)
    except ConnectionError:
        pass  # the answer may come before the end of the head
    assert c.answer().status in ((400,) if proxy.kind == 'haproxy' else (414, 431))
    assert one.requests == []


@pytest.mark.both_proxies
@pytest.mark.parametrize('part', [b'GET / HT', b'GET / HTTP/1.1\r\nHost: h\r\n'])
def test_408_for_a_slow_head(proxy, client, origin, part):
    origin(fixed())
    proxy.start(CONFIG)
    begin = time.monotonic()
    c = client()
    c.send(part)
    assert c.answer().status == 408
    assert 0.5 < time.monotonic() - begin < 3
    assert c.closed()


@pytest.mark.both_proxies
def test_idle_connection_closes_silently_after_keep_alive(proxy, origin, client):
    origin(fixed())
    proxy.start(CONFIG)
    c = client()
    assert c.get().status == 200
    begin = time.monotonic()
    assert c.closed()
    assert 0.3 < time.monotonic() - begin < 3


BAD_ANSWERS = {
    'not HTTP': b'hello\r\n\r\n',
    'lengths differ': b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    'status is no number': b'HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n',
    'space before the colon': b'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n',
    'head too large': b'HTTP/1.1 200 OK\r\nX: ' + b'a' * 20000 + b'\r\nContent-Length: 0\r\n\r\n',
    'head cut off': b'HTTP/1.1 200 OK\r\nContent-Le',
}


@pytest.mark.both_proxies
@pytest.mark.parametrize('name', BAD_ANSWERS)
def test_502_for_a_bad_answer(proxy, origin, client, name):
    origin(raw_answer(BAD_ANSWERS[name], close=True))
    proxy.start(CONFIG)
    assert client().get().status == 502


def test_head_limits_are_the_configured_ones(proxy, origin, client):
    """tune.http.maxhdr and tune.bufsize: what fits the defaults is refused."""
    origin(echo_head)
    proxy.start('global\n    tune.http.maxhdr 10\n    tune.bufsize 4k\n' + textwrap.dedent(CONFIG))
    for fields, status in ((5, 200), (20, 431)):
        c = client()
        c.send(b'GET / HTTP/1.1\r\nHost: h\r\n' + b'x-y: z\r\n' * fields + b'\r\n')
        assert c.answer().status == status
    c = client()
    c.send(b'GET / HTTP/1.1\r\nHost: h\r\nx-y: ' + b'z' * 5000 + b'\r\n\r\n')
    assert c.answer().status == 431
