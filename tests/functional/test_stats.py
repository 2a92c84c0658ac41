# SPDX-License-Identifier: BSD-3-Clause
"""The runtime socket: the same fields as HAProxy, in the same order, for the same tools."""
import fcntl
import json
import os
import pty
import re
import select
import socket
import struct
import subprocess
import termios
import time

import pytest

from frame.net import Namespace
from frame.origin import fixed, silent
from frame.proxy import Haproxy

CONFIG = '''
    frontend f
        bind 10.9.0.2:80
        default_backend b
    backend b
        server s1 10.9.0.1:8001 weight 7
        server s2 10.9.0.1:8002 backup
        server s3 10.9.0.1:8003 disabled
    listen l
        bind 10.9.0.2:81
        server t 10.9.0.1:8001
    '''
both = pytest.mark.both_proxies
pytestmark = pytest.mark.sanitize

STAT_NAMES = (
    '# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,'
    'status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,'
    'type,rate,rate_lim,rate_max,check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,'
    'hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,'
    'comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,rtime,ttime,agent_status,'
    'agent_code,agent_duration,check_desc,agent_desc,check_rise,check_fall,check_health,agent_rise,'
    'agent_fall,agent_health,addr,cookie,mode,algo,conn_rate,conn_rate_max,conn_tot,intercepted,dcon,'
    'dses,wrew,connect,reuse,cache_lookups,cache_hits,srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,'
    'ttime_max,eint,idle_conn_cur,safe_conn_cur,used_conn_cur,need_conn_est,uweight,')


@both
def test_show_stat_names(proxy):
    proxy.start(CONFIG)
    assert proxy.command('show stat').split('\n')[0].startswith(STAT_NAMES)


@both
def test_show_stat_rows(proxy, origin, client):
    origin(fixed(b'abc'))
    proxy.start(CONFIG)
    assert client().get().status == 200
    rows = [r.split(',')[:2] for r in proxy.command('show stat').strip().split('\n')[1:]]
    assert rows == [['f', 'FRONTEND'], ['b', 's1'], ['b', 's2'], ['b', 's3'], ['b', 'BACKEND'],
                    ['l', 'FRONTEND'], ['l', 't'], ['l', 'BACKEND']]
    assert proxy.stat('f', 'FRONTEND', 'status') == 'OPEN'
    assert proxy.stat('b', 'BACKEND', 'status') == 'UP'
    assert proxy.stat('b', 's1', 'weight') == '7'
    assert proxy.stat('b', 's2', 'bck') == '1'
    assert proxy.stat('b', 's3', 'status') == 'MAINT'
    assert int(proxy.stat('b', 's1', 'bin')) >= len('GET / HTTP/1.1\r\nHost: weir.test\r\n\r\n')
    assert int(proxy.stat('b', 's1', 'bout')) > 20
    assert proxy.stat('f', 'FRONTEND', 'mode') == 'http'
    assert proxy.stat('b', 'BACKEND', 'algo') == 'roundrobin'
    assert proxy.stat('b', 's1', 'type') == '2'


@both
def test_show_info(proxy):
    proxy.start(CONFIG)
    assert proxy.info('Pid') == str(proxy.process.pid)
    assert int(proxy.info('Uptime_sec')) < 60
    assert int(proxy.info('Maxconn')) > 0
    assert proxy.info('CurrConns') is not None


def test_show_info_has_the_names_of_haproxy(proxy, folder):
    proxy.start(CONFIG)
    ours = [row.split(':')[0] for row in proxy.command('show info').strip().split('\n')]
    os.mkdir(f'{folder}/other')
    net = Namespace('other')
    haproxy = Haproxy(net, f'{folder}/other')
    try:
        haproxy.start(CONFIG)
        theirs = [row.split(':')[0] for row in haproxy.command('show info').strip().split('\n')]
    finally:
        haproxy.finish()
        net.delete()
    kept = [name for name in theirs if name in ours]
    assert [name for name in ours if name in theirs] == kept, 'the order is theirs'
    assert {'Name', 'Version', 'Nbthread', 'Pid', 'Uptime', 'Uptime_sec', 'Maxsock', 'Maxconn',
            'CurrConns', 'CumConns', 'CumReq', 'Tasks', 'Idle_pct', 'node'} <= set(ours)


@both
@pytest.mark.parametrize('what', ['stat', 'info'])
def test_json(proxy, what):
    proxy.start(CONFIG)
    data = json.loads(proxy.command(f'show {what} json'))
    flat = data if what == 'info' else data[0]
    entry = flat[0]
    assert {'field', 'processNum', 'tags', 'value'} <= set(entry)
    assert {'pos', 'name'} <= set(entry['field'])


