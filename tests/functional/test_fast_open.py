# SPDX-License-Identifier: BSD-3-Clause
"""tfo and defer-accept with a Linux kernel on the other side."""
import re
import socket
import threading
import time

import pytest

from frame.net import PROXY, wait_until
from frame.origin import echo_head, fixed

pytestmark = pytest.mark.sanitize

REQUEST = b'GET /early HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'


def counter(proxy, name):
    return int(re.search(rf'^tcp +{name} +(\d+)', proxy.show('counters all'), re.M)[1])


def kernel_counter(net, name):
    """Of TcpExt, in the namespace of clients and origins."""
    rows = [row.split() for row in net.run(['cat', '/proc/net/netstat']).stdout.split('\n')]
    names, values = [row for row in rows if row and row[0] == 'TcpExt:']
    return int(values[names.index(name)])


def allow_fast_open(net):
    with net.inside():
        net.sysctl('ipv4/tcp_fastopen', '3')


def early_request(net):
    """Opens with the request in the SYN, if the kernel has a cookie; returns the answer."""
    with net.inside():
        sock = socket.socket()
    with sock:
        sock.sendto(REQUEST, socket.MSG_FASTOPEN, (PROXY, 80))
        sock.settimeout(10)
        answer = b''
        while part := sock.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize('workers', [1, 3])
def test_bind_takes_text_of_a_syn(proxy, net, origin, workers):
    allow_fast_open(net)
    one = origin(echo_head)
    proxy.start('''
        frontend f
            bind 10.9.0.2:80 tfo
            default_backend b
        backend b
            server s1 10.9.0.1:8001
        ''', workers)
    for number in range(6):
        assert b'GET /early' in early_request(net)
        assert len(one.requests) == number + 1
    assert counter(proxy, 'fast_open_cookies') == 1
    assert counter(proxy, 'fast_open_passive') == 5
    assert kernel_counter(net, 'TCPFastOpenActive') == 5
    assert kernel_counter(net, 'TCPFastOpenActiveFail') == 0


class FastOrigin:
    """A server of the kernel that takes text of SYNs, and answers whatever it reads."""

    def __init__(self, net):
        self.net = net
        self.start()

    def start(self):
        with self.net.inside():
            self.server = socket.socket()
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
        self.server.bind(('', 8001))
        self.server.listen(16)
        self.server.settimeout(0.1)
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while not self.done.is_set():
            try:
                conn, _ = self.server.accept()
            except TimeoutError:
                continue
            with conn:
                conn.settimeout(5)
                conn.recv(65536)
                conn.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes')

    def stop(self):
        self.done.set()
        self.thread.join()
        self.server.close()


@pytest.fixture
def fast_origin(net):
    one = FastOrigin(net)
    yield one
    one.stop()


def start_with_text(proxy, net, mode):
    """In mode tcp there is text to send from the start if accepting waits for it."""
    allow_fast_open(net)
    proxy.start(f'''
        frontend f
            mode {mode}
            bind 10.9.0.2:80 defer-accept
            default_backend b
        backend b
            mode {mode}
            server s1 10.9.0.1:8001 tfo
        ''')


@pytest.mark.parametrize('mode', ['http', 'tcp'])
def test_server_gets_text_with_the_syn(proxy, net, client, fast_origin, mode):
    start_with_text(proxy, net, mode)
    for _ in range(6):
        with client() as once:
            assert once.get().body == b'yes'
    assert counter(proxy, 'fast_open_active') == 5
    assert counter(proxy, 'fast_open_refused') == 0
    assert kernel_counter(net, 'TCPFastOpenPassive') >= 1
    assert kernel_counter(net, 'TCPFastOpenPassiveFail') == 0


@pytest.mark.parametrize('mode', ['http', 'tcp'])
def test_server_goes_away(proxy, net, client, fast_origin, mode):
    """The text left with the SYN and nobody listens any more: that is an error at once, and no
    second try; when the server is back all is well."""
    start_with_text(proxy, net, mode)
    for _ in range(2):
        with client() as once:
            assert once.get().body == b'yes'
    fast_origin.stop()
    began = time.monotonic()
    with client() as once:
        if mode == 'http':
            assert once.get().status in (502, 503)
        else:
            once.sock.sendall(REQUEST)
            with pytest.raises(ConnectionResetError):
                once.sock.recv(1)
    assert time.monotonic() < began + 3
    fast_origin.start()
    with client() as once:
        assert once.get().body == b'yes'


def test_server_without_tfo_is_served(proxy, net, client, origin):
    """The kernel gives no cookies: every connection asks, and is the usual one."""
    with net.inside():
        net.sysctl('ipv4/tcp_fastopen', '0')
    origin(fixed(b'plain'))
    proxy.start('''
        frontend f
            bind 10.9.0.2:80
            default_backend b
        backend b
            server s1 10.9.0.1:8001 tfo
        ''')
    for _ in range(3):
        with client() as once:
            assert once.get().body == b'plain'
    assert counter(proxy, 'fast_open_active') == 0


def test_defer_accept(proxy, origin, client):
    """A client that says nothing is not seen for a second; one that speaks is served at once."""
    origin(fixed())
    proxy.start('''
        frontend f
            bind 10.9.0.2:80 defer-accept
            default_backend b
        backend b
            server s1 10.9.0.1:8001
        ''')
    quiet = client()
    time.sleep(0.3)
    assert proxy.info('CumConns') == '0'
    assert client().get().status == 200
    assert proxy.info('CumConns') == '1'
    wait_until(lambda: proxy.info('CumConns') == '2', 5, 'the quiet one is accepted')
    assert quiet.get().status == 200
    assert counter(proxy, 'accept_deferred') >= 1
