# SPDX-License-Identifier: BSD-3-Clause
"""The kernel as peer, with its TCP set in ways that others have: bytes are exact whatever it offers."""
import hashlib
import random
import socket
import time

import pytest

from frame.net import NEAR, PROXY
from frame.transfer import Transfer

pytestmark = pytest.mark.sanitize

CONFIG = f'''
    defaults
        mode tcp
        timeout connect 5s
        timeout client 5m
        timeout server 5m
    listen t
        bind {PROXY}:8000
        server s1 {NEAR}:8001
    '''
SIZE = 8 << 20


def small_windows(sock, opened):
    del opened
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


def small_segments(sock, opened):
    del opened
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 88)


def delayed_acks(sock, opened):
    del opened
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)


@pytest.mark.parametrize('sends', [True, False], ids=['up', 'down'])
@pytest.mark.parametrize('settings', [
    {}, {'tcp_sack': 0}, {'tcp_timestamps': 0}, {'tcp_window_scaling': 0}, {'tcp_ecn': 1},
    {'tcp_sack': 0, 'tcp_timestamps': 0, 'tcp_window_scaling': 0}, {'tcp_dsack': 0, 'tcp_recovery': 0},
    {'tcp_slow_start_after_idle': 0}, {'tcp_rmem': '4096 8192 16384'}, {'tcp_wmem': '4096 8192 16384'},
    {'tcp_mtu_probing': 2}], ids=str)
def test_settings_of_the_peer(proxy, net, settings, sends):
    with net.inside():
        for key, value in settings.items():
            net.sysctl(f'ipv4/{key}', str(value))
    proxy.start(CONFIG)
    exchange(net, SIZE, sends)


@pytest.mark.parametrize('sends', [True, False], ids=['up', 'down'])
@pytest.mark.parametrize('tune, size', [(small_windows, 1 << 20), (small_segments, 1 << 20),
                                        (delayed_acks, SIZE)])
def test_options_of_its_sockets(proxy, net, tune, size, sends):
    proxy.start(CONFIG)
    exchange(net, size, sends, tune=tune)


def exchange(net, size, sends, **kw):
    data = random.Random(size).randbytes(size)
    result = Transfer(net, (PROXY, 8000), net, (NEAR, 8001), data, 2, opener_sends=sends, **kw).run()
    assert result['problems'] == []
    assert result['same'] and result['bytes'] == size


def pair(net):
    """A connection through weir, both ends."""
    with net.inside():
        listener = socket.create_server((NEAR, 8001))
    one = net.connect(8000)
    two = listener.accept()[0]
    listener.close()
    two.settimeout(20)
    return one, two


def test_half_close_in_each_direction(proxy, net):
    proxy.start(CONFIG)
    for first, second in ((0, 1), (1, 0)):
        ends = pair(net)
        ends[first].sendall(b'last words')
        ends[first].shutdown(socket.SHUT_WR)
        assert ends[second].recv(100) == b'last words'
        assert ends[second].recv(100) == b''
        ends[second].sendall(b'x' * 100000)
        ends[second].close()
        got = b''.join(iter(lambda e=ends[first]: e.recv(65536), b''))
        assert got == b'x' * 100000
        ends[first].close()


def test_a_window_of_zero_opens_again(proxy, net):
    """The reader stops until everybody's buffers are full, for longer than the first probes."""
    proxy.start(CONFIG)
    one, two = pair(net)
    data = random.Random(1).randbytes(32 << 20)
    view, sent = memoryview(data), 0
    one.settimeout(2)
    try:
        while sent < len(view):
            sent += one.send(view[sent:sent + 65536])
    except TimeoutError:
        pass
    assert sent < len(view), 'memory is bounded'
    time.sleep(2)
    digest, got = hashlib.sha256(), 0
    while got < sent:
        part = two.recv(1 << 18)
        got += len(part)
        digest.update(part)
    assert digest.digest() == hashlib.sha256(view[:sent]).digest()
    one.close()
    two.close()


def test_many_small_writes(proxy, net):
    proxy.start(CONFIG)
    one, two = pair(net)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(5000):
        one.sendall(i.to_bytes(4, 'big'))
    one.shutdown(socket.SHUT_WR)
    got = b''.join(iter(lambda: two.recv(65536), b''))
    assert got == b''.join(i.to_bytes(4, 'big') for i in range(5000))
    one.close()
    two.close()
