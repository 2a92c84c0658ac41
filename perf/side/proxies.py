# SPDX-License-Identifier: BSD-3-Clause
"""The proxies that are compared: their best settings, and how much CPU time each has used."""
import os
import re
import signal
import socket
import subprocess
import time

WEIR = '10.9.0.1'
ORIGIN = '10.9.255.1'
CLIENTS = '10.9.1.1+64'
LOOPBACK = '127.0.0.1'
PORT = 8080
ORIGIN_PORT = 8001
ORIGINS = {'http': 1, 'tcp': 8}     # one takes 64,000 connections in the second that a port must wait
TICKS = os.sysconf('SC_CLK_TCK')


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f'not within {seconds} s: {what}')
        time.sleep(0.01)


class Proxy:
    name = None
    settings = None     # one line for the report

    def __init__(self, folder, cpu, prefix=()):
        self.dir = folder
        self.cpu = cpu
        self.prefix = list(prefix)      # runs a command in the network of the run
        self.process = None

    @staticmethod
    def origins(first, mode):
        """Their ADDR:PORTs."""
        net, host = first.rsplit('.', 1)
        return [f'{net}.{int(host) + n}:{ORIGIN_PORT}' for n in range(ORIGINS[mode])]

    def servers(self, first, mode):
        """Lines of a backend, for weir and HAProxy."""
        return '\n'.join(f'    server s{n} {at}' for n, at in enumerate(self.origins(first, mode)))

    def spawn(self, *command):
        with open(f'{self.dir}/{self.name}.log', 'ab') as log:
            self.process = subprocess.Popen([*self.prefix, *command], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)

    def write(self, name, text):
        path = f'{self.dir}/{name}'
        with open(path, 'w', encoding='ascii') as f:
            f.write(text)
        return path

    @staticmethod
    def load_program(folder):
        return [f'{folder}/load']

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)

    def log(self):
        with open(f'{self.dir}/{self.name}.log', encoding='utf-8', errors='replace') as f:
            return f.read()


class Weir(Proxy):
    name = 'weir'
    settings = 'one worker on one CPU, control core on another; net_memif; http-reuse always; no log'
    network = 'memif'

    def __init__(self, binary, *args, maxconn=None, timeout='60s', workers=1):
        super().__init__(*args)
        self.binary = binary
        self.maxconn = maxconn
        self.timeout = timeout
        self.workers = workers
        self.socket = f'{self.dir}/weir.sock'
        self.memif = f'{self.dir}/memif.sock'
        self.path = None

    def port(self):
        return f'net_memif0,role=server,socket={self.memif},socket-abstract=no'

    def configure(self, mode):
        """The path of its configuration."""
        others = sorted({*os.sched_getaffinity(0)} - {self.cpu})
        control = others[0] if others else self.cpu
        workers = ','.join(map(str, [self.cpu, *reversed(others)][:self.workers]))
        maxconn = f'maxconn {self.maxconn}' if self.maxconn else ''
        reuse = 'http-reuse always' if mode == 'http' else ''
        return self.write('weir.cfg', f'''
global
    stats socket {self.socket} level admin
    {maxconn}
network
    cores control {control} workers {workers}
    memory 1g
    port lan0 vdev {self.port()}
    address {WEIR}/16 port lan0
    route 0.0.0.0/0 via {CLIENTS.split('+', maxsplit=1)[0]}
defaults
    mode {mode}
    {maxconn}
    timeout connect 5s
    timeout client {self.timeout}
    timeout server {self.timeout}
frontend f
    bind {WEIR}:{PORT}
    default_backend b
backend b
    {reuse}
{self.servers(ORIGIN, mode)}
''')

    def start(self, mode):
        self.spawn(self.binary, '-f', self.configure(mode))
        wait_for(lambda: os.path.exists(self.socket) and self.ask('show version'), 20, 'weir serves')

    def ask(self, command):
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(self.socket)
            except OSError:
                return ''
            s.sendall(command.encode() + b'\n')
            return b''.join(iter(lambda: s.recv(65536), b'')).decode()

    def usage(self):
        """(busy, all) cycles of the workers; what an empty poll took is not busy."""
        rows = re.findall(r'^worker \d+:.*?cycles busy (\d+) .*?idle (\d+)', self.ask('show worker'),
                          re.S | re.M)
        busy, idle = (sum(map(int, column)) for column in zip(*rows))
        return busy, busy + idle

    def scheduled(self):
        """(ran, waited to run) ns of the threads of the workers, which are the youngest."""
        folder = f'/proc/{self.process.pid}/task'
        times = []
        for thread in sorted(os.listdir(folder), key=int)[-self.workers:]:
            with open(f'{folder}/{thread}/schedstat', encoding='ascii') as f:
                times.append([int(n) for n in f.read().split()[:2]])
        return tuple(map(sum, zip(*times)))

    def pollers(self):
        """{poller: cycles} of the worker, since `profile on`."""
        text = re.search(r'^worker 0:.*\n((?:  .*\n)+)', self.ask('show worker'), re.M)[1]
        rows = re.findall(r'^  (\S.*?) +\d+ +(\d+) +\d+\.\d+ +(\d+)$', text, re.M)
        return {name: int(work) * int(cycles) for name, work, cycles in rows}

    @staticmethod
    def cpu_seconds(before, after, seconds):
        """Of the time that passed, the busy part; and its share."""
        busy = (after[0] - before[0]) / max(after[1] - before[1], 1)
        return busy * seconds, busy

    def load_options(self):
        return ['--device', f'net_memif0,role=client,socket={self.memif},socket-abstract=no,'
                'mac=02:00:00:00:00:01', '--client', CLIENTS, '--target', f'{WEIR}:{PORT}',
                '--origin', f'{ORIGIN}+{max(ORIGINS.values())}:{ORIGIN_PORT}']

    def memory_bytes(self):
        """Resident, huge pages included."""
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as f:
            return sum(int(line.split()[1]) * 1024 for line in f
                       if line.startswith(('VmRSS:', 'HugetlbPages:')))

    def pools(self):
        """{name: (bytes of an object, objects in use)} of the worker."""
        rows = re.findall(r'^0 +(\S.*?) +(\d+) +\d+ +(\d+) +\S+ +\S+$', self.ask('show pools'), re.M)
        return {name: (int(size), int(used)) for name, size, used in rows}


