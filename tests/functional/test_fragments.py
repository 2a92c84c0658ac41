# SPDX-License-Identifier: BSD-3-Clause
"""Fragments: packets that come in pieces, answers that leave in pieces, and pieces without end."""
import errno
import hashlib
import os
import re
import socket
import threading
import time

import pytest

from frame.client import Client
from frame.net import INTERFACE, PROXY, Namespace
from frame.origin import fixed, hash_body
from test_network import CONFIG, icmp_echo, ping

pytestmark = pytest.mark.sanitize


def counter(proxy, name):
    found = re.search(rf'\b{name}\s+(\d+)', proxy.command('show counters all'))
    return int(found[1]) if found else 0


@pytest.mark.parametrize('address', [PROXY, '10.9.0.50'])
def test_large_ping(proxy, net, address):
    proxy.start(CONFIG)
    sizes = (1480, 1481, 4000, 20000, 65000)
    ping(net, address, sizes)
    assert counter(proxy, 'rx_reassembled') == len(sizes)


def test_udp_in_fragments_is_answered(proxy, net):
    """Nobody listens to UDP: an ICMP error about the whole datagram comes back."""
    proxy.start(CONFIG)
    with net.inside():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(3)
    sock.connect((PROXY, 514))
    sock.send(os.urandom(3000))
    with pytest.raises(OSError) as error:
        sock.recv(1)
    assert error.value.errno in (errno.ECONNREFUSED, errno.ENOPROTOOPT)
    sock.close()
    assert counter(proxy, 'rx_reassembled') == 1


@pytest.fixture
def behind_router(net):
    """A namespace behind `net`, which forwards to weir over a link of 600 bytes."""
    far = Namespace('behind')
    net.ip('link', 'add', 'behind0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', far.name)
    net.ip('addr', 'add', '10.8.0.1/24', 'dev', 'behind0')
    net.ip('link', 'set', 'behind0', 'up')
    far.ip('addr', 'add', '10.8.0.2/24', 'dev', 'eth0')
    far.ip('link', 'set', 'eth0', 'up')
    far.ip('route', 'add', 'default', 'via', '10.8.0.1')
    with net.inside():
        net.sysctl('ipv4/ip_forward', '1')
    yield far
    far.delete()


@pytest.mark.parametrize('workers', [1, 2])
def test_tcp_in_fragments(proxy, net, origin, behind_router, workers):
    """A router cuts what a client without path MTU discovery sends."""
    origin(hash_body)
    original = proxy.network
    proxy.network = lambda: original().rstrip() + '\n    route 10.8.0.0/24 via 10.9.0.1\n'
    proxy.start(CONFIG, workers=workers)
    net.ip('link', 'set', INTERFACE, 'mtu', '600')
    body = os.urandom(200000)
    for _ in range(3):
        with behind_router.inside():
            sock = socket.socket()
        sock.settimeout(10)
        sock.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER, IP_PMTUDISC_DONT
        sock.connect((PROXY, 80))
        with Client(sock) as one:
            answer = one.get(method='POST', headers=f'Content-Length: {len(body)}\r\n', body=body)
        assert answer.text == hashlib.sha256(body).hexdigest()
    assert counter(proxy, 'rx_reassembled') > 300


def flood(net, mac, stop):
    """First fragments of packets that will never be whole, from everywhere."""
    with net.inside():
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        sock.bind((INTERFACE, 0))
    number = 0
    while not stop.is_set():
        number += 1
        ip = bytearray(20)
        ip[0], ip[8], ip[9] = 0x45, 64, 6
        ip[2:4] = (20 + 64).to_bytes(2, 'big')
        ip[4:6] = (number & 0xffff).to_bytes(2, 'big')
        ip[6:8] = b'\x20\0'
        ip[12:16] = bytes((10, 9, 1 + number // 250 % 200, 1 + number % 250))
        ip[16:20] = socket.inet_aton(PROXY)
        total = sum(int.from_bytes(ip[i:i + 2], 'big') for i in range(0, 20, 2))
        total = (total & 0xffff) + (total >> 16)
        ip[10:12] = (0xffff - (total & 0xffff) - (total >> 16)).to_bytes(2, 'big')
        tcp = bytearray(64)
        tcp[12] = 0x50
        sock.send(mac + b'\2\0\0\0\0\x99\x08\0' + bytes(ip) + bytes(tcp))
    sock.close()


def test_flood(proxy, net, origin, client):
    """The table stays bounded, and others are served, also with fragments of their own."""
    origin(fixed())
    proxy.start(CONFIG)
    assert client().get().status == 200
    mac = re.search(r'lladdr (\S+)', net.run(['ip', 'neigh', 'show', PROXY]).stdout)[1]
    stop = threading.Event()
    thread = threading.Thread(target=flood, args=(net, bytes.fromhex(mac.replace(':', '')), stop))
    thread.start()
    try:
        with net.inside():
            sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        sock.settimeout(3)
        end = time.monotonic() + 3
        number = 0
        while time.monotonic() < end:
            assert client().get().status == 200
            number += 1
            packet = icmp_echo(number, os.urandom(4000))
            sock.sendto(packet, (PROXY, 0))
            while sock.recv(65536)[24:] != packet[4:]:
                pass
        sock.close()
    finally:
        stop.set()
        thread.join()
    full = [counter(proxy, f'rx_fragment_{what}_full') for what in ('table', 'source', 'buffers')]
    assert sum(full) > 1000, full
    used = re.search(r'ip fragments.*', proxy.show('pool'))[0]
    assert re.search(r'\b512\b', used), used
