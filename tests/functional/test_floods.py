# SPDX-License-Identifier: BSD-3-Clause
"""Floods from forged addresses on the wire, bounded in count and time, while a client is served."""
import re
import sys
import time

import pytest

from frame.net import wait_until
from frame.origin import fixed

pytestmark = pytest.mark.sanitize

CONFIG = '''
    global
        maxconn 200
    frontend f
        bind 10.9.0.2:80
        default_backend b
    backend b
        server s1 10.9.0.1:8001
    '''

# Sends COUNT packets of a KIND from 198.18.0.0/15, in portions, and ends.
SENDER = r'''
import os, random, socket, struct, sys, time

kind, count = sys.argv[1], int(sys.argv[2])
flags = {'syn': 2, 'rst': 4, 'ack': 16, 'fin': 17}

def checksum(data):
    words = sum(struct.unpack(f'!{len(data) // 2}H', data))
    words = (words & 0xffff) + (words >> 16)
    return 0xffff - ((words & 0xffff) + (words >> 16))

def packet(number):
    to = socket.inet_aton('10.9.0.2')
    source = struct.pack('!I', 0xc6120000 | random.getrandbits(17))
    port = 1024 + random.randrange(60000)
    if kind == 'udp':
        proto, l4 = 17, struct.pack('!HHHH', port, 9, 8, 0)
    else:
        proto = 6
        l4 = struct.pack('!HHIIBBHHH', port, 80, random.getrandbits(32), random.getrandbits(32), 0x50,
                         flags[kind], 1024, 0, 0)
        pseudo = source + to + struct.pack('!HH', proto, len(l4))
        l4 = l4[:16] + struct.pack('!H', checksum(pseudo + l4)) + l4[18:]
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(l4), number & 0xffff, 0, 64, proto, 0, source, to)
    return head + l4

sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
end = time.monotonic() + 20
for number in range(count):
    while time.monotonic() < end:
        try:
            sock.sendto(packet(number), ('10.9.0.2', 0))
            break
        except OSError:  # the queue of the interface is full
            time.sleep(0.001)
    if number % 64 == 63:
        time.sleep(0.002)
'''


def counters(proxy):
    """Every counter of the machine, by module and name."""
    found = re.findall(r'^(\S+) +(\S+) +(\d+)', proxy.show('counters all'), re.M)
    return {f'{module} {name}': int(value) for module, name, value in found}


@pytest.mark.parametrize('kind, workers, where', [
    ('syn', 1, ['tcp cookies_sent']),
    ('syn', 3, ['tcp cookies_sent']),
    ('ack', 1, ['tcp listen_no_conn', 'tcp tx_rst']),
    ('rst', 1, ['tcp listen_no_conn']),
    ('fin', 1, ['tcp listen_no_conn', 'tcp tx_rst']),
    ('udp', 1, ['ip icmp_error_out', 'ip icmp_limited']),
])
def test_flood(proxy, net, origin, curl, kind, workers, where):
    """curl has every answer; the packets are found in the counters, and what was refused in drops."""
    origin(fixed(b'x' * 10000))
    original = proxy.network
    proxy.network = lambda: original().rstrip() + '\n    route 198.18.0.0/15 via 10.9.0.1\n'
    proxy.start(CONFIG, workers)
    curl('http://10.9.0.2/')
    count = 10000
    sender = net.popen([sys.executable, '-c', SENDER, kind, count])
    answers = 0
    began = time.monotonic()
    while sender.poll() is None and time.monotonic() < began + 30:
        run = curl('-o', '/dev/null', '-w', '%{http_code} %{size_download}', 'http://10.9.0.2/', timeout=10)
        assert run.stdout == '200 10000', run.stderr
        answers += 1
    assert sender.wait(10) == 0
    assert answers > 3
    now = counters(proxy)
    for name in where:
        assert now[name] > 0, f'{name} of {now}'
    drops = proxy.show('drops')
    if kind == 'syn':
        # What pressed first is half-open still; all others are cookies.
        assert now['tcp cookies_sent'] > count * 0.8
        assert now['tcp cookies_good'] > 0
        assert now['tcp cookies_on'] == workers
        assert re.search(r'10\.9\.0\.2:80 .* on +[1-9]', proxy.show('listener'))
    elif kind == 'udp':
        assert now['ip icmp_error_out'] + now['ip icmp_limited'] > count * 0.9
        assert 'icmp_limited' in drops
    else:
        assert now['tcp listen_no_conn'] > count * 0.9
        assert 'listen_no_conn' in drops
        if kind != 'rst':
            assert now['tcp tx_rst'] + now['tcp rst_limited_open'] > count * 0.9
    wait_until(lambda: int(proxy.info('CurrConns')) == 0, 5, 'the connections of curl are gone')
