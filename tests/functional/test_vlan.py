# SPDX-License-Identifier: BSD-3-Clause
"""Interfaces by VLAN on one port. Frames are made by hand, so no kernel needs to know VLANs."""
import os
import re
import socket
import struct

import pytest

from frame.net import INTERFACE
from frame.origin import fixed
from test_network import CONFIG, icmp_echo

pytestmark = pytest.mark.sanitize

STATION = bytes.fromhex('020000000077')
ALL = b'\xff' * 6
SOL_PACKET, PACKET_AUXDATA, ETH_P_ALL = 263, 8, 3
VLAN_VALID = 1 << 4
IPV4, ARP, TAG, SERVICE_TAG = 0x0800, 0x0806, 0x8100, 0x88a8
# VLAN, weir's address, ours
NETS = [(None, '10.9.0.2', '10.9.0.77'), (7, '10.7.0.2', '10.7.0.77'), (8, '10.8.0.2', '10.8.0.77')]


class Station:
    """A host on the wire that speaks ARP and IPv4, in any VLAN."""

    def __init__(self, net):
        with net.inside():
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.bind((INTERFACE, ETH_P_ALL))
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.settimeout(3)
        self.peer = None

    def stop(self):
        self.sock.close()

    def send(self, kind, payload, *tags, dst=None):
        """`tags` are pairs of a tag's type and its VLAN with priority, the outer one first."""
        frame = (dst or self.peer or ALL) + STATION
        for tag_type, tag in tags:
            frame += struct.pack('!HH', tag_type, tag)
        self.sock.send(frame + struct.pack('!H', kind) + payload)

    def receive(self, wanted):
        """The VLAN (None: no tag), type and payload of the next frame to us that `wanted` likes."""
        while True:
            data, aux, _, source = self.sock.recvmsg(65536, 100)
            if source[2] == socket.PACKET_OUTGOING or data[:6] != STATION:
                continue
            vlan, kind, payload = None, int.from_bytes(data[12:14], 'big'), data[14:]
            for level, what, value in aux:
                if (level, what) == (SOL_PACKET, PACKET_AUXDATA):
                    status, _, _, _, _, tci, _ = struct.unpack('IIIHHHH', value[:20])
                    if status & VLAN_VALID:
                        vlan = tci & 0xfff
            if kind == TAG:
                vlan, kind, payload = *struct.unpack('!HH', data[14:18]), data[18:]
            if wanted(kind, payload):
                return vlan, kind, payload

    def ask(self, own, address, *tags):
        """The VLAN of weir's answer to an ARP request; learns its MAC address."""
        request = struct.pack('!HHBBH', 1, IPV4, 6, 4, 1) + STATION + socket.inet_aton(own) + \
            bytes(6) + socket.inet_aton(address)
        self.send(ARP, request, *tags, dst=ALL)
        vlan, _, answer = self.receive(
            lambda kind, p: kind == ARP and p[6:8] == b'\0\2' and p[14:18] == socket.inet_aton(address))
        self.peer = answer[8:14]
        return vlan

    def send_ip(self, own, address, proto, payload, *tags):
        head = bytearray(struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(payload), 1, 0x4000, 64, proto, 0) +
                         socket.inet_aton(own) + socket.inet_aton(address))
        head[10:12] = checksum(head)
        self.send(IPV4, bytes(head) + payload, *tags)

    def ping(self, own, address, size, *tags):
        """The VLAN of the answer."""
        request = icmp_echo(1, os.urandom(size))
        self.send_ip(own, address, socket.IPPROTO_ICMP, request, *tags)
        return self.receive(lambda kind, p: kind == IPV4 and p[9] == 1 and
                            p[24:20 + len(request)] == request[4:])[0]

    def syn(self, own, address, port, *tags):
        """The VLAN of the SYN-ACK."""
        segment = bytearray(struct.pack('!HHIIBBHHH', 5000, port, 1, 0, 0x50, 2, 1000, 0, 0))
        pseudo = socket.inet_aton(own) + socket.inet_aton(address) + struct.pack('!HH', 6, len(segment))
        segment[16:18] = checksum(pseudo + segment)
        self.send_ip(own, address, socket.IPPROTO_TCP, bytes(segment), *tags)
        return self.receive(lambda kind, p: kind == IPV4 and p[9] == 6 and p[33] == 0x12)[0]


def checksum(data):
    total = sum(int.from_bytes(data[i:i + 2], 'big') for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return (0xffff - total).to_bytes(2, 'big')


@pytest.fixture
def station(proxy, net, origin, stack):
    origin(fixed())
    original = proxy.network
    proxy.network = lambda: original().rstrip() + f'''
    port lan7 vdev net_tap0,iface={INTERFACE} vlan 7
    port lan8 vdev net_tap0,iface={INTERFACE} vlan 8
    address 10.7.0.2/24 port lan7
    address 10.8.0.2/24 port lan8
'''
    proxy.start(CONFIG.replace('bind 10.9.0.50:80', 'bind :80').replace('bind 10.9.0.2:80\n', ''))
    stack.append(Station(net))
    return stack[-1]


def tags_of(vlan, priority=0):
    return [] if vlan is None else [(TAG, priority << 13 | vlan)]


@pytest.mark.parametrize('vlan, address, own', NETS)
def test_each_vlan_is_an_interface(station, vlan, address, own):
    """ARP, ICMP in the largest frame, and TCP come back in the VLAN that they came in."""
    assert station.ask(own, address, *tags_of(vlan)) == vlan
    for size in (8, 1400, 1472):
        assert station.ping(own, address, size, *tags_of(vlan, priority=5)) == vlan
    assert station.syn(own, address, 80, *tags_of(vlan)) == vlan


def test_untagged_clients_and_vlans_share_a_port(proxy, station, client):
    for vlan, address, own in NETS:
        station.ask(own, address, *tags_of(vlan))
    for _ in range(5):
        assert client().get().status == 200
        for vlan, address, own in NETS:
            assert station.syn(own, address, 80, *tags_of(vlan)) == vlan


def test_priority_tag_is_no_vlan(station):
    """VLAN 0 carries a priority only (IEEE 802.1Q 9.6): the frame is untagged."""
    _, address, own = NETS[0]
    station.ask(own, address)
    assert station.ping(own, address, 100, (TAG, 3 << 13)) is None


def drops(proxy, name):
    found = re.search(rf'\b{name}\s+(\d+)', proxy.show('drops'))
    return int(found[1]) if found else 0


@pytest.mark.parametrize('tags', [
    [(TAG, 9)], [(TAG, 4095)], [(TAG, 7), (TAG, 7)], [(SERVICE_TAG, 7)], [(SERVICE_TAG, 7), (TAG, 7)],
    [(TAG, 7), (SERVICE_TAG, 7)]])
def test_other_tags_are_refused(proxy, station, tags):
    """VLANs that nobody has, the reserved one, and stacked tags; counted."""
    vlan, address, own = NETS[1]
    station.ask(own, address, *tags_of(vlan))
    before = drops(proxy, 'rx_vlan')
    station.send_ip(own, address, socket.IPPROTO_ICMP, icmp_echo(1, b'x' * 64), *tags)
    assert station.ping(own, address, 100, *tags_of(vlan)) == vlan
    assert drops(proxy, 'rx_vlan') - before == 1
