# SPDX-License-Identifier: BSD-3-Clause
"""The proxy under test: weir, or the real haproxy with the same configuration text."""
import glob
import os
import re
import signal
import socket
import subprocess
import textwrap
import time

from .net import INTERFACE, NEAR, NEAR6, PROXY, PROXY6, Namespace, wait_until

GLOBAL = '''
global
    stats socket {dir}/stats.sock mode 600 level admin
'''
DEFAULTS = '''
defaults
    mode http
    timeout connect 2s
    timeout client 20s
    timeout server 20s
    retries 0
'''
SANITIZER = ('AddressSanitizer', 'LeakSanitizer', 'runtime error:')


class Proxy:
    kind = None
    program = None
    sigterm_exit = 0

    def __init__(self, net, folder):
        self.net = net          # where clients and origins are
        self.dir = folder
        self.process = None
        self.output_path = f'{folder}/output'
        self.workers = 1
        self.v6 = False

    # what differs
    def environment(self):
        return dict(os.environ)

    def network(self):
        return ''

    def plug(self, config):
        """Joins the proxy to the network, before or after it has started."""
        raise NotImplementedError

    def check_clean(self):
        """Nothing of the proxy is left."""

    # what is the same
    def write_config(self, body, name='test.cfg', whole=False):
        """Adds the global and defaults sections that the body lacks; `whole` takes it as it is."""
        body = textwrap.dedent(body)
        parts = [body]
        if not whole:
            if not re.search(r'^defaults\b', body, re.M):
                parts.insert(0, DEFAULTS)
            parts.insert(0, GLOBAL.format(dir=self.dir))
            parts.append(self.network())
        path = f'{self.dir}/{name}'
        with open(path, 'w', encoding='utf-8') as f:
            f.write('\n'.join(parts))
        return path

    def start(self, body, workers=1, args=()):
        """Starts the proxy and returns when it serves."""
        self.workers = workers
        path = self.write_config(body)
        with open(self.output_path, 'ab') as output:
            self.process = self.namespace().popen(
                [self.program, '-f', path, *args], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, env=self.environment(), cwd=self.dir)
        self.plug(body)
        wait_until(lambda: self.ended() or self.answers(), 20, f'{self.kind} serves')
        assert self.process.poll() is None, f'{self.kind} ended at once:\n{self.output()}'

    def namespace(self):
        return self.net

    def ended(self):
        return self.process.poll() is not None

    def answers(self):
        try:
            return self.command('show version') != ''
        except OSError:
            return False

    def check(self, *args, timeout=20):
        """Runs the program to its end with these arguments."""
        return self.namespace().run([self.program, *args], env=self.environment(), cwd=self.dir,
                                    timeout=timeout)

    def command(self, text):
        """One command on the runtime socket."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(f'{self.dir}/stats.sock')
            sock.sendall(text.encode() + b'\n')
            answer = b''
            while part := sock.recv(65536):
                answer += part
            return answer.decode()

    def stat(self, proxy, server, field):
        """A field of `show stat` as text."""
        rows = [row.split(',') for row in self.command('show stat').strip().split('\n')]
        names = rows[0]
        names[0] = names[0].lstrip('# ')
        for row in rows[1:]:
            values = dict(zip(names, row))
            if values['pxname'] == proxy and values['svname'] == server:
                return values[field]
        raise AssertionError(f'show stat has no {proxy}/{server}')

    def info(self, field):
        rows = dict(row.split(': ', 1) for row in self.command('show info').split('\n') if ': ' in row)
        return rows[field]

    def rss_kb(self):
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as f:
            return int(re.search(r'VmRSS:\s+(\d+)', f.read())[1])

    def output(self):
        with open(self.output_path, encoding='utf-8', errors='replace') as f:
            return f.read()

    def stop(self, sig=signal.SIGTERM, seconds=20):
        """Sends the signal and returns the exit status; it must come within the time."""
        begin = time.monotonic()
        if not self.ended():
            self.process.send_signal(sig)
        try:
            return self.process.wait(seconds * self.patience())
        except subprocess.TimeoutExpired:
            took = time.monotonic() - begin
            raise AssertionError(f'{self.kind} still runs {took:.1f} s after {sig.name}') from None

    def patience(self):
        return 1

    def finish(self):
        """The end of each test, also of one that failed."""
        try:
            if self.process:
                ended_before = self.ended()
                status = self.stop()
                assert status == self.sigterm_exit or (ended_before and status == 0), \
                    f'{self.kind} exited with {status}'
                self.check_clean()
        finally:
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            if os.path.exists(self.output_path):
                print(f'--- output of {self.kind}:\n{self.output()}')


class Weir(Proxy):
    kind = 'weir'
    program = os.environ.get('WEIR_BIN') or \
        os.path.abspath(f'{os.path.dirname(__file__)}/../../../build-release/app/weir/weir')

    def environment(self):
        return {**os.environ,
                'ASAN_OPTIONS': f'log_path={self.dir}/sanitizer:detect_leaks=1',
                'UBSAN_OPTIONS': f'log_path={self.dir}/sanitizer:print_stacktrace=1'}

    def patience(self):
        return 3 if 'sanitize' in self.program else 1

    def network(self):
        """Workers on the CPUs after the control core's, round and round where there are too few."""
        cpus = sorted(os.sched_getaffinity(0))
        workers = ','.join(str(cpus[(i + 1) % len(cpus)]) for i in range(self.workers))
        return textwrap.dedent(f'''
            network
                cores control {cpus[0]} workers {workers}
                memory 512m
                port lan0 vdev net_tap0,iface={INTERFACE}
                address {PROXY}/24 port lan0
            ''') + (f'    address {PROXY6}/64 port lan0\n' if self.v6 else '')

    def plug(self, config):
        wait_until(lambda: self.ended() or self.net.has_interface(INTERFACE), 20,
                   f'weir makes {INTERFACE}')
        if not self.ended():
            self.net.ip('addr', 'replace', f'{NEAR}/24', 'dev', INTERFACE)
            if self.v6:
                self.net.enable_v6(INTERFACE)
                self.net.ip('addr', 'replace', f'{NEAR6}/64', 'dev', INTERFACE, 'nodad')
            self.net.ip('link', 'set', INTERFACE, 'up')

    def uses_v6(self):
        """Its IPv6 addresses are known to be its own."""
        wait_until(lambda: self.ended() or 'tentative' not in self.show('route'), 20,
                   'weir uses its IPv6 addresses')

    def show(self, what):
        return self.command(f'show {what}')

    def finish(self):
        try:
            super().finish()
        finally:
            reports = [open(p, encoding='utf-8', errors='replace').read()
                       for p in glob.glob(f'{self.dir}/sanitizer*')]
            if os.path.exists(self.output_path):
                reports += [row for row in self.output().split('\n') if any(s in row for s in SANITIZER)]
            assert not reports, 'the sanitizer wrote:\n' + '\n'.join(reports)

    def check_clean(self):
        assert not self.net.has_interface(INTERFACE), f'{INTERFACE} was left behind'


