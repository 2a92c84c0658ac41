# SPDX-License-Identifier: BSD-3-Clause
"""A client that sends exactly the bytes it is told and reads answers one by one."""
import json
import socket
from dataclasses import dataclass, field


@dataclass
class Answer:
    status: int
    head: bytes
    headers: dict                # names in lower case
    body: bytes = b''
    trailers: bytes = b''
    whole: bool = True           # False: the connection ended before the body did
    interim: list = field(default_factory=list)   # the 1xx answers before this one

    @property
    def text(self):
        return self.body.decode()


def parse_headers(head):
    headers = {}
    for row in head.split(b'\r\n')[1:]:
        name, _, value = row.decode('latin-1').partition(':')
        name = name.lower()
        headers[name] = f'{headers[name]}, {value.strip()}' if name in headers else value.strip()
    return headers


class Client:
    """Wraps a connected socket; a context manager that closes it."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode('latin-1'))

    def request(self, path='/', method='GET', headers='', body=b'', version='1.1'):
        """Sends one request; `headers` are whole lines, each ended by CR LF."""
        self.send(f'{method} {path} HTTP/{version}\r\nHost: weir.test\r\n{headers}\r\n'.encode() + body)

    def get(self, path='/', **kw):
        self.request(path, **kw)
        return self.answer(head_only=kw.get('method') == 'HEAD')

    def fill(self):
        """Reads more; False at the end of the stream."""
        part = self.sock.recv(65536)
        self.buffer += part
        return part != b''

    def take(self, size):
        while len(self.buffer) < size and self.fill():
            pass
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def until(self, mark):
        """What stands before the mark; the mark is taken off too. EOFError if it does not come."""
        while mark not in self.buffer:
            if not self.fill():
                raise EOFError(f'ended before {mark!r}: {self.buffer[:200]!r}')
        data, self.buffer = self.buffer.split(mark, 1)
        return data

    def rest(self):
        while self.fill():
            pass
        data, self.buffer = self.buffer, b''
        return data

    def closed(self):
        """Waits for the end of the stream, by FIN or RST; False if data comes instead."""
        try:
            return not self.buffer and not self.fill()
        except ConnectionResetError:
            return True

    def answer(self, head_only=False):
        """One answer with its body; the 1xx answers before it go into `interim`."""
        interim = []
        while True:
            head = self.until(b'\r\n\r\n')
            result = Answer(int(head.split(b' ', 2)[1]), head, parse_headers(head), interim=interim)
            if result.status == 101 or result.status >= 200:
                break
            interim.append(result)
        if not (head_only or result.status in (101, 204, 304)):
            self.read_body(result)
        return result

    def read_body(self, result):
        if 'chunked' in result.headers.get('transfer-encoding', ''):
            try:
                while size := int(self.until(b'\r\n').split(b';')[0], 16):
                    result.body += self.take(size)
                    assert self.until(b'\r\n') == b''
                while row := self.until(b'\r\n'):
                    result.trailers += row + b'\r\n'
            except EOFError:
                result.whole = False
        elif 'content-length' in result.headers:
            size = int(result.headers['content-length'])
            result.body = self.take(size)
            result.whole = len(result.body) == size
        else:
            result.body = self.rest()


def reset(sock):
    """Closes with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
    sock.close()


WRK_SCRIPT = '''
local ffi = require("ffi")
ffi.cdef("int kill(int pid, int sig); int getpid(void);")
local left = tonumber(os.getenv("WRK_LIMIT"))
-- SIGINT makes wrk stop and print, as Ctrl-C would.
function response()
    left = left - 1
    if left == 0 then ffi.C.kill(ffi.C.getpid(), 2) end
end
function done(summary)
    local e = summary.errors
    io.write(string.format('RESULT {"requests": %d, "connect": %d, "read": %d, "write": %d,' ..
        ' "status": %d, "timeout": %d}\\n', summary.requests, e.connect, e.read, e.write, e.status,
        e.timeout))
end
'''


def wrk(net, folder, url, connections, requests, seconds=100):
    """Runs wrk until it has had that many answers; returns its counts."""
    script = f'{folder}/wrk.lua'
    with open(script, 'w', encoding='ascii') as f:
        f.write(WRK_SCRIPT)
    run = net.run(['env', f'WRK_LIMIT={requests}', 'wrk', '-t', 1, '-c', connections,
                   '-d', f'{seconds}s', '--timeout', '10s', '-s', script, url], timeout=seconds + 30)
    row = next((r for r in run.stdout.split('\n') if r.startswith('RESULT ')), None)
    assert row, f'wrk: {run.stdout}{run.stderr}'
    print(run.stdout)
    return json.loads(row[len('RESULT '):])
