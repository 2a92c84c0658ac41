# SPDX-License-Identifier: BSD-3-Clause
"""Congestion controls by choice, pacing, and ECN, with the kernel on the other side."""
import os
import re

import pytest

from test_tcp import CONFIG, echo

pytestmark = pytest.mark.sanitize


def counter(proxy, name):
    found = re.search(rf'\b{name}\s+(\d+)', proxy.command('show counters all'))
    return int(found[1]) if found else 0


def start(proxy, cc, *network, impair=''):
    text = proxy.network().rstrip()
    if impair:
        text = re.sub(r'(\n *port .*)', rf'\1 impair {impair}', text)
    proxy.network = lambda: ''.join([text, '\n', *(f'    {x}\n' for x in network)])
    proxy.start(CONFIG.format(more='').replace(':80\n', f':80 cc {cc}\n')
                .replace(':8001\n', f':8001 cc {cc}\n'))


def pass_bytes(c, size):
    data = os.urandom(size)
    got = b''
    for at in range(0, size, 60000):
        c.send(data[at:at + 60000])
        got += c.take(len(data[at:at + 60000]))
    assert got == data


@pytest.mark.parametrize('cc', ['reno', 'cubic', 'bbr'])
@pytest.mark.parametrize('pacing', ['off', 'on'])
def test_each_control_passes_bytes(proxy, origin, client, cc, pacing):
    origin(echo)
    start(proxy, cc, f'pacing {pacing}')
    c = client()
    c.sock.settimeout(20)
    pass_bytes(c, 2000000)
    rows = [row for row in proxy.command('show conn state ESTABLISHED').splitlines()[1:] if row]
    assert len(rows) == 2
    assert all(f' {cc} ' in row for row in rows)


@pytest.mark.parametrize('ours, kernel, agreed', [
    ('on', 1, 2), ('on', 0, 0), ('passive', 1, 1), ('passive', 2, 0), ('off', 1, 0)])
def test_ecn_with_the_kernel(proxy, net, origin, client, ours, kernel, agreed):
    """Of the two connections, the client's to us and ours to the origin, these use ECN. The kernel
    asks for it with 1, and answers with 1 and 2."""
    with net.inside():
        net.sysctl('ipv4/tcp_ecn', str(kernel))
    origin(echo)
    start(proxy, 'cubic', f'ecn {ours}')
    pass_bytes(client(), 300000)
    assert counter(proxy, 'ecn_agreed') == agreed


@pytest.mark.parametrize('cc', ['reno', 'cubic', 'bbr'])
def test_marks_instead_of_losses(proxy, net, origin, client, cc):
    """Marks go both ways, and nothing has to be sent again."""
    with net.inside():
        net.sysctl('ipv4/tcp_ecn', '1')
    origin(echo)
    start(proxy, cc, 'ecn on', impair='mark 10%')
    c = client()
    c.sock.settimeout(20)
    pass_bytes(c, 1000000)
    assert counter(proxy, 'ecn_agreed') == 2
    assert counter(proxy, 'rx_ce') > 0
    assert counter(proxy, 'ecn_reductions') > 0
    assert counter(proxy, 'retransmits') == 0
