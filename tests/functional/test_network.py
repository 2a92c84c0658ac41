# SPDX-License-Identifier: BSD-3-Clause
"""weir as a host on the wire: ARP, ICMP, service addresses, existing taps, capture, its own `show`."""
import os
import re
import socket
import subprocess
import time

import pytest

from frame.net import INTERFACE, wait_until
from frame.origin import echo_head, fixed

pytestmark = pytest.mark.sanitize

CONFIG = '''
    frontend f
        bind 10.9.0.2:80
        bind 10.9.0.50:80
        default_backend b
    backend b
        server s1 10.9.0.1:8001
    '''


def neighbour(net, address):
    text = net.run(['ip', 'neigh', 'show', address]).stdout
    found = re.search(r'lladdr (\S+)', text)
    return found and found[1]


def ping(net, address, sizes):
    """One echo request of each size, all answered."""
    with net.inside():
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    with sock:
        sock.settimeout(3)
        for number, size in enumerate(sizes):
            packet = icmp_echo(number, os.urandom(size))
            sock.sendto(packet, (address, 0))
            while True:
                data, source = sock.recvfrom(65536)
                if data[20] == 0 and source[0] == address:
                    break
            assert data[20 + 4:] == packet[4:], f'identifier, number and {size} bytes come back'


@pytest.mark.parametrize('address', ['10.9.0.2', '10.9.0.50'])
def test_ping(proxy, net, address):
    """Echo requests of several sizes, fragments among them, to the port and to a service address."""
    proxy.start(CONFIG)
    ping(net, address, (8, 56, 1400))


def icmp_echo(number, data):
    head = b'\x08\x00\0\0' + (77).to_bytes(2, 'big') + number.to_bytes(2, 'big') + data
    words = sum(int.from_bytes(head[i:i + 2].ljust(2, b'\0'), 'big') for i in range(0, len(head), 2))
    while words >> 16:
        words = (words & 0xffff) + (words >> 16)
    return head[:2] + (0xffff - words).to_bytes(2, 'big') + head[4:]


def test_arp_answers_for_service_addresses(proxy, origin, client, net):
    origin(fixed())
    proxy.start(CONFIG)
    for address in ('10.9.0.2', '10.9.0.50'):
        assert client(host=address).get().status == 200
    macs = {neighbour(net, a) for a in ('10.9.0.2', '10.9.0.50')}
    assert len(macs) == 1 and None not in macs
    with pytest.raises(OSError):
        client(host='10.9.0.51', timeout=1)


def test_closed_port_is_refused(proxy, client):
    proxy.start(CONFIG)
    with pytest.raises(ConnectionRefusedError):
        client(port=81)


def test_route_to_an_origin_behind_a_router(proxy, net, origin, client):
    """The origin has an address of another network; weir reaches it by its route."""
    origin(echo_head)
    net.ip('addr', 'add', '192.0.2.1/32', 'dev', 'lo')
    route = '\n                route 0.0.0.0/0 via 10.9.0.1\n'
    original = proxy.network
    proxy.network = lambda: original().rstrip() + route.replace(' ' * 16, '    ')
    proxy.start(CONFIG.replace('10.9.0.1:8001', '192.0.2.1:8001'))
    assert client().get().status == 200
    assert '192.0.2.1' not in proxy.show('arp')
    assert '0.0.0.0/0' in proxy.show('route')


@pytest.mark.parametrize('what, words', [
    ('port', ['lan0']), ('arp', ['10.9.0.1']), ('route', ['10.9.0.0/24']), ('conn', ['10.9.0.1']),
    ('pool', []), ('worker', []), ('drops all', ['rx_ethertype']),
    ('counters all', ['rx_ipv4', 'requests'])])
def test_show(proxy, origin, client, what, words):
    origin(fixed())
    proxy.start(CONFIG)
    client().get()
    text = proxy.show(what)
    assert len(text.strip().split('\n')) >= 2, text
    for word in words:
        assert word in text


def test_drops_are_counted(proxy, net):
    """A segment with a bad TCP checksum shows up by its reason."""
    proxy.start(CONFIG)
    before = proxy.show('drops')
    with net.inside():
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    segment = bytearray(20)
    segment[0:4] = (12345).to_bytes(2, 'big') + (80).to_bytes(2, 'big')
    segment[12], segment[13], segment[16] = 0x50, 0x02, 0xde
    sock.sendto(bytes(segment), ('10.9.0.2', 0))
    sock.close()
    wait_until(lambda: proxy.show('drops') != before, 3, 'a counter moves')


def test_existing_tap_is_used_and_left(proxy, net, origin, client):
    net.run(['ip', 'tuntap', 'add', 'dev', 'weir0', 'mode', 'tap', 'multi_queue'], check=True)
    net.ip('addr', 'add', '10.9.0.1/24', 'dev', 'weir0')
    net.ip('link', 'set', 'weir0', 'up')
    before = net.run(['ip', '-o', 'link', 'show', 'weir0']).stdout
    origin(fixed())
    proxy.check_clean = lambda: None
    proxy.start(CONFIG)
    assert client().get().status == 200
    assert proxy.stop() == 0
    assert net.has_interface('weir0')
    after = net.run(['ip', '-o', 'link', 'show', 'weir0']).stdout
    mac = re.compile(r'link/ether (\S+)')
    assert mac.search(before)[1] == mac.search(after)[1]
    assert '10.9.0.1/24' in net.run(['ip', '-o', 'addr', 'show', 'weir0']).stdout


