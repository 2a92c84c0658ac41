# SPDX-License-Identifier: BSD-3-Clause
"""Log lines as HAProxy writes them, to syslog over UDP and to standard output."""
import re
import socket

import pytest

from frame.net import wait_until
from frame.origin import fixed

pytestmark = [pytest.mark.both_proxies, pytest.mark.sanitize]

CONFIG = '''
    defaults
        mode {mode}
        timeout connect 2s
        timeout client 5s
        timeout server 5s
        log {target} local2
        option {option}
        {more}
    frontend front
        bind 10.9.0.2:80
        default_backend back
    backend back
        server s1 10.9.0.1:8001
    '''
HTTPLOG = (r'10\.9\.0\.1:\d+ \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] front back/s1 '
           r'\d+/\d+/\d+/\d+/\d+ 200 \d+ - - ---- 1/1/0/0/0 0/0 "GET /path\?x=1 HTTP/1\.1"')
TCPLOG = (r'10\.9\.0\.1:\d+ \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] front back/s1 '
          r'\d+/\d+/\d+ \d+ -- 1/1/0/0/0 0/0')


@pytest.fixture
def syslog(net):
    """Receives datagrams on 10.9.0.1:5514."""
    with net.inside():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(('0.0.0.0', 5514))
    sock.settimeout(5)

    def line():
        """The next line about traffic; notices of start and stop are passed over."""
        while True:
            text = sock.recv(65536).decode()
            if '10.9.0.1:' in text:
                return text
    line.sock = sock
    yield line
    sock.close()


def config(mode='http', target='10.9.0.1:5514', option='httplog', more=''):
    return CONFIG.format(mode=mode, target=target, option=option, more=more)


def test_httplog_to_syslog(proxy, origin, client, syslog):
    origin(fixed())
    proxy.start(config())
    with client() as c:
        c.get('/path?x=1')
    assert re.fullmatch(r'<150>\w{3} [ \d]\d \d\d:\d\d:\d\d ([\w.-]+ )?\w+\[\d+\]: ' + HTTPLOG + '\n?',
                        syslog())


def test_tcplog_to_syslog(proxy, origin, client, syslog):
    origin(fixed())
    proxy.start(config('tcp', option='tcplog'))
    with client() as c:
        c.get()
    assert re.search(r'\]: ' + TCPLOG + '\n?$', syslog())


def test_httplog_to_stdout(proxy, origin, client):
    origin(fixed())
    proxy.start(config(target='stdout format raw'))
    with client() as c:
        c.get('/path?x=1')
    wait_until(lambda: re.search('^' + HTTPLOG + '$', proxy.output(), re.M), 5,
               'the line is written')


@pytest.mark.parametrize('script, more, flags, status', [
    ('refuse', '', 'SC--', 503), ('silent', 'timeout server 300ms', 'sH--', 504),
    ('close', '', 'SH--', 502)])
def test_termination_flags(proxy, origin, client, syslog, script, more, flags, status):
    async def silent(conn):
        await conn.reader.read(-1)

    async def close(conn):
        await conn.request()
    if script != 'refuse':
        origin({'silent': silent, 'close': close}[script])
    proxy.start(config(more=f'retries 0\n        {more}'))
    with client() as c:
        assert c.get().status == status
    assert re.search(rf' {status} \d+ - - {flags} ', syslog())


def test_408_is_logged(proxy, client, syslog):
    proxy.start(config(more='timeout http-request 300ms'))
    with client() as c:
        c.send(b'GET / HT')
        assert c.answer().status == 408
    assert re.search(r' front front/<NOSRV> -1/-1/-1/-1/\d+ 408 \d+ - - cR-- ', syslog())


def test_bad_request_is_logged(proxy, client, syslog):
    proxy.start(config())
    with client() as c:
        c.send(b'\x16\x03\x01 nonsense\r\n\r\n')
        assert c.answer().status == 400
    assert re.search(r' front front/<NOSRV> -1/-1/-1/-1/\d+ 400 \d+ - - PR-- .*"<BADREQ>"', syslog())


def test_dontlognull(proxy, origin, client, syslog):
    """A connection without a byte is not logged; the one after it is."""
    origin(fixed())
    proxy.start(config(more='option dontlognull'))
    client().sock.close()
    with client() as c:
        c.get('/path?x=1')
    assert 'GET /path?x=1' in syslog()
