# SPDX-License-Identifier: BSD-3-Clause
"""HTTP/1 through the proxy: what passes, and how it looks on both sides."""
import pytest

from frame.net import wait_until
from frame.origin import echo_head, fixed, raw_answer

pytestmark = [pytest.mark.both_proxies, pytest.mark.sanitize]

CONFIG = '''
    frontend f
        bind 10.9.0.2:80
        {front}
        default_backend b
    backend b
        {back}
        server s1 10.9.0.1:8001 {server}
    '''


def config(front='', back='', server=''):
    return CONFIG.format(front=front, back=back, server=server)


def test_request_and_answer_pass_unchanged(proxy, origin, client):
    one = origin(fixed(b'the body', headers='X-One: 1\r\nX-Two: a, b\r\nServer: mine\r\n'))
    proxy.start(config())
    answer = client().get('/a/b?c=d&e=%20', headers='X-Mine: v:w\r\nAccept: */*\r\n')
    assert (answer.status, answer.body) == (200, b'the body')
    assert answer.head.startswith(b'HTTP/1.1 200 OK\r\n')
    assert (answer.headers['x-one'], answer.headers['x-two'], answer.headers['server']) == \
        ('1', 'a, b', 'mine')
    request = one.requests[0]
    assert (request.method, request.path, request.version) == ('GET', '/a/b?c=d&e=%20', 'HTTP/1.1')
    assert request.headers == {'host': 'weir.test', 'x-mine': 'v:w', 'accept': '*/*'}


def test_keep_alive(proxy, origin, client):
    one = origin(fixed())
    proxy.start(config())
    c = client()
    for _ in range(5):
        answer = c.get()
        assert answer.status == 200 and answer.headers.get('connection') != 'close'
    assert len(one.requests) == 5
    assert len(one.connections) == 1, 'the server connection is kept too'


def test_connection_close_of_client(proxy, origin, client):
    one = origin(fixed())
    proxy.start(config())
    c = client()
    assert c.get(headers='Connection: close\r\n').headers['connection'] == 'close'
    assert c.closed()
    assert 'close' not in one.requests[0].headers.get('connection', '')


