# SPDX-License-Identifier: BSD-3-Clause
"""Which server gets the request."""
import asyncio

import pytest

from frame.net import wait_until
from frame.origin import Origin, fixed

pytestmark = [pytest.mark.both_proxies, pytest.mark.sanitize]


@pytest.fixture
def three(net, stack):
    """Origins on 8001 to 8003 that answer with a letter."""
    for i, name in enumerate(b'abc'):
        stack.append(Origin(net, 8001 + i, fixed(bytes([name]))))
    return stack


def config(balance, servers):
    rows = '\n'.join(f'        server {name} 10.9.0.1:{8001 + "abc".index(name)} {args}'
                     for name, args in servers.items())
    return f'''
    frontend f
        bind 10.9.0.2:80
        default_backend b
    backend b
        balance {balance}
{rows}
    '''


def ask(client, times, **kw):
    answers = ''
    for _ in range(times):
        with client(**kw) as c:
            answers += c.get(headers='Connection: close\r\n').text
    return answers


@pytest.mark.parametrize('workers', [1, 3])
def test_roundrobin_alternates(proxy, three, client, workers):
    proxy.start(config('roundrobin', {'a': '', 'b': '', 'c': ''}), workers)
    answers = ask(client, 12)
    assert sorted(answers[:3]) == ['a', 'b', 'c']
    assert answers == answers[:3] * 4


def test_roundrobin_weights(proxy, three, client):
    proxy.start(config('roundrobin', {'a': 'weight 10', 'b': 'weight 30', 'c': 'weight 0'}))
    answers = ask(client, 40)
    assert (answers.count('a'), answers.count('b'), answers.count('c')) == (10, 30, 0)
    assert 'aa' not in answers, 'the lighter one is spread'


def test_one_connection_is_balanced_by_request(proxy, three, client):
    proxy.start(config('roundrobin', {'a': '', 'b': ''}))
    c = client()
    answers = [c.get().text for _ in range(4)]
    assert sorted(answers) == ['a', 'a', 'b', 'b']


def test_leastconn_prefers_the_idle_server(proxy, net, stack, client):
    async def slow(conn):
        while await conn.request():
            await asyncio.sleep(1)
            await conn.answer(b'a')
    stack += [Origin(net, 8001, slow), Origin(net, 8002, fixed(b'b'))]
    proxy.start(config('leastconn', {'a': '', 'b': ''}))
    client().request()
    stack[0].wait_requests(1)
    for _ in range(5):
        assert ask(client, 1) == 'b'
        wait_until(lambda: proxy.stat('b', 'b', 'scur') == '0', 3, 'b is idle again')


def test_source_stays_with_one_server(proxy, three, client, net):
    proxy.start(config('source', {'a': '', 'b': '', 'c': ''}))
    seen = set()
    for last in range(20, 40):
        address = f'10.9.0.{last}'
        net.ip('addr', 'add', f'{address}/24', 'dev', 'weir0')
        answers = ask(client, 3, source=address)
        assert answers == answers[0] * 3
        seen.add(answers[0])
    assert seen == set('abc')


def test_backup_is_used_only_when_no_other_is_left(proxy, three, client):
    proxy.start(config('roundrobin', {'a': '', 'b': 'backup'}))
    assert ask(client, 4) == 'aaaa'


def test_backup_takes_over(proxy, three, client):
    proxy.start(config('roundrobin', {'a': 'disabled', 'b': 'backup', 'c': 'backup'}))
    assert ask(client, 4) == 'bbbb', 'the first backup, and only that'


def test_disabled_server_gets_nothing(proxy, three, client):
    proxy.start(config('roundrobin', {'a': '', 'b': 'disabled', 'c': ''}))
    assert set(ask(client, 6)) == set('ac')


def test_listen_section(proxy, three, client):
    proxy.start('''
        listen both
            bind 10.9.0.2:80
            server a 10.9.0.1:8001
            server b 10.9.0.1:8002
        ''')
    assert sorted(ask(client, 4)) == ['a', 'a', 'b', 'b']


def test_several_binds(proxy, three, client):
    proxy.start('''
        frontend f
            bind 10.9.0.2:80
            bind 10.9.0.2:8080-8082
            bind 10.9.0.50:81,10.9.0.51:82
            default_backend b
        backend b
            server a 10.9.0.1:8001
        ''')
    for host, port in (('10.9.0.2', 80), ('10.9.0.2', 8080), ('10.9.0.2', 8082), ('10.9.0.50', 81)):
        assert ask(client, 1, host=host, port=port) == 'a'
