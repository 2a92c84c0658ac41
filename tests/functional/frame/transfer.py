# SPDX-License-Identifier: BSD-3-Clause
"""Bytes over one or several TCP connections between two kernels, compared by SHA-256."""
import contextlib
import hashlib
import socket
import struct
import threading
import time

TCP_NOTSENT_LOWAT = 25
SEND_BYTES = 1 << 18
UNSENT_BYTES = 1 << 17  # in the sender's kernel, so that little is left to do when the time is over


class Transfer:
    """`flows` connections, opened to `target`, share `data`; whoever accepts them listens on
    `endpoint`. Digests are computed when all is over: they take no time from the transfer.
    `tune(sock, opened)` may set options of each socket before it is used."""

    def __init__(self, opener, target, acceptor, endpoint, data, flows=1, cc=None, opener_sends=True,
                 seconds=0, patience=120, tune=None):
        self.opener, self.target, self.data, self.cc = opener, target, data, cc
        self.flows, self.opener_sends, self.patience, self.tune = flows, opener_sends, patience, tune
        self.seconds = seconds or 1e9
        self.share = len(data) // flows
        self.sent, self.received, self.ended_at = [0] * flows, [b''] * flows, [0.0] * flows
        self.problems, self.threads, self.deadline = [], [], 0
        with acceptor.inside():
            self.listener = socket.create_server(endpoint, backlog=flows)
        self.listener.settimeout(patience)

    def send(self, sock, flow):
        view = memoryview(self.data)[flow * self.share:(flow + 1) * self.share]
        sock.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        while self.sent[flow] < len(view) and time.monotonic() < self.deadline:
            self.sent[flow] += sock.send(view[self.sent[flow]:self.sent[flow] + SEND_BYTES])
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b'', 'the other side closes when it has all'

    def receive(self, sock, flow):
        buffer = memoryview(bytearray(self.share + 1))  # one more would be noticed
        got = 0
        while n := sock.recv_into(buffer[got:]):
            got += n
            self.ended_at[flow] = time.monotonic()
            self.received[flow] = buffer[:got]

    def talk(self, sock, opened, flow):
        """The first four bytes tell the acceptor which flow this is."""
        with sock:
            sock.settimeout(self.patience)
            if self.cc:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, self.cc.encode())
            if self.tune:
                self.tune(sock, opened)
            if opened:
                sock.connect(self.target)
                sock.sendall(struct.pack('!I', flow))
            else:
                flow = struct.unpack('!I', sock.recv(4, socket.MSG_WAITALL))[0]
            (self.send if opened == self.opener_sends else self.receive)(sock, flow)

    def run_one(self, sock, opened, flow):
        try:
            self.talk(sock, opened, flow)
        except (OSError, AssertionError, struct.error) as error:
            self.problems.append(f'{"opener" if opened else "acceptor"}: {error!r}')

    def start(self, sock, opened, flow):
        self.threads.append(threading.Thread(target=self.run_one, args=(sock, opened, flow)))
        self.threads[-1].start()

    def accept(self):
        with contextlib.suppress(OSError):
            for _ in range(self.flows):
                self.start(self.listener.accept()[0], False, None)

    def run(self):
        """Returns when all connections have ended."""
        acceptor = threading.Thread(target=self.accept)
        acceptor.start()
        begin = time.monotonic()
        self.deadline = begin + self.seconds
        for flow in range(self.flows):
            with self.opener.inside():
                sock = socket.socket()
            self.start(sock, True, flow)
        acceptor.join()
        for thread in self.threads:
            thread.join()
        self.listener.close()
        return self.result(max(self.ended_at) - begin)

    @staticmethod
    def digest(parts):
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        return digest.hexdigest()

    def result(self, seconds):
        count = sum(map(len, self.received))
        sent = self.digest(memoryview(self.data)[flow * self.share:flow * self.share + n]
                           for flow, n in enumerate(self.sent))
        same = sent == self.digest(self.received) and not self.problems and count > 0
        return {'bytes': count, 'seconds': round(max(seconds, 0), 3), 'sha256': sent, 'same': same,
                'mbit_per_s': round(count * 8 / seconds / 1e6, 3) if seconds > 0 else 0,
                'problems': self.problems}