@pytest.mark.parametrize('workers', [1, 3])
@pytest.mark.parametrize('mode', ['http', 'tcp'])
def test_weir_connects_to_its_own_service_address(proxy, origin, client, mode, workers):
    one = origin(echo_head)
    proxy.start(f'''
        defaults
            mode {mode}
            timeout connect 2s
            timeout client 20s
            timeout server 20s
        frontend outer
            bind 10.9.0.2:80
            default_backend to_inner
        backend to_inner
            server self 10.9.0.50:81
        frontend inner
            bind 10.9.0.50:81
            default_backend b
        backend b
            server s1 10.9.0.1:8001
        ''', workers)
    for number in range(8):
        with client() as once:
            body = os.urandom(100000)
            answer = once.get(f'/{number}', method='POST', headers='Content-Length: 100000\r\n', body=body)
            assert answer.status == 200
            assert answer.body.endswith(b'\r\n\r\n' + body)
    assert [r.path for r in one.requests] == [f'/{number}' for number in range(8)]
    assert int(proxy.stat('inner', 'FRONTEND', 'stot')) >= 1


def bench_apart(net, address):
    """The kernel has `address` and 127.0.0.1 on the tap, and nothing on lo."""
    net.ip('addr', 'flush', 'dev', 'lo')
    net.ip('link', 'set', 'lo', 'down')
    for own in {address, '127.0.0.1'}:
        net.ip('addr', 'add', f'{own}/8', 'dev', INTERFACE)


def bench_shared(net, address):
    """The kernel has 127.0.0.0/8 on lo as always, and rules that send some ports to the tap."""
    net.ip('route', 'add', address, 'dev', INTERFACE, 'src', address, 'table', '100')
    net.ip('rule', 'add', 'pref', '1', 'ipproto', 'tcp', 'dport', '80-99', 'lookup', '100')
    net.ip('rule', 'add', 'pref', '2', 'ipproto', 'tcp', 'sport', '8001', 'lookup', '100')
    net.ip('rule', 'add', 'pref', '10', 'lookup', 'local')
    net.ip('rule', 'del', 'pref', '0')


@pytest.mark.parametrize('workers', [1, 3])
@pytest.mark.parametrize('bind, server, bench', [
    ('127.0.0.2', '127.0.0.1', bench_apart), ('127.0.0.2', '127.0.0.5', bench_apart),
    ('127.0.0.1', '127.0.0.1', bench_shared), ('127.0.0.7', '127.0.0.7', bench_shared)])
def test_loopback_bench(proxy, net, origin, client, workers, bind, server, bench):
    """Clients and origins have loopback addresses, even the one that weir binds; weir tells its own
    listeners from origins by the port."""
    def plug(config):
        wait_until(lambda: proxy.ended() or net.has_interface(INTERFACE), 20, 'weir makes its tap')
        net.ip('link', 'set', INTERFACE, 'up')
        with net.inside():
            for key in ('route_localnet', 'accept_local'):
                net.sysctl(f'ipv4/conf/{INTERFACE}/{key}', '1')
            for name in ('all', INTERFACE):
                net.sysctl(f'ipv4/conf/{name}/rp_filter', '0')
        bench(net, server)

    original = proxy.network
    proxy.network = lambda: re.sub('address .*', '', original()).replace('weir0', 'weir0 allow-loopback')
    proxy.plug = plug
    one = origin(echo_head)
    proxy.start(f'''
        frontend outer
            bind {bind}:80
            default_backend inner
        backend inner
            server self {bind}:81
        frontend inner
            bind {bind}:81
            default_backend origins
        backend origins
            server s1 {server}:8001
        ''', workers)
    for number in range(8):
        with client(host=bind) as once:
            body = os.urandom(100000)
            answer = once.get(f'/{number}', method='POST', headers='Content-Length: 100000\r\n', body=body)
            assert answer.status == 200
            assert answer.body.endswith(b'\r\n\r\n' + body)
    assert [r.path for r in one.requests] == [f'/{number}' for number in range(8)]
    with pytest.raises(ConnectionRefusedError):
        client(host=bind, port=82)


def test_small_mtu(proxy, origin, client, net):
    """Segments never exceed our own MTU, whatever MSS the peer offers."""
    origin(fixed(b'x' * 100000))
    original = proxy.network
    proxy.network = lambda: original().replace('iface=weir0', 'iface=weir0 mtu 600')
    proxy.start(CONFIG)
    with subprocess.Popen(['ip', 'netns', 'exec', net.name, 'tcpdump', '-i', 'weir0', '-n', '-l', '-c',
                           '5', 'src host 10.9.0.2 and greater 615'], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as dump:
        dump.stderr.readline()
        answer = client().get()
        time.sleep(0.5)
        dump.terminate()
        assert answer.body == b'x' * 100000
        assert dump.stdout.read().strip() == b'', 'frames over the MTU'


@pytest.mark.parametrize('workers', [1, 3])
def test_capture(proxy, origin, client, workers):
    origin(fixed())
    proxy.start(CONFIG, workers)
    path = f'{proxy.dir}/x.pcapng'
    proxy.command(f'capture port lan0 filter "tcp port 80" count 6 file {path}')
    client().get()
    client().get()
    wait_until(lambda: os.path.exists(path) and b'IP' in read_capture(path), 5, 'packets are written')
    assert b'10.9.0.2.80' in read_capture(path)


def read_capture(path):
    return subprocess.run(['tcpdump', '-n', '-r', path], capture_output=True).stdout
