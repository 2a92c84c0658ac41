# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the functional tests; see frame/. Run as root with /usr/bin/python3 -m pytest.

WEIR_BIN names the weir under test (default: build-release/app/weir/weir). --proxy weir|haproxy runs
only the tests against that one. Tests marked `both_proxies` ask real haproxy and weir the same.
"""
import os
import resource
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from frame.client import Client, wrk  # noqa: E402
from frame.net import PROXY, Namespace  # noqa: E402
from frame.origin import Nginx, Origin  # noqa: E402
from frame.proxy import PROXIES, Weir  # noqa: E402


def pytest_addoption(parser):
    parser.addoption('--proxy', choices=sorted(PROXIES), help='only tests against this proxy')


def pytest_configure(config):
    config.addinivalue_line('markers', 'both_proxies: real haproxy and weir must give the same answer')
    config.addinivalue_line('markers', 'slow: left out by scripts/test --quick')
    config.addinivalue_line('markers', 'sanitize: runs against the sanitized build too')
    # Started in the background we would hand an ignored SIGINT down to every proxy.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pytest_generate_tests(metafunc):
    if 'proxy' in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker('both_proxies')
        metafunc.parametrize('proxy', ['haproxy', 'weir'] if both else ['weir'], indirect=True)


def pytest_collection_modifyitems(config, items):
    only = config.getoption('--proxy')
    if not only:
        return
    kept = [i for i in items if getattr(i, 'callspec', None) is None or
            i.callspec.params.get('proxy', only) == only]
    config.hook.pytest_deselected(items=[i for i in items if i not in kept])
    items[:] = kept


@pytest.fixture(scope='session', autouse=True)
def able():
    """Without these nothing here can run."""
    assert os.geteuid() == 0, 'functional tests make network namespaces: run as root'
    assert os.path.exists('/dev/net/tun'), '/dev/net/tun is missing'


@pytest.fixture
def folder():
    """A folder with a short path (UNIX sockets allow 107 bytes)."""
    path = tempfile.mkdtemp(prefix='weir-')
    yield path
    shutil.rmtree(path)


@pytest.fixture
def net():
    namespace = Namespace('near')
    yield namespace
    left = namespace.pids()
    namespace.delete()
    assert not left, f'processes left in the namespace: {left}'


@pytest.fixture
def proxy(request, net, folder):
    """The proxy under test, not started yet."""
    kind = PROXIES[request.param]
    if kind is Weir and not os.path.exists(kind.program):
        pytest.skip(f'{kind.program} does not exist')
    instance = kind(net, folder)
    yield instance
    instance.finish()


@pytest.fixture
def stack(net):
    """What is stopped at the end, last first."""
    things = []
    yield things
    errors = []
    for thing in reversed(things):
        try:
            thing.stop()
        except AssertionError as error:
            errors.append(error)
    assert not errors, errors


@pytest.fixture
def nginx(net, folder, stack, tmp_path_factory):
    def start(name='one', port=8001, files='/nonexistent'):
        stack.append(Nginx(net, folder, name, port, files))
        return stack[-1]
    return start


@pytest.fixture
def origin(net, stack):
    def start(script, port=8001, **kw):
        stack.append(Origin(net, port, script, **kw))
        return stack[-1]
    return start


@pytest.fixture
def client(net):
    """Connects clients; those not closed by the test are closed at the end."""
    clients = []

    def connect(port=80, host=PROXY, **kw):
        clients.append(Client(net.connect(port, host, **kw)))
        return clients[-1]
    yield connect
    for one in clients:
        one.sock.close()


@pytest.fixture
def curl(net):
    """Runs curl; the result has stdout as text."""
    def run(*args, timeout=60):
        return net.run(['curl', '-sS', '--max-time', timeout, *args], timeout=timeout + 10)
    return run


@pytest.fixture
def load(net, folder):
    def run(url, connections, requests, **kw):
        return wrk(net, folder, url, connections, requests, **kw)
    return run


@pytest.fixture
def refused_port():
    """A port of the origins' address on which nobody listens."""
    return 9


@pytest.fixture(scope='session')
def big_file(tmp_path_factory):
    """(path, SHA-256) of 1 GiB that does not compress and does not repeat."""
    import hashlib
    path = Path(tempfile.mkdtemp(prefix='weir-files-')) / 'big'
    digest = hashlib.sha256()
    with open(path, 'wb') as f:
        for _ in range(64):
            block = os.urandom(1 << 24)
            digest.update(block)
            f.write(block)
    os.chmod(path.parent, 0o755)
    yield path, digest.hexdigest()
    shutil.rmtree(path.parent)