class Haproxy(Proxy):
    kind = 'haproxy'
    program = '/usr/sbin/haproxy'
    sigterm_exit = -signal.SIGTERM  # it lets the signal end it

    def __init__(self, net, folder):
        super().__init__(net, folder)
        self.far = Namespace('far')
        net.ip('link', 'add', INTERFACE, 'type', 'veth', 'peer', 'name', 'far0',
               'netns', self.far.name)
        net.ip('addr', 'add', f'{NEAR}/24', 'dev', INTERFACE)
        net.ip('link', 'set', INTERFACE, 'up')
        self.far.ip('addr', 'add', f'{PROXY}/24', 'dev', 'far0')
        self.far.ip('link', 'set', 'far0', 'up')

    def uses_v6(self):
        """They are there from the start."""

    def namespace(self):
        return self.far

    def start(self, body, workers=1, args=()):
        binds = ' '.join(re.findall(r'^\s*bind\s.*', body, re.M))
        for address in set(re.findall(r'10\.9\.0\.\d+', binds)) - {PROXY}:
            self.far.ip('addr', 'add', f'{address}/24', 'dev', 'far0')
        if self.v6:
            for side, name, address in ((self.net, INTERFACE, NEAR6), (self.far, 'far0', PROXY6)):
                side.enable_v6(name)
                side.ip('addr', 'add', f'{address}/64', 'dev', name, 'nodad')
        super().start(body, workers, ['-db', *args])

    def plug(self, config):
        pass

    def finish(self):
        try:
            super().finish()
        finally:
            self.far.delete()


PROXIES = {'weir': Weir, 'haproxy': Haproxy}
