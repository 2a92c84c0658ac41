# SPDX-License-Identifier: BSD-3-Clause
"""When one side fails: origins that refuse, stay silent or die, clients that vanish."""
import asyncio
import time

import pytest

from frame.client import reset
from frame.net import wait_until
from frame.origin import echo_head, endless, fixed, silent

pytestmark = [pytest.mark.both_proxies, pytest.mark.sanitize]

CONFIG = '''
    defaults
        mode {mode}
        timeout connect 2s
        timeout client 20s
        timeout server 20s
        retries 0
    frontend f
        bind 10.9.0.2:80
        {front}
        default_backend b
    backend b
        {back}
        server s1 10.9.0.1:{port} {server}
        {more}
    '''


def config(front='', back='', server='', more='', port=8001, mode='http'):
    return CONFIG.format(front=front, back=back, server=server, more=more, port=port, mode=mode)


def no_sessions(proxy, seconds=5):
    wait_until(lambda: proxy.stat('f', 'FRONTEND', 'scur') == '0' and
               proxy.stat('b', 'BACKEND', 'scur') == '0', seconds, 'the sessions end')


def test_503_when_the_origin_refuses(proxy, client, refused_port):
    proxy.start(config(port=refused_port))
    begin = time.monotonic()
    assert client().get().status == 503
    assert time.monotonic() - begin < 1, 'a refusal needs no timeout'


def test_503_when_the_origin_does_not_exist(proxy, client):
    """Nobody answers on that address: timeout connect decides."""
    proxy.start(config(back='timeout connect 500ms', more='server s2 10.9.0.77:80', server='disabled'))
    begin = time.monotonic()
    assert client().get().status == 503
    assert 0.4 < time.monotonic() - begin < 4


def test_503_when_no_server_is_left(proxy, client):
    proxy.start(config(server='disabled'))
    assert client().get().status == 503


def test_503_without_backend(proxy, client):
    proxy.start('''
        frontend f
            bind 10.9.0.2:80
        ''')
    assert client().get().status == 503


def test_errorfile(proxy, client, folder):
    with open(f'{folder}/503.http', 'wb') as f:
        f.write(b'HTTP/1.0 503 Gone fishing\r\nContent-Length: 3\r\nX-Own: 1\r\n\r\nown')
    proxy.start(config(server='disabled', front=f'errorfile 503 {folder}/503.http',
                       back=f'errorfile 503 {folder}/503.http'))
    answer = client().get()
    assert (answer.status, answer.body, answer.headers['x-own']) == (503, b'own', '1')


def test_redispatch_to_a_server_that_works(proxy, origin, client, refused_port):
    origin(fixed(), port=8002)
    proxy.start(config(port=refused_port, back='option redispatch 1\n        retries 1',
                       more='server s2 10.9.0.1:8002'))
    for _ in range(4):
        with client() as c:
            assert c.get().status == 200


def test_504_when_the_origin_never_answers(proxy, origin, client):
    origin(silent)
    proxy.start(config(back='timeout server 500ms'))
    begin = time.monotonic()
    assert client().get().status == 504
    assert 0.4 < time.monotonic() - begin < 3
    assert proxy.stat('b', 's1', 'scur') == '0'


def test_502_when_the_origin_closes_without_an_answer(proxy, origin, client):
    async def script(conn):
        await conn.request()
    origin(script)
    proxy.start(config())
    assert client().get().status == 502


def test_502_when_the_origin_resets(proxy, origin, client):
    async def script(conn):
        await conn.request()
        conn.reset()
    origin(script)
    proxy.start(config())
    assert client().get().status == 502


@pytest.mark.parametrize('how', ['close', 'reset'])
@pytest.mark.parametrize('head', [b'Content-Length: 100000', b'Transfer-Encoding: chunked'],
                         ids=['length', 'chunked'])
