# SPDX-License-Identifier: BSD-3-Clause
"""Started and stopped like HAProxy: flags, exit codes, signals, messages about mistakes."""
import os
import re
import signal
import socket
import subprocess
import textwrap
import time

import pytest

from frame.net import Namespace, wait_until
from frame.origin import echo_head, endless
from frame.proxy import Weir

PASS = '''
    frontend f
        bind 10.9.0.2:80
        default_backend b
    backend b
        server s1 10.9.0.1:8001
    '''
both = pytest.mark.both_proxies
pytestmark = pytest.mark.sanitize


@both
@pytest.mark.parametrize('sig', [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_now(proxy, origin, client, sig):
    """Within two seconds, although a transfer is under way."""
    origin(endless())
    proxy.start(PASS)
    c = client()
    c.request()
    c.take(1000)
    status = proxy.stop(sig)
    if proxy.kind == 'weir':
        assert status == 0
    proxy.sigterm_exit = status  # haproxy ends by the signal itself
    with pytest.raises(OSError):
        client(timeout=1)


@both
def test_sigusr1_stops_after_the_sessions_end(proxy, origin, client):
    origin(echo_head)
    proxy.start(PASS)
    c = client()
    c.request(method='POST', headers='Content-Length: 4\r\n', body=b'ab')
    wait_until(lambda: proxy.stat('b', 's1', 'scur') == '1', 3, 'the request is under way')
    proxy.process.send_signal(signal.SIGUSR1)
    time.sleep(0.5)
    assert proxy.process.poll() is None, 'it waits for the request'
    with pytest.raises(OSError):
        client(timeout=1)
    c.send(b'cd')
    assert c.answer().body.endswith(b'abcd')
    wait_until(proxy.ended, 5, 'it ends after the last session')
    assert proxy.process.returncode == 0


@both
def test_sigusr1_without_sessions_stops_at_once(proxy):
    proxy.start(PASS)
    assert proxy.stop(signal.SIGUSR1) == 0


@both
def test_idle_keep_alive_does_not_hold_sigusr1(proxy, origin, client):
    origin(echo_head)
    proxy.start(PASS)
    assert client().get().status == 200
    assert proxy.stop(signal.SIGUSR1, 5) == 0


@both
def test_pidfile(proxy):
    proxy.start(PASS, args=['-p', f'{proxy.dir}/pid'])
    if proxy.kind == 'weir':  # haproxy writes it only as a daemon
        assert open(f'{proxy.dir}/pid', encoding='ascii').read() == f'{proxy.process.pid}\n'


@both
def test_several_files(proxy, origin, client):
    """The sections stand in files of their own, one given by -f, more in a folder."""
    origin(echo_head)
    os.mkdir(f'{proxy.dir}/conf')
    front, back = textwrap.dedent(PASS).split('\nbackend b', 1)
    with open(f'{proxy.dir}/conf/10-back.cfg', 'w', encoding='ascii') as f:
        f.write('backend b' + back)
    proxy.start(front, args=['-f', f'{proxy.dir}/conf'])
    assert client().get().status == 200


@both
@pytest.mark.parametrize('args, pattern', [(['-v'], r'version'), (['-vv'], r'version')])
def test_version(proxy, args, pattern):
    run = proxy.check(*args)
    assert run.returncode == 0 and re.search(pattern, run.stdout)


@both
def test_check_accepts(proxy):
    run = proxy.check('-c', '-f', proxy.write_config(PASS))
    assert run.returncode == 0, run.stdout + run.stderr


# name: (configuration, what the message must name, line of the mistake in the text or None)
MISTAKES = {
    'unknown keyword': ('frontend f\n    bind 10.9.0.2:80\n    balanse roundrobin\n', 'balanse', 3),
    'unknown section': ('fronted f\n    bind 10.9.0.2:80\n', 'fronted', 1),
    'unknown option': ('frontend f\n    bind 10.9.0.2:80\n    option httplogg\n', 'httplogg', 3),
    'bad time': ('frontend f\n    bind 10.9.0.2:80\n    timeout client 10x\n', 'x', 3),
    'bad mode': ('frontend f\n    mode smtp\n    bind 10.9.0.2:80\n', 'mode', 2),
    'bad port': ('frontend f\n    bind 10.9.0.2:99999\n', '99999', 2),
    'bad address': ('backend b\n    server s 300.1.1.1.1:80\n', '300.1.1.1.1', 2),
    'bad balance': ('backend b\n    balance fastest\n    server s 10.9.0.1:1\n', 'fastest|balance', 2),
    'bad weight': ('backend b\n    server s 10.9.0.1:1 weight 300\n', 'weight', 2),
    'unknown server word': ('backend b\n    server s 10.9.0.1:1 wight 3\n', 'wight', 2),
    'server without address': ('backend b\n    server s\n', 'server', 2),
    'duplicate proxy': ('backend b\n    server s 10.9.0.1:1\nbackend b\n    server t 10.9.0.1:2\n',
                        "'b'|'backend'", 3),
    'duplicate server': ('backend b\n    server s 10.9.0.1:1\n    server s 10.9.0.1:2\n', "'?s'?", 3),
    'missing backend': ('frontend f\n    bind 10.9.0.2:80\n    default_backend nope\n', 'nope', None),
    'missing errorfile': ('frontend f\n    bind 10.9.0.2:80\n    errorfile 503 /none/503.http\n',
                          '/none/503.http|errorfile', 3),
    'end of line in quotes': ('frontend f\n    bind "10.9.0.2:80\n', 'quote', 2),
}


@both
@pytest.mark.parametrize('name', MISTAKES)
def test_mistake(proxy, name):
    body, word, line = MISTAKES[name]
    path = f'{proxy.dir}/wrong.cfg'
    with open(path, 'w', encoding='ascii') as f:
        f.write(body)
    run = proxy.check('-c', '-f', path)
    assert run.returncode == 1
    assert re.search(word, run.stderr), run.stderr
    if line or proxy.kind == 'weir':
        assert re.search(rf'{re.escape(path)}:{line or 3}\b', run.stderr), run.stderr
    # Without -c it does not start either.
    assert proxy.check('-f', path).returncode == 1


@both
def test_several_mistakes_in_one_run(proxy):
    path = f'{proxy.dir}/wrong.cfg'
    with open(path, 'w', encoding='ascii') as f:
        f.write('frontend f\n    bind 10.9.0.2:80\n    aaa\n    bbb\nbackend b\n    ccc\n')
    run = proxy.check('-c', '-f', path)
    for line, word in ((3, 'aaa'), (4, 'bbb'), (6, 'ccc')):
        assert re.search(rf':{line}\b.*{word}', run.stderr), run.stderr


@both
def test_missing_file(proxy):
    run = proxy.check('-c', '-f', '/none/at/all.cfg')
    assert run.returncode == 1 and '/none/at/all.cfg' in run.stderr


@pytest.mark.parametrize('value', ['many', '10k', '-1', ''])
def test_bad_number_is_a_mistake(proxy, value):
    """HAProxy reads what digits there are; we do not guess."""
    path = proxy.write_config(f'frontend f\n    bind 10.9.0.2:80\n    maxconn {value}\n', whole=True)
    run = proxy.check('-c', '-f', path)
    assert run.returncode == 1
    assert re.search(rf'{re.escape(path)}:3\b.*maxconn', run.stderr), run.stderr


def test_suggestion(proxy):
    path = proxy.write_config('frontend f\n    bind 10.9.0.2:80\n    default_backendd b\n')
    run = proxy.check('-c', '-f', path)
    assert run.returncode == 1 and re.search(r"default_backend\b", run.stderr), run.stderr


@pytest.mark.parametrize('network, word', [
    ('network\n    port lan0 pci 0000:ff:1f.7\n    address 10.9.0.2/24 port lan0\n', '0000:ff:1f.7'),
    ('network\n    port lan0 vdev net_nonsense0\n    address 10.9.0.2/24 port lan0\n', 'net_nonsense0'),
    ('network\n    port lan0 vdev net_tap0,iface=weir0\n    address 10.9.0.2/24 port lan1\n', 'lan1'),
    ('network\n    memory 4000g\n    port lan0 vdev net_tap0,iface=weir0\n'
     '    address 10.9.0.2/24 port lan0\n', 'memory'),
])
def test_network_that_cannot_be(proxy, network, word):
    path = f'{proxy.dir}/wrong.cfg'
    with open(path, 'w', encoding='ascii') as f:
        f.write('defaults\n    timeout client 1s\n    timeout server 1s\n    timeout connect 1s\n'
                'frontend f\n    bind 10.9.0.2:80\n' + network)
    run = proxy.check('-f', path)
    assert run.returncode == 1
    assert word in run.stderr, run.stderr
    assert not proxy.net.has_interface('weir0')


def test_first_connection_within_half_a_second(proxy):
    """From the start of the process to an accepted connection; the best of three, because the
    machine may be busy with something else. With the memory that weir takes by itself: filling more
    takes longer."""
    original = proxy.network
    proxy.network = lambda: original().replace('    memory 512m\n', '')
    path = proxy.write_config(PASS)

    def connected():
        try:
            proxy.net.connect(80, timeout=0.2).close()
            return True
        except OSError:
            return False

    def start():
        begin = time.monotonic()
        proxy.process = proxy.net.popen([proxy.program, '-f', path], env=proxy.environment(),
                                        stdin=subprocess.DEVNULL)
        proxy.plug(PASS)
        wait_until(connected, 10, 'a connection is accepted')
        took = time.monotonic() - begin
        assert proxy.stop() == 0
        return took
    assert min(start() for _ in range(3)) < 0.5 * proxy.patience()


def test_eight_at_once(folder):
    """Many weirs on one machine, started together, each in its own network."""
    weirs = []
    if not os.path.exists(Weir.program):
        pytest.skip(f'{Weir.program} does not exist')
    try:
        for i in range(8):
            os.mkdir(f'{folder}/{i}')
            weirs.append(Weir(Namespace('near'), f'{folder}/{i}'))
        for w in weirs:
            w.process = w.net.popen([w.program, '-f', w.write_config(PASS)], env=w.environment(),
                                    stdin=subprocess.DEVNULL)
        for w in weirs:
            w.plug(PASS)
        for w in weirs:
            wait_until(w.answers, 30, 'each answers')
            w.net.connect(80).close()
    finally:
        for w in weirs:
            w.finish()
            w.net.delete()


def test_nothing_is_left_after_a_kill(proxy):
    """Even SIGKILL leaves no interface, because nothing of weir outlives its process."""
    proxy.start(PASS)
    proxy.process.kill()
    proxy.process.wait()
    proxy.process = None
    wait_until(lambda: not proxy.net.has_interface('weir0'), 3, 'the tap is gone')


def serve(proxy, *args):
    """Starts weir in the background; returns the process id that it wrote."""
    proxy.workers = 1
    path = proxy.write_config(PASS)
    run = proxy.check('-D', '-p', f'{proxy.dir}/pid', '-f', path, *args)
    assert run.returncode == 0, run.stdout + run.stderr
    with open(f'{proxy.dir}/pid', encoding='ascii') as f:
        return int(f.read())


def gone(pid):
    """True once the process has ended; it may be nobody's child, or ours as the reaper."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as f:
            return f.read().rsplit(')', 1)[1].split()[0] == 'Z'
    except FileNotFoundError:
        return True


def test_daemon_serves_when_the_command_returns(proxy, net, origin, client):
    origin(echo_head)
    pid = serve(proxy)
    try:
        net.ip('addr', 'replace', '10.9.0.1/24', 'dev', 'weir0')
        net.ip('link', 'set', 'weir0', 'up')
        assert client().get().status == 200
        assert proxy.info('Pid') == str(pid)
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: gone(pid), 2 * proxy.patience(), 'the daemon ends')
    assert not os.path.exists(f'{proxy.dir}/pid')
    assert not net.has_interface('weir0')


def test_daemon_tells_of_failure(proxy):
    proxy.workers = 1
    path = proxy.write_config(PASS)
    with open(path, 'r+', encoding='utf-8') as f:
        text = f.read().replace('net_tap0', 'net_nonsense0')
        f.seek(0)
        f.write(text)
    run = proxy.check('-D', '-f', path)
    assert run.returncode == 1
    assert 'net_nonsense0' in run.stderr


def test_readiness_is_told_to_systemd(proxy):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f'{proxy.dir}/notify')
        sock.settimeout(10)
        environment = proxy.environment()
        proxy.environment = lambda: {**environment, 'NOTIFY_SOCKET': f'{proxy.dir}/notify'}
        proxy.start(PASS, args=['-Ws'])
        told = sock.recv(200).decode()
    assert 'READY=1' in told and f'MAINPID={proxy.process.pid}' in told


def test_next_process_takes_over(proxy, net, origin, client):
    """-sf: the old process ends when the new one is ready, as scripts for HAProxy expect."""
    origin(echo_head)
    proxy.start(PASS)
    old = proxy.process
    path = f'{proxy.dir}/next.cfg'
    with open(proxy.write_config(PASS), encoding='utf-8') as f:
        text = f.read().replace('iface=weir0', 'iface=weir1').replace('10.9.0.', '10.9.1.')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    following = net.popen([proxy.program, '-f', path, '-sf', str(old.pid)], env=proxy.environment(),
                          stdin=subprocess.DEVNULL)
    try:
        assert old.wait(5 * proxy.patience()) == 0
        assert following.poll() is None
    finally:
        following.terminate()
        assert following.wait(5 * proxy.patience()) == 0


def test_persistent_tap_stays_as_it_was(proxy, net, origin, client):
    """A tap that exists before weir is used, and afterwards still there with its addresses."""
    origin(echo_head)
    net.ip('tuntap', 'add', 'weir0', 'mode', 'tap', 'multi_queue')
    net.ip('addr', 'add', '10.9.0.1/24', 'dev', 'weir0')
    net.ip('link', 'set', 'weir0', 'up', 'address', '02:00:00:00:00:17')
    proxy.start(PASS)
    assert client().get().status == 200
    assert proxy.stop() == 0
    link = net.run(['ip', '-o', 'addr', 'show', 'dev', 'weir0']).stdout
    assert '10.9.0.1/24' in link
    assert '02:00:00:00:00:17' in net.run(['ip', '-o', 'link', 'show', 'dev', 'weir0']).stdout
    net.ip('link', 'del', 'weir0')


def test_no_memory_leaves_nothing(proxy):
    """DPDK itself fails; its folder goes all the same."""
    proxy.workers = 1
    path = proxy.write_config(PASS)
    limit = 'ulimit -v 300000; exec "$0" -f "$1"'
    if 'sanitize' in proxy.program:
        pytest.skip('the sanitizer needs address space without limit')
    process = proxy.namespace().popen(['sh', '-c', limit, proxy.program, path], text=True,
                                      stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    message = process.communicate(timeout=20)[1]
    assert process.returncode == 1
    assert 'memory' in message
    assert not os.path.exists(f'/var/run/dpdk/weir-{process.pid}')
