# SPDX-License-Identifier: BSD-3-Clause
"""mode tcp: bytes, half-close, back-pressure and resets pass."""
import os
import socket
import time

import pytest

from frame.client import reset
from frame.net import wait_until
from frame.origin import endless

pytestmark = [pytest.mark.both_proxies, pytest.mark.sanitize]

CONFIG = '''
    defaults
        mode tcp
        timeout connect 2s
        timeout client 20s
        timeout server 20s
        retries 0
    listen t
        bind 10.9.0.2:80
        server s1 10.9.0.1:8001
        {more}
    '''


async def echo(conn):
    while data := await conn.reader.read(65536):
        await conn.send(data)


def test_bytes_both_ways(proxy, origin, client):
    origin(echo)
    proxy.start(CONFIG.format(more=''))
    c = client()
    for size in (1, 1459, 1460, 1461, 65536, 1000000):
        data = os.urandom(size)
        c.sock.settimeout(20)
        # In pieces, because an echo of more than all buffers hold would wait for itself.
        got = b''
        for at in range(0, size, 60000):
            c.send(data[at:at + 60000])
            got += c.take(len(data[at:at + 60000]))
        assert got == data


def test_server_speaks_first(proxy, origin, client):
    async def greet(conn):
        await conn.send(b'220 hello\r\n')
        await echo(conn)
    origin(greet)
    proxy.start(CONFIG.format(more=''))
    assert client().until(b'\r\n') == b'220 hello'


def test_client_half_close_is_kept(proxy, origin, client):
    async def count(conn):
        data = await conn.reader.read(-1)
        await conn.send(f'{len(data)} bytes'.encode())
    origin(count)
    proxy.start(CONFIG.format(more=''))
    c = client()
    c.send(b'x' * 100000)
    c.sock.shutdown(socket.SHUT_WR)
    assert c.rest() == b'100000 bytes'


def test_server_half_close_is_kept(proxy, origin, client):
    got = []

    async def shut_first(conn):
        await conn.send(b'bye')
        conn.shut()
        got.append(await conn.reader.read(-1))
    one = origin(shut_first)
    proxy.start(CONFIG.format(more=''))
    c = client()
    assert c.rest() == b'bye'
    c.send(b'x' * 50000)
    time.sleep(0.1)
    c.send(b'end')
    c.sock.shutdown(socket.SHUT_WR)
    one.wait_all_closed()
    assert got == [b'x' * 50000 + b'end']


def test_half_close_ends_after_client_fin_timeout(proxy, origin, client):
    async def hold(conn):
        await conn.reader.read(-1)
        await conn.ended.wait()
    origin(hold)
    proxy.start(CONFIG.format(more='timeout client-fin 500ms\n        timeout server-fin 500ms'))
    c = client()
    c.send(b'x')
    c.sock.shutdown(socket.SHUT_WR)
    begin = time.monotonic()
    assert c.closed()
    assert 0.3 < time.monotonic() - begin < 3


def test_back_pressure_reaches_the_server(proxy, origin, client):
    one = origin(endless(first=b''))
    proxy.start(CONFIG.format(more=''))
    c = client(rcvbuf=16384)
    c.send(b'GET / HTTP/1.1\r\n\r\n')
    c.take(1000)
    taken = one.sent_settles()
    assert taken < 32 << 20
    c.take(taken)
    wait_until(lambda: one.sent > taken, 5, 'it flows again')


def test_back_pressure_reaches_the_client(proxy, origin, client):
    async def deaf(conn):
        conn.reader._transport.pause_reading()
        await conn.ended.wait()
    origin(deaf, rcvbuf=16384)
    proxy.start(CONFIG.format(more=''))
    c = client(timeout=1)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 32 << 20:
            sent += c.sock.send(b'x' * 65536)


def test_server_reset_ends_the_client(proxy, origin, client):
    async def script(conn):
        await conn.reader.read(1)
        conn.reset()
    origin(script)
    proxy.start(CONFIG.format(more=''))
    c = client()
    c.send(b'x')
    assert c.closed()


def test_client_reset_ends_the_server(proxy, origin, client):
    one = origin(echo)
    proxy.start(CONFIG.format(more=''))
    c = client()
    c.send(b'x')
    assert c.take(1) == b'x'
    reset(c.sock)
    one.wait_all_closed()


def test_refusing_server_ends_the_client(proxy, client):
    proxy.start(CONFIG.format(more=''))
    assert client().closed()


def test_timeout_client_ends_an_idle_session(proxy, origin, client):
    one = origin(echo)
    proxy.start(CONFIG.format(more='timeout client 500ms\n        timeout server 500ms'))
    c = client()
    c.send(b'x')
    assert c.take(1) == b'x'
    assert c.closed()
    one.wait_all_closed()