def test_origin_dies_in_the_middle_of_an_answer(proxy, origin, client, how, head):
    """The client gets what came, then the end: it can tell, and no error page is glued on."""
    async def script(conn):
        await conn.request()
        await conn.send(b'HTTP/1.1 200 OK\r\n' + head + b'\r\n\r\n')
        await conn.send(b'x' * 1000 if b'Length' in head else b'3e8\r\n' + b'x' * 1000 + b'\r\n')
        await asyncio.sleep(0.2)
        if how == 'reset':
            conn.reset()
    origin(script)
    proxy.start(config())
    c = client()
    try:
        answer = c.get()
        assert answer.status == 200 and not answer.whole
        assert answer.body.strip(b'x') == b'' and len(answer.body) <= 1000
        if how == 'close':
            assert len(answer.body) == 1000
    except ConnectionResetError:
        assert how == 'reset'
    no_sessions(proxy)


def test_kept_server_connection_that_died_is_not_seen_by_the_client(proxy, origin, client):
    """The origin closes an idle connection; the next request goes over a new one."""
    async def script(conn):
        await conn.request()
        await conn.answer(b'one')
    one = origin(script)
    proxy.start(config())
    c = client()
    for _ in range(3):
        assert c.get().status == 200
        one.wait_all_closed()
        time.sleep(0.05)
    assert len(one.connections) == 3


@pytest.mark.parametrize('how', ['close', 'reset'])
@pytest.mark.parametrize('mode', ['http', 'tcp'])
def test_client_goes_away_while_the_answer_flows(proxy, origin, client, how, mode):
    one = origin(endless())
    proxy.start(config(mode=mode))
    c = client()
    c.request()
    c.take(100000)
    if how == 'reset':
        reset(c.sock)
    else:
        c.sock.close()
    one.wait_all_closed()
    no_sessions(proxy)


@pytest.mark.parametrize('mode', ['http', 'tcp'])
def test_client_vanishes(proxy, origin, client, net, mode):
    """Its address goes away without a FIN: timeout client ends the session."""
    one = origin(endless())
    proxy.start(config(mode=mode, front='timeout client 700ms', back='timeout server 700ms'))
    net.ip('addr', 'add', '10.9.0.5/24', 'dev', 'weir0')
    c = client(source='10.9.0.5')
    c.request()
    c.take(1000)
    net.ip('addr', 'del', '10.9.0.5/24', 'dev', 'weir0')
    no_sessions(proxy, 6)
    one.wait_all_closed(6)


def test_client_vanishes_before_its_request(proxy, origin, client, net):
    origin(fixed())
    proxy.start(config(front='timeout http-request 500ms'))
    net.ip('addr', 'add', '10.9.0.5/24', 'dev', 'weir0')
    client(source='10.9.0.5').send(b'GET / HT')
    net.ip('addr', 'del', '10.9.0.5/24', 'dev', 'weir0')
    no_sessions(proxy, 6)
    assert client().get().status == 200


def test_server_maxconn_queues(proxy, origin, client):
    """With maxconn 1 the second request waits for the first; none is lost."""
    async def script(conn):
        while await conn.request():
            await asyncio.sleep(0.1)
            await conn.answer(str(conn.origin.open).encode())
    origin(script)
    proxy.start(config(server='maxconn 1', back='http-reuse never'))
    clients = [client() for _ in range(5)]
    for c in clients:
        c.request(headers='Connection: close\r\n')
    assert [c.answer().body for c in clients] == [b'1'] * 5


def test_503_after_timeout_queue(proxy, origin, client):
    origin(silent)
    proxy.start(config(server='maxconn 1', back='timeout queue 400ms'))
    client().request()
    wait_until(lambda: proxy.stat('b', 's1', 'scur') == '1', 3, 'the first holds the server')
    begin = time.monotonic()
    assert client().get().status == 503
    assert 0.3 < time.monotonic() - begin < 3


def test_frontend_maxconn_makes_clients_wait(proxy, origin, client):
    origin(echo_head)
    proxy.start(config(front='maxconn 2'))
    first, second = client(), client()
    assert first.get().status == 200 and second.get().status == 200
    third = client()
    third.request('/third')
    time.sleep(0.3)
    assert proxy.stat('f', 'FRONTEND', 'scur') == '2'
    first.sock.close()
    assert third.answer().body.startswith(b'GET /third ')
