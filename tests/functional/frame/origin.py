# SPDX-License-Identifier: BSD-3-Clause
"""Origins: a real nginx, and a scripted one that can misbehave in every way we need."""
import asyncio
import hashlib
import os
import socket
import subprocess
import threading
import time

from .client import parse_headers
from .net import wait_until

NGINX_CONFIG = '''
daemon off;
master_process off;
pid {dir}/pid;
error_log {dir}/error.log;
worker_rlimit_nofile 20000;
events {{ worker_connections 16000; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 10000000;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{
        listen {address}:{port} backlog=16384;
        location / {{ return 200 "{name}\\n"; }}
        location /files/ {{ alias {files}/; }}
        # Keeps the body in a file and answers with the name of the file.
        location /upload {{
            client_max_body_size 0;
            client_body_in_file_only on;
            proxy_pass http://unix:{dir}/self.sock:/stored;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header X-File $request_body_file;
        }}
    }}
    server {{
        listen unix:{dir}/self.sock;
        location /stored {{ return 200 "$http_x_file"; }}
    }}
}}
'''


class Nginx:
    """Answers "/" with its name, serves `files` below /files/, stores what is sent to /upload."""

    def __init__(self, net, folder, name, port, files):
        self.dir = f'{folder}/nginx-{name}'
        os.makedirs(self.dir)
        path = f'{self.dir}/nginx.conf'
        with open(path, 'w', encoding='ascii') as f:
            f.write(NGINX_CONFIG.format(dir=self.dir, address='0.0.0.0', port=port, name=name,
                                        files=files))
        self.process = net.popen(['/usr/sbin/nginx', '-p', self.dir, '-c', path,
                                  '-e', f'{self.dir}/error.log'], stdin=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        wait_until(lambda: self.serves(net, port), 10, f'nginx {name} serves')

    def serves(self, net, port):
        assert self.process.poll() is None, open(f'{self.dir}/error.log', encoding='utf-8').read()
        try:
            net.connect(port, '127.0.0.1').close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Request:
    def __init__(self, head):
        self.head = head
        self.method, self.path, self.version = head.split(b'\r\n')[0].decode('latin-1').split(' ')
        self.headers = parse_headers(head)
        self.body = b''
        self.trailers = b''


class Connection:
    """What a script may do with one accepted connection."""

    def __init__(self, origin, reader, writer):
        self.origin, self.reader, self.writer = origin, reader, writer
        self.ended = asyncio.Event()

    async def request(self, body=True):
        """The next request, with its body; None at the end of the stream."""
        try:
            request = Request((await self.reader.readuntil(b'\r\n\r\n'))[:-4])
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        self.origin.requests.append(request)
        if body:
            await self.body(request)
        return request

    async def body(self, request):
        if 'chunked' in request.headers.get('transfer-encoding', ''):
            while size := int((await self.reader.readuntil(b'\r\n')).split(b';')[0], 16):
                request.body += await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            while (row := await self.reader.readuntil(b'\r\n')) != b'\r\n':
                request.trailers += row
        else:
            request.body = await self.reader.readexactly(int(request.headers.get('content-length', 0)))

    async def send(self, data):
        """Sends and waits until the buffer has drained; counts what the proxy has taken."""
        self.writer.write(data)
        await self.writer.drain()
        self.origin.sent += len(data)

    async def answer(self, body=b'', status='200 OK', headers=''):
        await self.send(f'HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n'.encode() +
                        body)

    def shut(self):
        """Half-close: no more from us."""
        self.writer.write_eof()

    def reset(self):
        self.writer.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                        b'\1\0\0\0\0\0\0\0')
        self.writer.transport.abort()


async def echo_head(conn):
    """Answers each request with the head as it arrived, a blank line and the body."""
    while request := await conn.request():
        await conn.answer(request.head + b'\r\n\r\n' + request.body)


def fixed(body=b'fixed\n', headers=''):
    """Answers each request with the same body."""
    async def script(conn):
        while await conn.request():
            await conn.answer(body, headers=headers)
    return script


def raw_answer(data, close=False):
    """Answers each request with exactly these bytes."""
    async def script(conn):
        while await conn.request():
            await conn.send(data)
            if close:
                return
    return script


async def silent(conn):
    """Reads and never answers."""
    while await conn.reader.read(65536):
        pass


async def hash_body(conn):
    """Answers each request with the SHA-256 of its body, without keeping the body."""
    while request := await conn.request(body=False):
        left, digest = int(request.headers['content-length']), hashlib.sha256()
        while left:
            part = await conn.reader.read(min(left, 1 << 18))
            if not part:
                return
            digest.update(part)
            left -= len(part)
        await conn.answer(digest.hexdigest().encode())


def endless(first=b'HTTP/1.1 200 OK\r\n\r\n', block=b'x' * 65536):
    """Sends until the peer is gone."""
    async def script(conn):
        await conn.request()
        await conn.send(first)
        while True:
            await conn.send(block)
    return script


class Origin:
    """Runs a script for each accepted connection, in a thread with its own loop.

    `requests` holds the requests as they came, `connections` the accepted connections, `sent` the
    bytes taken off us, `errors` what scripts raised by mistake.
    """

    def __init__(self, net, port, script, rcvbuf=None, host='0.0.0.0'):
        self.requests, self.connections, self.errors = [], [], []
        self.sent = 0
        self.open = 0
        self.script = script
        with net.inside():
            self.sock = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.bind((host, port))
        self.sock.listen(16384)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self._serve, sock=self.sock, limit=1 << 20))
        self.loop.run_forever()

    async def _serve(self, reader, writer):
        conn = Connection(self, reader, writer)
        self.connections.append(conn)
        self.open += 1
        try:
            await self.script(conn)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except Exception as error:  # a mistake in the script fails the test at its end
            self.errors.append(error)
        finally:
            self.open -= 1
            conn.ended.set()
            writer.close()

    def call(self, function, *args):
        """Runs a function in the loop's thread."""
        self.loop.call_soon_threadsafe(function, *args)

    def wait_requests(self, count, seconds=5):
        wait_until(lambda: len(self.requests) >= count, seconds, f'the origin has {count} requests')
        return self.requests

    def wait_all_closed(self, seconds=5):
        wait_until(lambda: self.open == 0, seconds, 'the origin has no open connection')

    def sent_settles(self, quiet=1.0, seconds=15):
        """Waits until nothing was taken off us for `quiet` seconds; the bytes taken until then."""
        end, since, last = time.monotonic() + seconds, time.monotonic(), self.sent
        while time.monotonic() < end and time.monotonic() - since < quiet:
            time.sleep(0.05)
            if self.sent != last:
                since, last = time.monotonic(), self.sent
        return last

    def stop(self):
        def end():
            self.server.close()
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.call_soon(self.loop.call_soon, self.loop.stop)
        self.call(end)
        self.thread.join(10)
        self.loop.close()
        assert not self.errors, f'the script of the origin failed: {self.errors}'
