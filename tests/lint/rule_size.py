# SPDX-License-Identifier: BSD-3-Clause
"""Lengths: files, functions, the meson.build of a library. The list of exceptions only shrinks."""
from tree import Problem

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 1000
ESSAY_FROM_LINES = 300
LIB_MESON_LINES_MAX = 14
ALLOW = 'tests/lint/allow-length'


def function_length(tree):
    """No function over 70 lines, but for those in allow-length, at exactly the length they have."""
    problems = []
    allowed = {}
    for number, row in enumerate(tree.read(ALLOW).splitlines() if ALLOW in tree.files else [], 1):
        if row and not row.startswith('#'):
            path, name, lines = row.split()
            allowed[path, name] = (int(lines), number)
    for path, source in tree.sources.items():
        for f in source.functions:
            limit, _ = allowed.pop((path, f.name), (FUNCTION_LINES_MAX, 0))
            if f.length > limit:
                problems.append(Problem(path, f.line, f'{f.name} has {f.length} lines, not over {limit}'))
            elif FUNCTION_LINES_MAX < limit and f.length < limit:
                fix = 'take it out' if f.length <= FUNCTION_LINES_MAX else f'write {f.length}'
                problems.append(Problem(ALLOW, 1, f'{path} {f.name} is shorter than {limit}: {fix}'))
    for (path, name), (_, number) in allowed.items():
        problems.append(Problem(ALLOW, number, f'{path} has no function {name} any more'))
    return problems


def file_length(tree):
    """No source over 1000 lines; C files over 300 lines open with an essay, but for tests."""
    problems = []
    for path in tree.files:
        if not path.endswith(('.c', '.h', '.py', '.build')) and not path.startswith('scripts/'):
            continue
        text = tree.read(path)
        count = text.count('\n')
        if count > FILE_LINES_MAX:
            problems.append(Problem(path, count, f'{count} lines, not over {FILE_LINES_MAX}'))
        if is_ours(path) and count > ESSAY_FROM_LINES and not has_essay(text):
            problems.append(Problem(path, 1, f'over {ESSAY_FROM_LINES} lines: open with a comment that '
                                    'says what comes in, what goes out, what always holds'))
    return problems


def is_ours(path):
    return path.endswith(('.c', '.h')) and not path.startswith('tests/')


def has_essay(text):
    """A comment of at least three lines among the first twelve."""
    head = text.split('\n')[:12]
    for i, row in enumerate(head):
        if row.startswith('/*') and '*/' not in row:
            rest = text.split('\n')[i:]
            return next((n for n, r in enumerate(rest) if '*/' in r), 0) >= 3
    return False


def lib_meson(tree):
    """The meson.build of a library is under 15 lines."""
    return [Problem(f'lib/{lib}/meson.build', 1, f'not over {LIB_MESON_LINES_MAX} lines')
            for lib in tree.libs
            if tree.read(f'lib/{lib}/meson.build').count('\n') > LIB_MESON_LINES_MAX]
