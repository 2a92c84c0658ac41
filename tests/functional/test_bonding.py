# SPDX-License-Identifier: BSD-3-Clause
"""Bonds of two taps: one active at a time, and LACP with a partner that speaks it.

Kernels without a bonding driver are common in containers, so the other side is a bridge over both
taps, and for LACP (IEEE 802.1AX) a partner of our own that agrees, or does not.
"""
import re
import socket
import threading
import time

import pytest

from frame.net import NEAR, PROXY, wait_until
from frame.origin import fixed
from test_network import CONFIG

MEMBERS = ('weir0', 'weir1')
LACP_GROUP = bytes.fromhex('0180c2000002')
ETHERTYPE_SLOW = 0x8809
ACTIVE, SHORT, AGGREGATION, SYNC, COLLECTING, DISTRIBUTING = (1 << bit for bit in range(6))
READY = ACTIVE | SHORT | AGGREGATION | SYNC | COLLECTING | DISTRIBUTING


class Partner(threading.Thread):
    """The other end of the links: sends a LACPDU on each once a second, and at each change."""

    def __init__(self, net):
        super().__init__(daemon=True)
        self.state = READY
        self.heard = {}          # of each link: what weir says of itself
        self.links = {}
        self.done = threading.Event()
        with net.inside():
            for name in MEMBERS:
                sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_SLOW))
                sock.bind((name, ETHERTYPE_SLOW))
                sock.settimeout(0.1)
                self.links[name] = sock

    def pdu(self, number, name):
        """System and key are the same for all links; ports differ."""
        actor = b'\xff\xff' + b'\2\0\0\0\0\x77' + b'\0\1' + b'\0\xff' + bytes((0, number, self.state))
        partner = self.heard.get(name, bytes(15))
        return (LACP_GROUP + bytes((2, 0, 0, 0, 1, number)) + ETHERTYPE_SLOW.to_bytes(2, 'big') +
                b'\1\1' + b'\1\x14' + actor + bytes(3) + b'\2\x14' + partner + bytes(3) +
                b'\3\x10' + bytes(14) + bytes(52))

    def run(self):
        due = 0
        while not self.done.is_set():
            for name, sock in self.links.items():
                try:
                    data, source = sock.recvfrom(2000)
                    if source[2] != socket.PACKET_OUTGOING and data[14] == 1:
                        self.heard[name] = data[18:33]
                except (socket.timeout, OSError):
                    pass
            if time.monotonic() >= due:
                due = time.monotonic() + 1
                for number, (name, sock) in enumerate(self.links.items(), 1):
                    try:
                        sock.send(self.pdu(number, name))
                    except OSError:
                        pass   # the link is down

    def stop(self):
        self.done.set()
        self.join()
        for sock in self.links.values():
            sock.close()


@pytest.fixture
def bond(proxy, net, origin):
    """Starts weir with a bond of both taps; they are ports of one bridge."""
    def start(arguments, workers=1, words=''):
        origin(fixed())
        original = proxy.network
        proxy.network = lambda: re.sub(
            r'port lan0 vdev .*', f'port lan0 vdev net_bonding0,{arguments} '
            f'member net_tap0,iface=weir0 member net_tap1,iface=weir1 {words}', original())

        def plug(_):
            wait_until(lambda: proxy.ended() or all(net.has_interface(m) for m in MEMBERS), 20, 'taps')
            assert not proxy.ended(), proxy.output()
            net.ip('link', 'add', 'br0', 'type', 'bridge')
            net.ip('link', 'set', 'br0', 'address', '02:00:00:00:00:42')
            for name in MEMBERS:
                net.ip('link', 'set', name, 'master', 'br0')
                net.ip('link', 'set', name, 'up')
            # One of them is enough for what goes to all: a real partner would see to that.
            net.run(['bridge', 'link', 'set', 'dev', 'weir1', 'bcast_flood', 'off'], check=True)
            net.ip('addr', 'add', f'{NEAR}/24', 'dev', 'br0')
            net.ip('link', 'set', 'br0', 'up')
        proxy.plug = plug
        proxy.start(CONFIG, workers=workers)
    return start


def members(proxy):
    """For each member: link, use, packets received and sent."""
    rows = re.findall(r'member net_tap(\d), link (\w+), (active|not active): rx (\d+) packets.*; '
                      r'tx (\d+) packets', proxy.show('port'))
    return {int(i): (link, use == 'active', int(rx), int(tx)) for i, link, use, rx, tx in rows}


def link(proxy):
    return re.search(r'link (\w+)', proxy.show('port'))[1]


def get_for(client, seconds, condition=None):
    """Requests on connections of their own, for a time or until the condition is true."""
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end and not (condition and condition()):
        number += 1
        assert client().get().status == 200
    return number


