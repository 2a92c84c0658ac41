# SPDX-License-Identifier: BSD-3-Clause
"""Private networks of one test.

    namespace "near": clients and origins, 10.9.0.1         the proxy, 10.9.0.2
                      interface weir0 ---------------------- weir: the same interface is its tap
                                                             haproxy: a veth pair into namespace "far"
"""
import contextlib
import ctypes
import itertools
import os
import socket
import subprocess
import time

NEAR = '10.9.0.1'
PROXY = '10.9.0.2'
NEAR6 = 'fd00:9::1'
PROXY6 = 'fd00:9::2'
INTERFACE = 'weir0'
CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
counter = itertools.count()


def wait_until(condition, seconds, what):
    """Polls until `condition()` is true and returns its value; fails with `what` after the time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f'not within {seconds} s: {what}'
        time.sleep(0.005)


def ip(*args):
    subprocess.run(['ip', *args], check=True, capture_output=True, text=True)


class Namespace:
    def __init__(self, label):
        self.name = f'weir-{os.getpid()}-{next(counter)}-{label}'
        ip('netns', 'add', self.name)
        self.fd = os.open(f'/run/netns/{self.name}', os.O_RDONLY)
        self.ip('link', 'set', 'lo', 'up')
        with self.inside():
            # What the kernel would send on its own, and what would make 5,000 connections fail.
            for key, value in (('ipv6/conf/default/disable_ipv6', '1'),
                               ('ipv4/ip_local_port_range', '1024 65535'),
                               ('core/somaxconn', '16384'),
                               ('ipv4/tcp_max_syn_backlog', '16384')):
                self.sysctl(key, value)

    @staticmethod
    def sysctl(key, value):
        """Of the namespace that the thread is in; a key that this kernel lacks is no loss."""
        with contextlib.suppress(OSError), open(f'/proc/sys/net/{key}', 'w', encoding='ascii') as f:
            f.write(value)

    def enable_v6(self, interface):
        with self.inside():
            self.sysctl(f'ipv6/conf/{interface}/accept_dad', '0')
            self.sysctl(f'ipv6/conf/{interface}/disable_ipv6', '0')

    def ip(self, *args):
        ip('-n', self.name, *args)

    @contextlib.contextmanager
    def inside(self):
        """Sockets and processes made in this block belong to the namespace (this thread only)."""
        home = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
        try:
            self._enter(self.fd)
            yield
        finally:
            self._enter(home)
            os.close(home)

    @staticmethod
    def _enter(fd):
        if libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), 'setns')

    def popen(self, args, **kw):
        with self.inside():
            return subprocess.Popen([str(a) for a in args], **kw)

    def run(self, args, **kw):
        """Runs to the end; the result has text in stdout and stderr."""
        with self.inside():
            return subprocess.run([str(a) for a in args], **{'capture_output': True, 'text': True,
                                                             'timeout': 120, **kw})

    def has_interface(self, name):
        with self.inside():
            return name in (n for _, n in socket.if_nameindex())

    def connect(self, port, host=PROXY, source=None, rcvbuf=None, timeout=10):
        """A connected TCP socket."""
        with self.inside():
            sock = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
        sock.settimeout(timeout)
        if rcvbuf:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if source:
            sock.bind((source, 0))
        sock.connect(self.address(host, port))
        return sock

    def address(self, host, port):
        """With the scope of the interface if it names one (fe80::1%weir0)."""
        with self.inside():
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4]

    def pids(self):
        run = subprocess.run(['ip', 'netns', 'pids', self.name], capture_output=True, text=True,
                             check=True)
        return [int(p) for p in run.stdout.split() if int(p) != os.getpid()]

    def delete(self):
        os.close(self.fd)
        ip('netns', 'delete', self.name)
