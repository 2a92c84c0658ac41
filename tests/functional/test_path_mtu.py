# SPDX-License-Identifier: BSD-3-Clause
"""A link in the middle of the path is narrow: routers tell weir, and segments become smaller.

    weir --- weir0: router "near" --- 1,300 bytes --- router "far" --- "peer": clients and origins

All links have 1,500 bytes but the one in the middle, so no end knows of it by itself.
"""
import random
import re
import socket
import threading

import pytest

from frame.net import NEAR, NEAR6, PROXY, PROXY6, Namespace

pytestmark = pytest.mark.sanitize

NARROW = '1300'
PEER, PEER6 = '10.8.0.2', 'fd00:8::2'
FIRST = 300_000  # bytes before the link becomes narrow
SIZE = 3 << 20

CONFIG = f'''
    defaults
        mode tcp
        timeout connect 5s
        timeout client 1m
        timeout server 1m
    listen v4
        bind {PROXY}:8000
        server s1 {PEER}:8001
    listen v6
        bind [{PROXY6}]:8000
        server s1 [{PEER6}]:8001
    '''


class Path:
    """Two routers and a peer behind them."""

    def __init__(self, net):
        self.near, self.far, self.peer = net, Namespace('far'), Namespace('peer')
        self.spaces = [self.far, self.peer]
        self.link(self.near, 'middle0', self.far, 'middle1', 7)
        self.link(self.far, 'peer0', self.peer, 'peer1', 8)
        for router in (self.near, self.far):
            with router.inside():
                router.sysctl('ipv4/ip_forward', '1')
                router.sysctl('ipv6/conf/all/forwarding', '1')
        self.near.ip('route', 'add', '10.8.0.0/24', 'via', '10.7.0.2')
        self.near.ip('route', 'add', 'fd00:8::/64', 'via', 'fd00:7::2')
        for namespace, number in ((self.far, 7), (self.peer, 8)):
            namespace.ip('route', 'add', 'default', 'via', f'10.{number}.0.1')
            namespace.ip('route', 'add', 'default', 'via', f'fd00:{number}::1')

    @staticmethod
    def link(one, one_name, two, two_name, number):
        one.ip('link', 'add', one_name, 'type', 'veth', 'peer', 'name', two_name, 'netns', two.name)
        for host, (namespace, name) in enumerate(((one, one_name), (two, two_name)), 1):
            namespace.enable_v6(name)
            namespace.ip('addr', 'add', f'10.{number}.0.{host}/24', 'dev', name)
            namespace.ip('addr', 'add', f'fd00:{number}::{host}/64', 'dev', name, 'nodad')
            namespace.ip('link', 'set', name, 'up')

    def narrow(self):
        self.near.ip('link', 'set', 'middle0', 'mtu', NARROW)
        self.far.ip('link', 'set', 'middle1', 'mtu', NARROW)

    def delete(self):
        for namespace in self.spaces:
            namespace.delete()


@pytest.fixture
def path(net, proxy):
    proxy.v6 = True
    original = proxy.network
    proxy.network = lambda: original().rstrip() + \
        f'\n    route 10.8.0.0/24 via {NEAR}\n    route fd00:8::/64 via {NEAR6}\n'
    made = Path(net)
    yield made
    made.delete()


def connection(path, family, weir, peer):
    """Both ends of a connection through weir, in the peer's namespace: whom weir accepted, and who
    accepted weir."""
    with path.peer.inside():
        listener = socket.create_server((peer, 8001), family=family)
        client = socket.socket(family)
    listener.settimeout(10)
    client.settimeout(20)
    client.connect((weir, 8000))
    with listener:
        origin = listener.accept()[0]
    origin.settimeout(20)
    return client, origin


def move(sender, receiver, data):
    thread = threading.Thread(target=sender.sendall, args=(data,))
    thread.start()
    got = bytearray()
    while len(got) < len(data) and (part := receiver.recv(1 << 18)):
        got += part
    thread.join()
    assert got == data


@pytest.mark.parametrize('side', ['client', 'server'])
@pytest.mark.parametrize('family, weir, peer', [(socket.AF_INET, PROXY, PEER),
                                                (socket.AF_INET6, PROXY6, PEER6)], ids=['v4', 'v6'])
@pytest.mark.parametrize('from_start', [True, False], ids=['narrow', 'narrows'])
def test_routers_tell_of_a_narrow_link(proxy, path, from_start, family, weir, peer, side):
    """weir sends to the origin, which it connected to (client), or to whom it accepted (server)."""
    proxy.start(CONFIG)
    proxy.uses_v6()
    if from_start:
        path.narrow()
    ends = connection(path, family, weir, peer)
    sender, receiver = ends if side == 'client' else reversed(ends)
    data = random.Random(side).randbytes(SIZE)
    move(sender, receiver, data[:FIRST])
    if not from_start:
        assert not counter(proxy, 'pmtu_lowered')
        path.narrow()
    move(sender, receiver, data[FIRST:])
    assert counter(proxy, 'pmtu_lowered') == 1
    assert counter(proxy, 'icmp_error_in') >= 1
    assert not counter(proxy, 'pmtu_blackholes')
    # The next one begins with what is known, here or to the peer, which tells a smaller MSS then.
    again = connection(path, family, weir, peer)
    move(*(again if side == 'client' else reversed(again)), data[:FIRST])
    assert counter(proxy, 'pmtu_lowered') == 1
    for end in (*ends, *again):
        end.close()


def counter(proxy, name):
    found = re.search(rf'\b{name}\s+(\d+)', proxy.command('show counters all'))
    return int(found[1]) if found else 0
