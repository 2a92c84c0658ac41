# SPDX-License-Identifier: BSD-3-Clause
"""The network changes while the kernel's connections run through weir: routes, addresses, neighbours."""
import contextlib
import random
import re
import socket
import threading

import pytest

from frame.net import INTERFACE, NEAR, PROXY, wait_until
from frame.transfer import Transfer

pytestmark = pytest.mark.sanitize

SERVICE, SECOND, FAR = '10.9.0.50', '10.9.0.3', '192.0.2.1'
CONFIG = f'''
    defaults
        mode tcp
        timeout connect 30s
        timeout client 5m
        timeout server 5m
    listen t
        bind {PROXY}:8000
        server s1 %s:8001
    listen service
        bind {SERVICE}:8000
        server s1 {NEAR}:8002
    '''
SIZE = 16 << 20


@pytest.fixture
def slow(proxy, net):
    """start(server, more): a line on which a transfer takes some seconds."""
    def start(server, more=''):
        network = proxy.network
        proxy.network = lambda: network().rstrip().replace(
            f'iface={INTERFACE}', f'iface={INTERFACE} impair rate 20m') + more + '\n'
        proxy.start(CONFIG % server, workers=2)
    return start


class Running:
    """A transfer that goes on meanwhile."""

    def __init__(self, net, server):
        self.transfer = Transfer(net, (PROXY, 8000), net, (server, 8001),
                                 random.Random(7).randbytes(SIZE), 2, patience=200)
        self.thread = threading.Thread(target=self.run)
        self.result = None
        self.thread.start()

    def run(self):
        self.result = self.transfer.run()

    def moved(self):
        return sum(self.transfer.sent)

    def goes_on(self, seconds=30):
        """Until more has moved than fits all buffers on the way."""
        least = min(self.moved() + (2 << 20), SIZE)
        wait_until(lambda: self.moved() >= least, seconds, 'bytes move')

    def end(self):
        self.thread.join()
        assert self.result['problems'] == []
        assert self.result['same'] and self.result['bytes'] == SIZE


def counter(proxy, name):
    found = re.search(rf'\b{name}\s+(\d+)', proxy.show('counters all'))
    return int(found[1]) if found else 0


def test_route_change_under_traffic(proxy, net, slow):
    """Another gateway takes over, then there is none for a while."""
    routes = [f'{FAR}/32 via {gateway}' for gateway in (NEAR, SECOND)]
    net.ip('addr', 'add', f'{FAR}/32', 'dev', 'lo')
    slow(FAR, ''.join(f'\n    route {route}' for route in routes))
    net.ip('addr', 'add', f'{SECOND}/24', 'dev', INTERFACE)
    running = Running(net, FAR)
    running.goes_on()
    assert SECOND not in proxy.show('arp')
    assert proxy.command(f'disable route {routes[0]}') == '\n'
    assert 'disabled' in proxy.show('route')
    running.goes_on()
    assert re.search(rf'{SECOND} .* reachable', proxy.show('arp'))
    proxy.command(f'disable route {routes[1]}')
    wait_until(lambda: counter(proxy, 'tx_no_route') > 0, 10, 'what has no route is counted')
    for route in routes:
        proxy.command(f'enable route {route}')
    running.goes_on()
    running.end()
    assert 'disabled' not in proxy.show('route')


def ends_through_service(net, listener):
    one = net.connect(8000, host=SERVICE)
    two = listener.accept()[0]
    two.settimeout(20)
    one.sendall(b'ping')
    assert two.recv(100) == b'ping'
    return one, two


def test_address_change_under_traffic(proxy, net, slow):
    """A connection of an address that goes fails, the others go on; later it serves again."""
    slow(NEAR)
    with net.inside():
        listener = socket.create_server((NEAR, 8002))
    running = Running(net, NEAR)
    running.goes_on()
    one, two = ends_through_service(net, listener)
    assert proxy.command(f'disable address {SERVICE}') == '\n'
    two.sendall(b'pong')
    with contextlib.suppress(ConnectionResetError):
        assert two.recv(100) == b'', 'the other side of the connection is closed'
    assert counter(proxy, 'address_gone') == 1
    with pytest.raises(OSError):
        net.connect(8000, host=SERVICE, timeout=2)
    running.goes_on()
    proxy.command(f'enable address {SERVICE}')
    for end in (one, two, *ends_through_service(net, listener), listener):
        end.close()
    running.end()


def test_neighbour_goes_away_and_comes_back(net, slow):
    """The kernel's end of the wire is down for longer than segments go again a few times; nobody
    announces anything when it is up."""
    slow(NEAR)
    running = Running(net, NEAR)
    running.goes_on()
    net.ip('link', 'set', INTERFACE, 'down')
    before = running.moved()
    with pytest.raises(AssertionError):
        wait_until(lambda: running.moved() > before + (4 << 20), 5, 'nothing moves')
    net.ip('link', 'set', INTERFACE, 'up')
    running.goes_on()
    running.end()
