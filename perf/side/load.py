# SPDX-License-Identifier: BSD-3-Clause
"""The load generator, run around a proxy, and the build that both are of.

WEIR_BUILD names the kind of that build, as scripts/build knows it (default: release).
"""
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KIND = os.environ.get('WEIR_BUILD', 'release')
BUILD = f'{TOP}/build-{KIND}'
WEIR_PROGRAM = f'{BUILD}/app/weir/weir'

# scenario: mode, connections, unit
SCENARIOS = {
    'http-keepalive': ('http', 100, 'requests'),
    'http-close': ('http', 100, 'requests'),
    'tcp-conn': ('tcp', 100, 'connections'),
    'tcp-stream': ('tcp', 16, 'bytes'),
    'http-1m': ('http', 16, 'bytes'),
    'http-mix': ('http', 2000, 'requests'),
}


def build():
    """Brings weir, the load generator and what they need up to date; what that says is no result."""
    subprocess.run([f'{TOP}/scripts/install-deps', 'build', 'perf'], check=True, stdout=sys.stderr)
    subprocess.run([f'{TOP}/scripts/build', KIND], check=True, stdout=sys.stderr)


def cpus():
    """(of the proxy, of the load)"""
    both = sorted(os.sched_getaffinity(0))
    if len(both) < 2:
        sys.exit('two CPUs are needed, one for the proxy and one for the load')
    return both[-1], both[0]


def load(proxy, scenario, *options, read, prefix=()):
    """Its report, and what read() gave when the measured time began and when it had ended."""
    command = [*prefix, 'taskset', '-c', str(cpus()[1]), *proxy.load_program(f'{BUILD}/perf/load'),
               scenario, '--json', *(str(option) for option in options), *proxy.load_options()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        marks = {}
        for line in process.stderr:
            if line.strip() in ('measuring', 'measured'):
                marks[line.strip()] = read()
        report = process.stdout.read()
    if not report:
        sys.exit(f'{scenario} with {proxy.name}: the load generator failed:\n{proxy.log()}')
    return json.loads(report), marks['measuring'], marks['measured']
