# SPDX-License-Identifier: BSD-3-Clause
"""Much of everything: a gibibyte each way, many requests, many connections, slow readers."""
import asyncio
import hashlib
import os
import time

import pytest

from frame.client import Client
from frame.net import PROXY, wait_until
from frame.origin import endless, hash_body

pytestmark = pytest.mark.both_proxies

CONFIG = '''
    global
        stats socket {dir}/stats.sock level admin
        maxconn 8000
    defaults
        mode {mode}
        timeout connect 5s
        timeout client 30s
        timeout server 30s
        maxconn 8000
    frontend f
        bind 10.9.0.2:80
        default_backend b
    backend b
        server s1 10.9.0.1:8001
        {more}
    '''


def config(proxy, mode='http', more=''):
    return CONFIG.format(dir=proxy.dir, mode=mode, more=more)


def sha256_of(path):
    with open(path, 'rb') as f:
        return hashlib.file_digest(f, 'sha256').hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize('mode', ['http', 'tcp'])
def test_gibibyte_down(proxy, nginx, net, big_file, folder, mode):
    path, digest = big_file
    nginx(files=path.parent)
    proxy.start(config(proxy, mode))
    out = f'{folder}/out'
    run = net.run(['curl', '-sS', '--max-time', '100', '-o', out, f'http://{PROXY}/files/big'])
    assert run.returncode == 0, run.stderr
    assert os.path.getsize(out) == 1 << 30
    assert sha256_of(out) == digest


@pytest.mark.slow
@pytest.mark.parametrize('mode', ['http', 'tcp'])
def test_gibibyte_up(proxy, nginx, curl, big_file, mode):
    path, digest = big_file
    nginx()
    proxy.start(config(proxy, mode))
    run = curl('-T', path, '-H', 'Expect:', f'http://{PROXY}/upload', timeout=100)
    assert run.returncode == 0, run.stderr
    assert sha256_of(run.stdout) == digest


@pytest.mark.slow
def test_chunked_upload_by_curl(proxy, nginx, net, big_file):
    """64 MiB from standard input, whose length curl does not know."""
    path, _ = big_file
    nginx()
    proxy.start(config(proxy))
    with open(path, 'rb') as f:
        data = f.read(64 << 20)
    run = net.run(['curl', '-sS', '--max-time', '60', '-X', 'POST', '-H', 'Transfer-Encoding: chunked',
                   '-H', 'Expect:', '--data-binary', '@-', f'http://{PROXY}/upload'],
                  input=data, text=False)
    assert run.returncode == 0, run.stderr
    assert sha256_of(run.stdout.decode()) == hashlib.sha256(data).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize('workers', [1, 3])
def test_wrk_without_one_error(proxy, nginx, load, workers):
    nginx('one', 8001)
    nginx('two', 8002)
    proxy.start(config(proxy, more='server s2 10.9.0.1:8002'), workers)
    counts = load(f'http://{PROXY}/', 200, 100000)
    assert counts.pop('requests') >= 100000
    assert not any(counts.values()), counts
    share = [int(proxy.stat('b', s, 'stot')) for s in ('s1', 's2')]
    # Of the 200 requests under way when wrk went away some had got to a server and some had not.
    assert sum(share) >= 100000 and abs(share[0] - share[1]) <= 200
    assert proxy.stat('f', 'FRONTEND', 'hrsp_5xx') == '0'


@pytest.mark.sanitize
def test_ten_thousand_requests_on_one_connection(proxy, nginx, client):
    nginx()
    proxy.start(config(proxy))
    c = client()
    one = b'GET / HTTP/1.1\r\nHost: h\r\n\r\n'
    for _ in range(100):
        c.send(one * 100)
        for _ in range(100):
            assert c.answer().body == b'one\n'
    assert proxy.stat('f', 'FRONTEND', 'req_tot') == '10000'
    assert proxy.stat('f', 'FRONTEND', 'stot') == '1'


@pytest.mark.parametrize('mode', ['http', 'tcp'])
def test_slow_reader_does_not_raise_memory(proxy, origin, client, mode):
    """1 kB/s: the origin is held back, memory stays, others are served at full speed."""
    one = origin(endless())
    proxy.start(config(proxy, mode))
    slow = client(rcvbuf=4096)
    slow.request()
    slow.take(1000)
    one.sent_settles()
    rss, taken = proxy.rss_kb(), one.sent
    for _ in range(5):
        slow.take(1000)
        time.sleep(1)
    assert one.sent - taken < 1 << 20
    assert one.sent < 32 << 20
    assert proxy.rss_kb() - rss < 8192
    begin = time.monotonic()
    other = client()
    other.request()
    assert len(other.take(8 << 20)) == 8 << 20
    assert time.monotonic() - begin < 10


def test_upload_to_a_slow_reader_does_not_raise_memory(proxy, origin, client):
    async def slow(conn):
        await conn.request(body=False)
        conn.reader._transport.pause_reading()
        await conn.ended.wait()
    origin(slow, rcvbuf=16384)
    proxy.start(config(proxy))
    rss = proxy.rss_kb()
    c = client(timeout=1.5)
    c.request(method='POST', headers='Content-Length: 1000000000\r\n')
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 64 << 20:
            sent += c.sock.send(b'x' * 65536)
    assert proxy.rss_kb() - rss < 32768


@pytest.mark.slow
def test_long_upload_is_hashed_by_a_script(proxy, origin, client):
    """The body of a request arrives byte for byte where nothing but our own code reads it."""
    origin(hash_body)
    proxy.start(config(proxy))
    block, count = os.urandom(1 << 20), 64
    c = client(timeout=30)
    c.request(method='POST', headers=f'Content-Length: {count << 20}\r\n')
    for _ in range(count):
        c.send(block)
    assert c.answer().text == hashlib.sha256(block * count).hexdigest()


async def many_requests(sockets, count):
    """Each connection asks `count` times, all at once; the number of good answers."""
    good = 0

    async def one(sock):
        nonlocal good
        reader, writer = await asyncio.open_connection(sock=sock)
        for _ in range(count):
            writer.write(b'GET / HTTP/1.1\r\nHost: h\r\n\r\n')
            head = await reader.readuntil(b'\r\n\r\n')
            body = await reader.readexactly(4)
            good += head.startswith(b'HTTP/1.1 200 ') and body == b'one\n'
        return writer
    writers = await asyncio.gather(*(one(s) for s in sockets))
    for writer in writers:
        writer.close()
    return good


@pytest.mark.slow
@pytest.mark.parametrize('workers', [1, 3])
def test_five_thousand_connections(proxy, nginx, net, workers):
    nginx()
    proxy.start(config(proxy), workers)
    sockets = [net.connect(80) for _ in range(5000)]
    wait_until(lambda: proxy.stat('f', 'FRONTEND', 'scur') == '5000', 10, 'all are accepted')
    assert asyncio.run(many_requests(sockets, 2)) == 10000
    assert proxy.stat('f', 'FRONTEND', 'hrsp_2xx') == '10000'
    wait_until(lambda: proxy.stat('f', 'FRONTEND', 'scur') == '0', 10, 'all are closed')


def test_many_short_connections(proxy, nginx, net):
    """Open, ask, close, 2,000 times: ports and TIME-WAIT entries do not run out."""
    nginx()
    proxy.start(config(proxy))
    for _ in range(2000):
        with Client(net.connect(80)) as c:
            assert c.get(headers='Connection: close\r\n').body == b'one\n'
    assert proxy.stat('f', 'FRONTEND', 'stot') == '2000'