@pytest.mark.parametrize('workers', [1, 2])
def test_active_backup(bond, proxy, client, net, workers):
    """The other member takes over under traffic, connections that are open go on."""
    bond('mode=1', workers)
    old = client()
    assert old.get().status == 200
    assert members(proxy)[0][:2] == ('up', True)
    assert members(proxy)[1][:2] == ('up', False)
    net.run(['bridge', 'link', 'set', 'dev', 'weir1', 'bcast_flood', 'on'], check=True)
    net.ip('link', 'set', 'weir0', 'down')
    wait_until(lambda: members(proxy)[1][1], 5, 'the backup becomes active')
    assert members(proxy)[0][0] == 'down'
    assert old.get().status == 200
    assert get_for(client, 1) > 10
    net.ip('link', 'set', 'weir0', 'up')
    net.ip('link', 'set', 'weir1', 'down')
    wait_until(lambda: members(proxy)[0][1], 5, 'the first one becomes active')
    assert old.get().status == 200
    assert get_for(client, 1) > 10
    assert link(proxy) == 'up'
    net.ip('link', 'set', 'weir0', 'down')
    wait_until(lambda: link(proxy) == 'down', 5, 'no member, no link')
    net.ip('link', 'set', 'weir0', 'up')
    wait_until(lambda: link(proxy) == 'up', 5, 'a member, a link')
    assert old.get().status == 200


def test_balance(bond, proxy, client):
    """Flows are spread over the members."""
    bond('mode=2,xmit_policy=l34')
    get_for(client, 5, lambda: min(m[3] for m in members(proxy).values()) > 20)
    assert min(m[3] for m in members(proxy).values()) > 20


def test_lacp(bond, proxy, client, net, stack):
    """Nothing goes without a partner; both members carry traffic with one; one is enough."""
    bond('mode=4,xmit_policy=l34')
    assert link(proxy) == 'down'
    partner = Partner(net)
    partner.start()
    stack.append(partner)
    wait_until(lambda: all(m[1] for m in members(proxy).values()), 20, 'both members are active')
    assert link(proxy) == 'up'
    old = client(timeout=20)
    assert old.get().status == 200
    before = members(proxy)
    get_for(client, 5, lambda: min(members(proxy)[i][3] - before[i][3] for i in (0, 1)) > 20)
    assert min(members(proxy)[i][3] - before[i][3] for i in (0, 1)) > 20, 'flows are spread'

    net.ip('link', 'set', 'weir1', 'down')
    wait_until(lambda: not members(proxy)[1][1], 5, 'a member without link is not active')
    assert link(proxy) == 'up'
    assert old.get().status == 200
    assert get_for(client, 1) > 10
    net.ip('link', 'set', 'weir1', 'up')
    wait_until(lambda: members(proxy)[1][1], 20, 'it comes back')
    assert old.get().status == 200


@pytest.mark.parametrize('words', ['', 'impair delay 1ms'])
def test_lacp_follows_the_partner(bond, proxy, client, net, stack, words):
    """Links that the partner takes out of use carry nothing, and the port's link is down. The bond
    keeps on talking to its partner while there is no traffic."""
    bond('mode=4', words=words)
    partner = Partner(net)
    partner.start()
    stack.append(partner)
    wait_until(lambda: link(proxy) == 'up', 20, 'they agree')
    assert client().get().status == 200
    partner.state = ACTIVE | SHORT | AGGREGATION
    wait_until(lambda: link(proxy) == 'down', 10, 'the partner is out of sync')
    partner.state = READY
    wait_until(lambda: link(proxy) == 'up', 20, 'they agree again')
    time.sleep(5)
    assert link(proxy) == 'up', 'also without traffic'
    assert client(timeout=20).get().status == 200


def test_members_by_name(proxy, net):
    """As DPDK has it: names among the arguments, for devices that need no arguments of their own."""
    original = proxy.network
    proxy.network = lambda: re.sub(
        r'port lan0 vdev .*', 'port lan0 vdev net_bonding0,mode=1,slave=net_tap0,primary=net_tap1,'
        'slave=net_tap1', original())
    proxy.plug = lambda _: None
    proxy.start(CONFIG)
    wait_until(lambda: members(proxy).get(1, ('', False))[1], 5, 'the primary is active')
    assert not members(proxy)[0][1]


@pytest.mark.parametrize('arguments, problem', [
    ('mode=9', 'cannot be opened'), ('mode=1,colour=red', 'cannot be opened'),
    ('mode=4,xmit_policy=l5', 'refuses its members or its other arguments')])
def test_mistakes(proxy, arguments, problem):
    original = proxy.network
    proxy.network = lambda: re.sub(
        r'port lan0 vdev .*', f'port lan0 vdev net_bonding0,{arguments} '
        'member net_tap0,iface=weir0 member net_tap1,iface=weir1', original())
    run = proxy.check('-f', proxy.write_config(CONFIG))
    assert run.returncode == 1
    assert problem in run.stdout + run.stderr
    assert PROXY not in proxy.net.run(['ip', 'link']).stdout
