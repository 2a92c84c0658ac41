# SPDX-License-Identifier: BSD-3-Clause
"""weir behind a line that is bad on purpose, the kernel at both ends of its connections.

One port carries the client's and the server's connection, so every byte passes the bad line twice:
weir receives it over the line and sends it over the line, in either role and direction. No test
looks at the time that it takes.
"""
import random
import re

import pytest

from frame.net import NEAR, PROXY, wait_until
from frame.transfer import Transfer

pytestmark = pytest.mark.sanitize

CONFIG = f'''
    defaults
        mode tcp
        timeout connect 60s
        timeout client 10m
        timeout server 10m
    listen t
        bind {PROXY}:8000
        server s1 {NEAR}:8001
    '''


@pytest.fixture
def bad_line(proxy):
    """Starts weir with these words of `impair`."""
    def start(words, config=CONFIG):
        original = proxy.network
        proxy.network = lambda: re.sub(r'(port lan0 .*)', rf'\1 impair {words} seed 7', original())
        proxy.start(config)
        return proxy
    return start


def exchange(net, size, sends, flows=4):
    data = random.Random(size).randbytes(size)
    result = Transfer(net, (PROXY, 8000), net, (NEAR, 8001), data, flows, opener_sends=sends).run()
    assert result['problems'] == []
    assert result['bytes'] == size
    assert result['same'], 'the digests differ'


@pytest.mark.parametrize('sends', [True, False], ids=['up', 'down'])
@pytest.mark.parametrize('words, size', [
    ('loss 0.1%', 32 << 20), ('loss 1%', 16 << 20), ('loss 5%', 4 << 20),
    ('loss 1% delay 10ms', 4 << 20), ('dup 5%', 8 << 20), ('corrupt 2%', 8 << 20),
    ('delay 2ms reorder 10% reorder-delay 5ms', 4 << 20), ('rate 50m queue 32k', 8 << 20),
    ('loss 1% delay 2ms jitter 3ms reorder 2% dup 1% corrupt 0.5% rate 100m', 4 << 20)])
def test_bytes_are_exact(bad_line, net, words, size, sends):
    bad_line(words)
    exchange(net, size, sends)


@pytest.mark.slow
@pytest.mark.parametrize('sends', [True, False], ids=['up', 'down'])
@pytest.mark.parametrize('words', ['loss 0%', 'loss 0.1% delay 10ms', 'delay 50ms'])
def test_200_mib(bad_line, net, words, sends):
    bad_line(words)
    exchange(net, 200 << 20, sends, flows=16)


@pytest.mark.parametrize('cc', ['reno', 'cubic', 'bbr'])
def test_each_congestion_control(bad_line, net, cc):
    bad_line('loss 1% delay 5ms', CONFIG.replace(':8000', f':8000 cc {cc}').replace(
        ':8001', f':8001 cc {cc}'))
    exchange(net, 4 << 20, True)
    exchange(net, 4 << 20, False)


def test_counters_tell_what_the_line_did(bad_line, net):
    proxy = bad_line('loss 5% dup 5% corrupt 2%')
    exchange(net, 4 << 20, True)
    text = proxy.show('port')
    for name in ('lost', 'duplicated', 'corrupted'):
        assert re.search(rf'impair_in\.{name}\s+[1-9]', text), text
    wait_until(lambda: 'impaired on purpose' in proxy.output(), 5, 'it warns of the line')