class WeirRing(Weir):
    """In the process of the load, which hands frames over as a card does: without a copy by weir, with
    checksums and the cutting of large segments done."""
    name = 'weir-ring'
    settings = 'as weir, in the process of the load, over a pair that computes checksums and cuts'

    def port(self):
        return 'pair0'

    def start(self, mode):
        self.path = self.configure(mode)

    def load_program(self, folder):
        return [f'{folder}/ring', self.path]

    def load_options(self):
        return super().load_options()[2:]   # no device

    def log(self):
        return ''


class KernelProxy(Proxy):
    network = 'loopback'

    def pids(self):
        """The process that works."""
        raise NotImplementedError

    def usage(self):
        total = 0
        for pid in self.pids():
            with open(f'/proc/{pid}/stat', encoding='ascii') as f:
                fields = f.read().rsplit(')', 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total

    @staticmethod
    def cpu_seconds(before, after, seconds):
        used = (after - before) / TICKS
        return used, used / seconds

    def load_options(self):
        return ['--target', f'{LOOPBACK}:{PORT}',
                '--origin', f'{LOOPBACK}+{max(ORIGINS.values())}:{ORIGIN_PORT}']

    def answers(self):
        """It listens, or has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(f'{self.name} has ended:\n{self.log()}')
        with open(f'/proc/{self.process.pid}/net/tcp', encoding='ascii') as f:
            return any(line.split()[1].endswith(f':{PORT:04X}') and line.split()[3] == '0A'
                       for line in f)


class Haproxy(KernelProxy):
    name = 'haproxy'
    settings = 'nbthread 1, http-reuse always, no log, keep-alive both sides, splice-auto off'

    def start(self, mode):
        reuse = 'http-reuse always' if mode == 'http' else ''
        path = self.write('haproxy.cfg', f'''
global
    nbthread 1
    maxconn 9000
defaults
    mode {mode}
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    maxconn 9000
frontend f
    bind {LOOPBACK}:{PORT}
    default_backend b
backend b
    {reuse}
{self.servers(LOOPBACK, mode)}
''')
        self.spawn('taskset', '-c', str(self.cpu), '/usr/sbin/haproxy', '-db', '-f', path)
        wait_for(self.answers, 10, 'haproxy serves')

    def pids(self):
        return [self.process.pid]


class Nginx(KernelProxy):
    name = 'nginx'
    settings = 'one worker process, access_log off, upstream keepalive 512, keepalive_requests 1e9'

    def start(self, mode):
        http = f'''
http {{
    access_log off;
    keepalive_requests 1000000000;
    proxy_buffering on;
    upstream origin {{ server {LOOPBACK}:{ORIGIN_PORT}; keepalive 512;
                       keepalive_requests 1000000000; }}
    server {{
        listen {LOOPBACK}:{PORT} backlog=4096;
        location / {{ proxy_pass http://origin; proxy_http_version 1.1;
                      proxy_set_header Connection ""; proxy_set_header Host $host; }}
    }}
}}'''
        stream = f'''
stream {{
    upstream origin {{ {' '.join(f'server {at};' for at in self.origins(LOOPBACK, 'tcp'))} }}
    server {{ listen {LOOPBACK}:{PORT} backlog=4096; proxy_pass origin; }}
}}'''
        module = ''
        if mode == 'tcp':
            module = 'load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n'
        path = self.write('nginx.conf', f'''{module}daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {self.dir}/nginx.pid;
error_log {self.dir}/nginx.err;
events {{ worker_connections 9000; multi_accept on; }}
{http if mode == 'http' else stream}
''')
        self.spawn('taskset', '-c', str(self.cpu), '/usr/sbin/nginx', '-c', path, '-e', f'{self.dir}/nginx.err')
        wait_for(self.answers, 10, 'nginx serves')

    def pids(self):
        found = subprocess.run(['ps', '--ppid', str(self.process.pid), '-o', 'pid='],
                               capture_output=True, text=True, check=False).stdout.split()
        return [int(pid) for pid in found]
