# SPDX-License-Identifier: BSD-3-Clause
"""No mutable variables at file scope in lib: asked of the objects, which cannot be misread."""
import re
import subprocess

from tree import Problem

# A line of `objdump -t`: value, seven flags, section, size, name.
SYMBOL = re.compile(r'^[0-9a-f]+ (.{7}) (\S+)\s+([0-9a-f]+)\s+(?:\.\w+ )?(\S+)$')
MUTABLE = re.compile(r'^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)(?!\.rel\.ro)')
# library: {symbol: why it must be}
ALLOWED = {
    'mem': {'freeze_depth': 'the heap is the thread\'s, and its hooks have no other context'},
}


class NoBuild(Exception):
    """The rule needs a build folder."""


def mutable_globals(tree):
    """The objects of the libraries hold nothing in .data, .bss and their kin."""
    if not tree.build:
        raise NoBuild('needs --build FOLDER')
    problems = []
    for lib in tree.libs:
        archive = tree.build / 'lib' / f'libweir_{lib}.a'
        if not archive.exists():
            continue  # a library of headers only
        for object_name, symbol in mutable_symbols(archive):
            if symbol.split('.')[0] not in ALLOWED.get(lib, {}):
                problems.append(Problem(f'lib/{lib}', 1, f'{symbol} in {object_name} is a mutable '
                                        'variable at file scope: hang it off a context'))
    return problems


def mutable_symbols(archive):
    run = subprocess.run(['objdump', '-t', str(archive)], capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(run.stderr)
    object_name = ''
    for row in run.stdout.split('\n'):
        if m := re.match(r'^(\S+):\s+file format', row):
            object_name = m[1]
        elif (m := SYMBOL.match(row)) and MUTABLE.match(m[2]):
            if m[4].startswith('__odr_asan.'):
                continue  # AddressSanitizer's mark beside each global, constants too
            if 'd' not in m[1] and int(m[3], 16) > 0:  # d: section symbols, debugging
                yield object_name, m[4]
