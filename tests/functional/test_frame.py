# SPDX-License-Identifier: BSD-3-Clause
"""The frame itself: private networks come and go, origins do what they say."""
import subprocess

import pytest

from frame.client import Client
from frame.net import Namespace
from frame.origin import Origin, echo_head, fixed
from frame.proxy import PROXIES

PASS = '''
    frontend f
        bind 10.9.0.2:80
        default_backend b
    backend b
        server s1 10.9.0.1:8001
    '''


def namespaces():
    return {row.split()[0] for row in subprocess.run(['ip', 'netns', 'list'], capture_output=True,
                                                     text=True, check=True).stdout.splitlines()}


def test_namespace_is_private_and_goes_away():
    one, two = Namespace('a'), Namespace('b')
    try:
        one.ip('link', 'add', 'weir0', 'type', 'veth')
        assert one.has_interface('weir0') and not two.has_interface('weir0')
        assert {one.name, two.name} <= namespaces()
    finally:
        one.delete()
        two.delete()
    assert not {one.name, two.name} & namespaces()


def test_namespace_has_its_settings(net):
    assert net.run(['cat', '/proc/sys/net/ipv4/ip_local_port_range']).stdout.split() == ['1024', '65535']


def test_process_left_behind_is_seen(net):
    process = net.popen(['sleep', '60'])
    assert net.pids() == [process.pid]
    process.kill()
    process.wait()
    assert net.pids() == []


def test_origin_without_proxy(origin, client):
    one = origin(echo_head)
    answer = client(8001, '127.0.0.1').get('/x', headers='A: b\r\n')
    assert answer.body == b'GET /x HTTP/1.1\r\nHost: weir.test\r\nA: b\r\n\r\n'
    assert one.requests[0].headers['a'] == 'b'


def test_mistake_in_a_script_is_seen(net):
    async def wrong(conn):
        await conn.request()
        raise ValueError('wrong')
    one = Origin(net, 8001, wrong)
    with Client(net.connect(8001, '127.0.0.1')) as c:
        c.request()
        assert c.closed()
    with pytest.raises(AssertionError):
        one.stop()


def test_nginx_and_curl(nginx, curl, tmp_path):
    path, text = tmp_path / 'small', 'text of the file\n'
    path.write_text(text)
    nginx('one', files=tmp_path)
    assert curl('http://127.0.0.1:8001/').stdout == 'one\n'
    assert curl('http://127.0.0.1:8001/files/small').stdout == text
    stored = curl('-T', path, 'http://127.0.0.1:8001/upload').stdout
    assert open(stored, encoding='ascii').read() == text


def test_wrk_counts(nginx, load):
    nginx()
    counts = load('http://127.0.0.1:8001/', 10, 1000)
    assert counts['requests'] >= 1000 and counts['status'] == 0 and counts['read'] == 0


@pytest.mark.both_proxies
@pytest.mark.sanitize
def test_proxy_serves(proxy, nginx, curl):
    nginx()
    proxy.start(PASS)
    run = curl('-i', 'http://10.9.0.2/')
    assert run.stdout.startswith('HTTP/1.1 200') and run.stdout.endswith('\n\none\n')
    assert proxy.stat('b', 's1', 'stot') == '1'
    assert proxy.rss_kb() > 1000


@pytest.mark.both_proxies
def test_origin_sees_the_proxy(proxy, origin, client):
    seen = []

    async def who(conn):
        seen.append(conn.writer.get_extra_info('peername')[0])
        await fixed()(conn)
    origin(who)
    proxy.start(PASS)
    assert client().get().body == b'fixed\n'
    assert seen == ['10.9.0.2']


def test_proxy_that_ends_badly_is_seen(net, folder):
    one = PROXIES['haproxy'](net, folder)
    try:
        one.start(PASS)
        one.process.kill()
        with pytest.raises(AssertionError, match='exited with -9'):
            one.finish()
    finally:
        one.process.wait()
    assert one.far.name not in namespaces()