def test_connection_close_of_server(proxy, origin, client):
    origin(raw_answer(b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok', close=True))
    proxy.start(config())
    c = client()
    for _ in range(3):
        answer = c.get()
        assert answer.body == b'ok' and 'close' not in answer.headers.get('connection', '')


@pytest.mark.parametrize('option, client_closed, server_connections', [
    ('option http-keep-alive', False, 1), ('option http-server-close', False, 2),
    ('option httpclose', True, 2)])
def test_close_options(proxy, origin, client, option, client_closed, server_connections):
    one = origin(fixed())
    proxy.start(config(front=option))
    c = client()
    assert c.get().status == 200
    if client_closed:
        assert c.closed()
        c = client()
    assert c.get().status == 200
    assert len(one.connections) == server_connections


@pytest.mark.parametrize('reuse, connections', [('never', 4), ('safe', 1), ('always', 1)])
def test_http_reuse(proxy, origin, client, reuse, connections):
    """Four clients with two requests each: `safe` shares from a client's second request on."""
    one = origin(fixed())
    proxy.start(config(back=f'http-reuse {reuse}'))
    for _ in range(4):
        with client() as c:
            assert c.get().status == 200 and c.get().status == 200
    assert len(one.requests) == 8
    if reuse == 'safe':
        assert 1 <= len(one.connections) <= 4
    else:
        assert len(one.connections) == connections


def test_pipelining(proxy, origin, client):
    origin(echo_head)
    proxy.start(config())
    c = client()
    c.send(b''.join(b'GET /%d HTTP/1.1\r\nHost: h\r\n\r\n' % i for i in range(20)))
    for i in range(20):
        assert c.answer().body.startswith(b'GET /%d HTTP/1.1\r\n' % i)


def test_pipelining_with_bodies(proxy, origin, client):
    origin(echo_head)
    proxy.start(config())
    c = client()
    c.send(b'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc'
           b'POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\n\r\n'
           b'GET /c HTTP/1.1\r\nHost: h\r\n\r\n')
    assert c.answer().body.endswith(b'\r\n\r\nabc')
    assert c.answer().body.endswith(b'\r\n\r\ndef')
    assert c.answer().body.startswith(b'GET /c ')


def test_request_byte_by_byte(proxy, origin, client):
    origin(echo_head)
    proxy.start(config())
    c = client()
    for byte in b'POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc':
        c.send(bytes([byte]))
    answer = c.answer()
    assert answer.body.startswith(b'POST /slow ') and answer.body.endswith(b'abc')


def test_head(proxy, origin, client):
    origin(raw_answer(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'))
    proxy.start(config())
    c = client()
    for _ in range(2):
        answer = c.get(method='HEAD')
        assert answer.status == 200 and answer.headers['content-length'] == '1000'
    assert c.buffer == b''


@pytest.mark.parametrize('status', ['204 No Content', '304 Not Modified'])
def test_answers_without_body(proxy, origin, client, status):
    origin(raw_answer(f'HTTP/1.1 {status}\r\nETag: "a"\r\n\r\n'.encode()))
    proxy.start(config())
    c = client()
    for _ in range(2):
        assert c.get().status == int(status[:3])


def test_post_with_length(proxy, origin, client):
    one = origin(echo_head)
    proxy.start(config())
    body = bytes(range(256)) * 1000
    c = client()
    c.request(method='POST', headers=f'Content-Length: {len(body)}\r\n', body=body)
    assert c.answer().body.endswith(body)
    assert one.requests[0].body == body


@pytest.mark.parametrize('sizes', [[1], [5, 1, 70000, 3], [1] * 100])
def test_post_chunked(proxy, origin, client, sizes):
    one = origin(echo_head)
    proxy.start(config())
    parts = [bytes([65 + i % 26]) * size for i, size in enumerate(sizes)]
    c = client()
    c.request(method='POST', headers='Transfer-Encoding: chunked\r\n')
    for part in parts:
        c.send(b'%x\r\n%s\r\n' % (len(part), part))
    c.send(b'0\r\n\r\n')
    assert c.answer().status == 200
    assert one.requests[0].body == b''.join(parts)
    assert one.requests[0].headers['transfer-encoding'] == 'chunked'
    assert c.get('/next').status == 200


def test_post_chunked_with_extension_and_trailer(proxy, origin, client):
    one = origin(echo_head)
    proxy.start(config())
    c = client()
    c.request(method='POST', headers='Transfer-Encoding: chunked\r\n',
              body=b'3;ext=1\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n')
    assert c.answer().status == 200
    assert one.requests[0].body == b'abc' and one.requests[0].trailers.lower() == b'x-sum: 7\r\n'


def test_chunked_answer(proxy, origin, client):
    origin(raw_answer(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
                      b'4\r\nwiki\r\n5\r\npedia\r\n0\r\nX-Sum: 9\r\n\r\n'))
    proxy.start(config())
    c = client()
    for _ in range(2):
        answer = c.get()
        assert answer.whole and answer.body == b'wikipedia'
        assert answer.trailers.lower() == b'x-sum: 9\r\n'


def test_answer_until_close(proxy, origin, client):
    origin(raw_answer(b'HTTP/1.1 200 OK\r\n\r\nuntil the end', close=True))
    proxy.start(config())
    assert client().get().body == b'until the end'


def test_http_1_0_client(proxy, origin, client):
    origin(fixed(b'ok'))
    proxy.start(config())
    c = client()
    assert c.get(version='1.0').body == b'ok'
    assert c.closed()


def test_http_1_0_keep_alive(proxy, origin, client):
    origin(fixed(b'ok'))
    proxy.start(config())
    c = client()
    for _ in range(2):
        answer = c.get(version='1.0', headers='Connection: keep-alive\r\n')
        assert answer.body == b'ok' and answer.headers['connection'].lower() == 'keep-alive'


def test_http_1_0_server(proxy, origin, client):
    origin(raw_answer(b'HTTP/1.0 200 OK\r\n\r\nold', close=True))
    proxy.start(config())
    assert client().get().body == b'old'


def test_expect_100_continue(proxy, origin, client):
    async def script(conn):
        request = await conn.request(body=False)
        assert request.headers['expect'] == '100-continue'
        await conn.send(b'HTTP/1.1 100 Continue\r\n\r\n')
        await conn.body(request)
        await conn.answer(request.body)
    origin(script)
    proxy.start(config())
    c = client()
    c.request(method='PUT', headers='Content-Length: 4\r\nExpect: 100-continue\r\n')
    assert c.until(b'\r\n\r\n').startswith(b'HTTP/1.1 100')
    c.send(b'body')
    assert c.answer().body == b'body'


def test_expect_refused(proxy, origin, client):
    """The final status comes before the body was sent."""
    async def script(conn):
        await conn.request(body=False)
        await conn.answer(b'no', status='417 Expectation Failed', headers='Connection: close\r\n')
    origin(script)
    proxy.start(config())
    c = client()
    c.request(method='PUT', headers='Content-Length: 4\r\nExpect: 100-continue\r\n')
    assert c.answer().status == 417


def test_early_hints(proxy, origin, client):
    origin(raw_answer(b'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n'
                      b'HTTP/1.1 102 Processing\r\n\r\n'
                      b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    proxy.start(config())
    c = client()
    for _ in range(2):
        answer = c.get()
        assert [i.status for i in answer.interim] == [103, 102] and answer.body == b'ok'
        assert answer.interim[0].headers['link'] == '</a.css>'


async def tunnel(conn):
    """Switches protocols, then answers each block in capitals."""
    request = await conn.request()
    status = '200 OK' if request.method == 'CONNECT' else '101 Switching Protocols'
    upgrade = '' if request.method == 'CONNECT' else 'Connection: Upgrade\r\nUpgrade: shout\r\n'
    await conn.send(f'HTTP/1.1 {status}\r\n{upgrade}\r\nready'.encode())
    while data := await conn.reader.read(4096):
        await conn.send(data.upper())


def test_upgrade_tunnel(proxy, origin, client):
    one = origin(tunnel)
    proxy.start(config())
    c = client()
    answer = c.get(headers='Connection: Upgrade\r\nUpgrade: shout\r\n')
    assert answer.status == 101 and answer.headers['upgrade'] == 'shout'
    assert one.requests[0].headers['upgrade'] == 'shout'
    assert c.take(5) == b'ready'
    for word in (b'one', b'GET / HTTP/1.1\r\n\r\n', b'\0\xff'):
        c.send(word)
        assert c.take(len(word)) == word.upper()
    c.sock.close()
    one.wait_all_closed()


def test_connect_tunnel(proxy, origin, client):
    one = origin(tunnel)
    proxy.start(config())
    c = client()
    c.send(b'CONNECT far.test:443 HTTP/1.1\r\nHost: far.test:443\r\n\r\n')
    assert c.until(b'\r\n\r\n').startswith(b'HTTP/1.1 200')
    assert c.take(5) == b'ready'
    c.send(b'abc')
    assert c.take(3) == b'ABC'
    assert one.requests[0].path == 'far.test:443'


def test_timeout_tunnel(proxy, origin, client):
    origin(tunnel)
    proxy.start(config(back='timeout tunnel 400ms'))
    c = client()
    assert c.get(headers='Connection: Upgrade\r\nUpgrade: shout\r\n').status == 101
    assert c.take(5) == b'ready'
    assert c.closed()


@pytest.mark.parametrize('args, sent, want', [
    ('', '', '10.9.0.1'),
    ('', 'X-Forwarded-For: 1.2.3.4\r\n', '1.2.3.4, 10.9.0.1'),
    ('except 10.9.0.0/24', '', None),
    ('header X-Client', '', None),
    ('if-none', 'X-Forwarded-For: 1.2.3.4\r\n', '1.2.3.4'),
])
def test_forwardfor(proxy, origin, client, args, sent, want):
    one = origin(fixed())
    proxy.start(config(front=f'option forwardfor {args}'))
    assert client().get(headers=sent).status == 200
    headers = one.requests[0].headers
    assert headers.get('x-forwarded-for') == want
    assert headers.get('x-client') == ('10.9.0.1' if 'X-Client' in args else None)


def test_large_head_within_the_buffer(proxy, origin, client):
    one = origin(echo_head)
    proxy.start(config())
    value = 'v' * 1000
    headers = ''.join(f'X-{i}: {value}\r\n' for i in range(12))
    assert client().get(headers=headers).status == 200
    assert one.requests[0].headers['x-11'] == value


def test_answer_before_the_request_has_ended(proxy, origin, client):
    async def script(conn):
        await conn.request(body=False)
        await conn.answer(b'early', headers='Connection: close\r\n')
        await conn.reader.read(1)
    origin(script)
    proxy.start(config())
    c = client()
    c.request(method='POST', headers='Content-Length: 100000\r\n', body=b'x')
    answer = c.answer()
    assert answer.status == 200 and answer.body == b'early'


def test_counters(proxy, origin, client):
    origin(fixed())
    proxy.start(config())
    c = client()
    c.get()
    c.get()
    c.sock.close()
    wait_until(lambda: proxy.stat('f', 'FRONTEND', 'scur') == '0', 3, 'no client left')
    assert proxy.stat('f', 'FRONTEND', 'stot') == '1'
    assert proxy.stat('f', 'FRONTEND', 'req_tot') == '2'
    assert proxy.stat('f', 'FRONTEND', 'hrsp_2xx') == '2'
    assert proxy.stat('b', 's1', 'status') == 'no check'
