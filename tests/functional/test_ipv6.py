# SPDX-License-Identifier: BSD-3-Clause
"""IPv6 against the kernel: neighbour discovery, ICMPv6, every mix of families, dual-stack binds."""
import hashlib
import os
import re
import socket
import struct

import pytest

from frame.net import INTERFACE, NEAR, NEAR6, PROXY, PROXY6, wait_until
from frame.origin import echo_head, fixed, hash_body

pytestmark = pytest.mark.sanitize

CONFIG = '''
    frontend f
        bind {bind}
        default_backend b
    backend b
        server s1 {server}
    '''


@pytest.fixture
def v6(proxy):
    """The proxy with an IPv6 address as well; start(config) returns when it is used."""
    proxy.v6 = True

    def start(config, **kw):
        proxy.start(config, **kw)
        proxy.uses_v6()
        return proxy
    return start


@pytest.mark.parametrize('bind, hosts', [('[::]:80', (PROXY, PROXY6)), ('*:80', (PROXY,))])
@pytest.mark.parametrize('server, host', [(f'[{NEAR6}]:8001', '::'), (f'{NEAR}:8001', '0.0.0.0')])
@pytest.mark.both_proxies
def test_families_mix(v6, origin, client, bind, hosts, server, host):
    """Clients of either family reach origins of either family."""
    origin(echo_head, host=host)
    v6(CONFIG.format(bind=bind, server=server))
    for address in hosts:
        assert client(host=address).get().status == 200


@pytest.mark.parametrize('bind, v4, v6_too', [
    (':::80', True, True), (':::80 v4v6', True, True), (':::80 v6only', False, True),
    ('ipv6@:80', True, True), ('ipv4@:80', True, False), (':80', True, False),
    (f'[{PROXY6}]:80', False, True), (f'{PROXY6}:80', False, True), (f'{PROXY}:80', True, False),
    (f'{PROXY}:80,[{PROXY6}]:80', True, True)])
@pytest.mark.both_proxies
def test_bind_forms(v6, origin, client, bind, v4, v6_too):
    origin(fixed())
    v6(CONFIG.format(bind=bind, server=f'{NEAR}:8001'))
    for host, reachable in ((PROXY, v4), (PROXY6, v6_too)):
        if reachable:
            assert client(host=host).get().status == 200
        else:
            with pytest.raises(ConnectionRefusedError):
                client(host=host)


@pytest.mark.both_proxies
def test_client_address_in_x_forwarded_for(v6, origin, client):
    server = origin(echo_head)
    v6(CONFIG.format(bind='[::]:80', server=f'{NEAR}:8001') + '        option forwardfor\n')
    client(host=PROXY6).get()
    assert server.requests[0].headers['x-forwarded-for'] == NEAR6


@pytest.mark.parametrize('size', [8, 1000, 1452, 1453, 4000, 20000])
def test_ping(v6, net, size):
    """Echo requests, fragmented ones among them, come back with the same bytes."""
    v6(CONFIG.format(bind='[::]:80', server=f'{NEAR}:8001'))
    with net.inside():
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    with sock:
        sock.settimeout(5)
        data = os.urandom(size)
        sock.sendto(b'\x80\0\0\0' + struct.pack('!HH', 77, 1) + data, (PROXY6, 0))
        while True:
            answer, source = sock.recvfrom(65536)
            if answer[0] == 129 and source[0] == PROXY6:
                break
        assert answer[8:] == data


def test_neighbours_know_each_other(v6, net, origin, client, proxy):
    origin(fixed(), host='::')
    v6(CONFIG.format(bind='[::]:80', server=f'[{NEAR6}]:8001'))
    assert client(host=PROXY6).get().status == 200
    theirs = net.run(['ip', '-6', 'neigh', 'show', PROXY6]).stdout
    assert re.search(r'lladdr (\S+)', theirs), theirs
    assert re.search(rf'^\d+\s+{NEAR6}\s+[0-9a-f:]{{17}}', proxy.show('arp'), re.M)
    net.ip('neigh', 'flush', 'all')
    assert client(host=PROXY6).get().status == 200, 'the kernel asks us again'


def test_service_address_answers(v6, net, origin, client):
    origin(fixed())
    v6(CONFIG.format(bind='[fd00:9::50]:80', server=f'{NEAR}:8001'))
    assert client(host='fd00:9::50').get().status == 200
    with pytest.raises(ConnectionRefusedError):
        client(host=PROXY6)


def test_link_local_client(v6, net, origin, client, proxy):
    origin(fixed())
    v6(CONFIG.format(bind='[::]:80', server=f'{NEAR}:8001'))
    ours = re.search(r'(fe80::[0-9a-f:]+)/128', proxy.show('route'))[1]
    assert client(host=f'{ours}%{INTERFACE}').get().status == 200