@both
@pytest.mark.parametrize('what, pattern', [
    ('stat', r'^[FBSL]\.\d+\.\d+\.\d+\.\w+\.\d+:\w+:\w+:.*$'),
    ('info', r'^\d+\.[\w -]+\.\d+:\w+:\w+:.*$')])
def test_typed(proxy, what, pattern):
    proxy.start(CONFIG)
    rows = proxy.command(f'show {what} typed').strip().split('\n')
    assert len(rows) > 20
    for row in rows:
        assert re.match(pattern, row), row


@both
def test_show_stat_of_one_proxy(proxy):
    proxy.start(CONFIG)
    iid = proxy.stat('b', 'BACKEND', 'iid')
    rows = proxy.command(f'show stat {iid} 4 -1').strip().split('\n')[1:]
    assert [row.split(',')[1] for row in rows] == ['s1', 's2', 's3']


@both
def test_unknown_command_and_help(proxy):
    proxy.start(CONFIG)
    assert 'show stat' in proxy.command('help')
    assert proxy.command('nonsense').startswith('Unknown command')


@both
def test_several_commands_in_one_line(proxy):
    proxy.start(CONFIG)
    answer = proxy.command('show version; show info')
    assert re.match(r'\d+\.\d+', answer) and 'Uptime_sec' in answer


@both
def test_prompt_mode(proxy):
    proxy.start(CONFIG)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(f'{proxy.dir}/stats.sock')
        sock.sendall(b'prompt\n')

        def until_prompt():
            text = b''
            while not text.endswith(b'\n> '):
                part = sock.recv(65536)
                assert part, text
                text += part
            return text
        until_prompt()
        for _ in range(2):
            sock.sendall(b'show version\n')
            assert re.match(rb'\d+\.\d+', until_prompt())
        sock.sendall(b'quit\n')
        assert sock.recv(100) == b''


@both
def test_show_sess(proxy, origin, client):
    origin(silent)
    proxy.start(CONFIG)
    client().request()
    time.sleep(0.2)
    text = proxy.command('show sess')
    assert re.search(r'^0x[0-9a-f]+: .*src=10\.9\.0\.1:\d+ .*fe=f .*be=b .*srv=s1', text, re.M), text


@both
def test_socat(proxy):
    proxy.start(CONFIG)
    run = subprocess.run(['socat', '-', f'UNIX-CONNECT:{proxy.dir}/stats.sock'], input='show stat\n',
                         capture_output=True, text=True, timeout=10, check=True)
    assert run.stdout.startswith('# pxname,')


@both
def test_tcp_and_inherited_sockets(proxy):
    """`stats socket` on TCP of the kernel, and on a descriptor that the parent opened."""
    with proxy.namespace().inside():
        inherited = socket.socket()
    inherited.bind(('127.0.0.1', 0))
    inherited.listen(5)
    port = inherited.getsockname()[1]
    os.set_inheritable(inherited.fileno(), True)
    body = f'''
    global
        stats socket {proxy.dir}/stats.sock
        stats socket 127.0.0.1:9999
        stats socket fd@{inherited.fileno()}
    ''' + CONFIG
    original = proxy.namespace().popen
    proxy.namespace().popen = lambda args, **kw: original(args, pass_fds=[inherited.fileno()], **kw)
    proxy.start(body)
    inherited.close()
    for one in (9999, port):
        with proxy.namespace().connect(one, '127.0.0.1') as sock:
            sock.sendall(b'show version\n')
            assert re.match(rb'\d+\.\d+', sock.recv(1000))


@both
def test_hatop_draws_its_screen(proxy):
    proxy.start(CONFIG)
    pid, fd = pty.fork()
    if pid == 0:
        os.execlp('sh', 'sh', '-c', f'sleep 0.3; TERM=xterm exec hatop -s {proxy.dir}/stats.sock')
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 120, 0, 0))
    screen = b''
    end = time.monotonic() + 15
    try:
        while time.monotonic() < end and not all(w in screen for w in (b'FRONTEND', b's1', b's2')):
            if select.select([fd], [], [], 0.5)[0]:
                screen += os.read(fd, 65536)
        os.write(fd, b'q')
    finally:
        time.sleep(0.3)
        os.close(fd)
        os.waitpid(pid, 0)
    assert b'FRONTEND' in screen and b's1' in screen and b's2' in screen, screen[-2000:]
