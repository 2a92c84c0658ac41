# SPDX-License-Identifier: BSD-3-Clause
"""The runtime socket as tools use it: socat, hatop, other programs; the same columns as haproxy."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

CONFIG = '''
frontend fe
    bind 10.9.0.2:80
    default_backend be
backend be
    server one 10.9.0.1:8001
    server two 10.9.0.1:8002 backup
'''


def socat(proxy, text):
    return subprocess.run(['socat', '-t5', '-', f'unix-connect:{proxy.dir}/stats.sock'],
                          input=text.encode(), capture_output=True, check=True, timeout=20).stdout.decode()


def screen_of_hatop(proxy, seconds=15):
    """What hatop has drawn by the time it shows the servers; then it is told to quit."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 120, 0, 0))
        os.environ['TERM'] = 'xterm'
        os.execvp('hatop', ['hatop', '-s', f'{proxy.dir}/stats.sock', '-i', '1'])
    screen, quit_sent = b'', False
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                screen += os.read(fd, 65536)
            except OSError:
                break
        if not quit_sent and b'BACKEND' in screen and b'FRONTEND' in screen:
            os.write(fd, b'q')
            quit_sent = True
    if not quit_sent:
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    os.close(fd)
    return re.sub(rb'\x1b[\[(][0-9;?]*[A-Za-z]', b' ', screen).decode(errors='replace'), status


@pytest.mark.both_proxies
def test_columns_and_rows(proxy):
    """Names of columns and rows, and which are empty, do not tell the two apart."""
    proxy.start(CONFIG)
    header = socat(proxy, 'show stat\n').split('\n')[0]
    assert header.startswith('# pxname,svname,qcur,') and header.endswith(',h1_spliced_bytes_out,')
    assert len(header.split(',')) == 129
    assert [proxy.stat('fe', 'FRONTEND', f) for f in ('status', 'type', 'slim', 'iid')] == \
        ['OPEN', '0', proxy.info('Maxconn'), '2']
    assert [proxy.stat('be', 'one', f) for f in ('status', 'weight', 'act', 'bck', 'chkfail', 'addr')] == \
        ['no check', '1', '1', '0', '', '10.9.0.1:8001']
    names = [row.split(':')[0] for row in socat(proxy, 'show info\n').split('\n')]
    assert names[:9] == ['Name', 'Version', 'Release_date', 'Nbthread', 'Nbproc', 'Process_num', 'Pid',
                         'Uptime', 'Uptime_sec']
    assert len([n for n in names if n]) == 69


@pytest.mark.both_proxies
def test_prompt_and_one_shot(proxy):
    proxy.start(CONFIG)
    version = socat(proxy, 'show version\n').strip()
    assert socat(proxy, 'show version;show version\n') == f'{version}\n\n' * 2
    assert socat(proxy, 'prompt\nshow version\nquit\n') == f'\n> {version}\n\n> '
    assert socat(proxy, 'show stat nope 4 1\n') == 'No such proxy.\n\n'
    assert 'Unknown command' in socat(proxy, 'nonsense\n')


def test_hatop_draws_its_screen(proxy):
    proxy.start(CONFIG)
    screen, status = screen_of_hatop(proxy)
    assert status == 0, screen[-2000:]
    for word in ('weir Version', 'FRONTEND', 'BACKEND', 'one', 'two'):
        assert word in screen


def test_own_commands(proxy, origin, curl):
    """What weir shows of itself, while something happens, and a capture of it."""
    proxy.start(CONFIG, workers=2)
    path = f'{proxy.dir}/x.pcapng'
    assert proxy.command(f'capture port lan0 filter "tcp port 80" file {path}') == '\n'
    curl('-o', '/dev/null', 'http://10.9.0.2/')
    assert 'reachable' in proxy.show('arp') or 'stale' in proxy.show('arp')
    assert re.search(r'10\.9\.0\.0/24 .* connected', proxy.show('route'))
    assert 'lan0: driver' in proxy.show('port')
    assert 'TIME-WAIT' in proxy.show('conn') or 'core' in proxy.show('conn')
    assert 'ip rx' in proxy.show('worker')
    assert 'pool' in proxy.show('pool')
    assert proxy.show('drops').startswith('module')
    proxy.command('capture stop')
    for _ in range(50):
        if 'No capture' in proxy.show('capture'):
            break
        time.sleep(0.1)
    with open(path, 'rb') as f:
        frames = f.read()
    assert frames[:4] == b'\x0a\x0d\x0d\x0a' and b'GET / HTTP/1.1' in frames