def test_zones(v6, net, origin, client):
    """A bind and a server with link-local addresses, on the port that each names."""
    origin(echo_head, host='::')
    v6(CONFIG.format(bind='fe80::50%lan0:80', server='fe80::1%lan0:8001'))
    net.ip('addr', 'add', 'fe80::1/64', 'dev', INTERFACE, 'nodad')
    assert client(host=f'fe80::50%{INTERFACE}').get().status == 200


def test_duplicate_address_is_not_used(proxy, net, origin, client):
    """The kernel has our address already: we leave it to it, say so, and go on with IPv4."""
    proxy.v6 = True
    origin(fixed())
    net.ip('tuntap', 'add', INTERFACE, 'mode', 'tap', 'multi_queue')
    net.enable_v6(INTERFACE)
    net.ip('addr', 'add', f'{PROXY6}/64', 'dev', INTERFACE, 'nodad')
    net.ip('link', 'set', INTERFACE, 'up')
    proxy.start(CONFIG.format(bind='[::]:80', server=f'{NEAR}:8001'))
    proxy.uses_v6()
    assert re.search(rf'^{PROXY6}/128 .*duplicate', proxy.show('route'), re.M), proxy.show('route')
    assert f'address {PROXY6} on lan0 is not used' in proxy.output()
    assert client(host=PROXY).get().status == 200
    proxy.stop()
    net.ip('link', 'delete', INTERFACE)


@pytest.mark.parametrize('direction', ['down', 'up'])
def test_large_body(v6, net, origin, client, direction):
    size = 20 << 20
    data = os.urandom(1 << 16) * (size >> 16)
    digest = hashlib.sha256(data).hexdigest()
    origin(fixed(data) if direction == 'down' else hash_body, host='::')
    v6(CONFIG.format(bind='[::]:80', server=f'[{NEAR6}]:8001'))
    one = client(host=PROXY6, timeout=60)
    if direction == 'down':
        assert hashlib.sha256(one.get().body).hexdigest() == digest
    else:
        one.request('/', 'POST', f'Content-Length: {size}\r\n', data)
        assert digest in one.answer().text


@pytest.mark.parametrize('next_header, body, counter', [
    (43, bytes([59, 2, 0, 1]) + bytes(20), 'rx_extension'),           # a routing header of type 0
    (60, bytes([59, 0, 0xc7, 4, 0, 0, 0, 0]), 'rx_extension'),        # an option that must be known
    (59, b'', 'rx_no_next'),
    (253, b'12345678', 'rx_proto')])
def test_odd_headers_are_counted(v6, net, proxy, next_header, body, counter):
    v6(CONFIG.format(bind='[::]:80', server=f'{NEAR}:8001'))
    with net.inside():
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with sock:
        head = struct.pack('!IHBB', 6 << 28, len(body), next_header, 64)
        packet = head + socket.inet_pton(socket.AF_INET6, NEAR6) + \
            socket.inet_pton(socket.AF_INET6, PROXY6) + body
        sock.sendto(packet, (PROXY6, 0))
    wait_until(lambda: re.search(rf'\b{counter}\s+[1-9]', proxy.show('drops')), 5,
               f'{counter} counts it')


def test_route_to_an_origin_behind_a_router(v6, net, origin, client, proxy):
    origin(echo_head, host='::')
    net.ip('addr', 'add', '2001:db8::1/128', 'dev', 'lo')
    original = proxy.network
    proxy.network = lambda: original() + f'    route ::/0 via {NEAR6}\n'
    v6(CONFIG.format(bind='[::]:80', server='[2001:db8::1]:8001'))
    assert client(host=PROXY6).get().status == 200
    assert '::/0' in proxy.show('route')


@pytest.mark.parametrize('line, words', [
    ('address fd00:9::2/129 port lan0', ['129']),
    ('route ::/0 via 10.9.0.1', ['different families']),
    ('route ::/0 via fd00:77::1', ['in no network']),
    ('port lan1 vdev net_tap1,iface=x dad 11', ['11']),
    ('listen l\n    bind fe80::1%lan9:80', ["no port 'lan9'"])])
def test_mistakes_have_a_line(proxy, line, words):
    path = proxy.write_config(f'''
        network
            port lan0 vdev net_tap0,iface={INTERFACE}
            address {PROXY}/24 port lan0
            {line}
        ''', whole=True)
    run = proxy.check('-c', '-f', path)
    assert run.returncode == 1
    text = run.stdout + run.stderr
    assert f'test.cfg:{5 + line.count(chr(10))}' in text and all(w in text for w in words), text
