# SPDX-License-Identifier: BSD-3-Clause
"""Form: licence lines, include guards, comments of public functions, format, words, tests beside."""
import re
import subprocess

from tree import Problem

SPDX = 'SPDX-License-Identifier: BSD-3-Clause'
# Places of one machine, and promises to do it later. Spelt in pieces: this file is linted too.
WORDS = [r'/wo' r'rk/', r'/ro' r'ot/', r'\bTO' r'DO\b', r'\bFIX' r'ME\b', r'\bXX' r'X\b']
TEXT = re.compile(r'(\.(c|h|in|py|sh|md|build|txt|cfg|def|lua|yml)|^(scripts|\.ci)/[^.]*)$')


def licence(tree):
    """Every C, Python and shell file names its licence at the top."""
    return [Problem(path, 1, f'the first lines lack "{SPDX}"') for path in tree.files
            if re.search(r'(\.(c|h|py|sh)|^(scripts|\.ci)/[^.]+)$', path)
            and SPDX not in '\n'.join(tree.read(path).split('\n')[:3])]


def include_guards(tree):
    """The guard of a header is WEIR_ and its name, between them perhaps its folder."""
    problems = []
    for path, source in tree.in_folder('lib', 'drivers', 'app', 'tests', 'perf').items():
        if path.endswith('.h'):
            name = re.sub(r'\W', '_', path.rsplit('/', 1)[1]).upper()
            if not re.search(rf'#ifndef (WEIR_(?:\w+_)?{name})\n#define \1\n', source.bare):
                problems.append(Problem(path, 1, f'the include guard is not WEIR_{name}'))
    return problems


def documented(tree):
    """A comment stands right before each public function, or before the group it belongs to; inline
    functions of up to eight lines may speak for themselves."""
    problems = []
    for lib in tree.libs:
        for path in (f'lib/{lib}/{h}' for h in tree.public_headers(lib)):
            source = tree.sources.get(path)
            if not source:
                problems.append(Problem(f'lib/{lib}/meson.build', 1, f'public header {path} is missing'))
                continue
            rows = source.text.split('\n')
            named = source.prototypes + [f for f in source.functions
                                         if f.length > 8 and not f.name.endswith('_')]
            problems += [Problem(path, f.line, f'{f.name} has no comment before it')
                         for f in named if not comment_before(rows, f.line)]
    return problems


def comment_before(rows, line):
    """Goes up over neighbours without a blank line; a comment must stand at the top of them."""
    at = line - 2
    while at >= 0 and rows[at].strip():
        if rows[at].rstrip().endswith('*/') or rows[at].lstrip().startswith('//'):
            return True
        if rows[at].startswith('}'):
            return False
        at -= 1
    return False


def words(tree):
    """No places of one machine and no promises in the text."""
    pattern = re.compile('|'.join(WORDS))
    problems = []
    for path in tree.files:
        if TEXT.search(path):
            for number, row in enumerate(tree.read(path).split('\n'), 1):
                if m := pattern.search(row):
                    problems.append(Problem(path, number, f"'{m[0]}' does not belong here"))
    return problems


def tested(tree):
    """Every library has a folder of unit tests."""
    return [Problem(f'lib/{lib}', 1, f'has no tests/unit/{lib}/meson.build') for lib in tree.libs
            if f'tests/unit/{lib}/meson.build' not in tree.files]


def formatted(tree):
    """clang-format has nothing to change."""
    problems = []
    paths = list(tree.sources)
    for i in range(0, len(paths), 50):
        run = subprocess.run(['clang-format', '--dry-run', '-Werror', *paths[i:i + 50]],
                             cwd=tree.top, capture_output=True, text=True)
        seen = set()
        for path, line in re.findall(r'^(\S[^:\n]*):(\d+):\d+: error:', run.stderr, re.M):
            if path not in seen:
                seen.add(path)
                problems.append(Problem(path, int(line), 'run clang-format -i on it'))
        if run.returncode and not seen:
            problems.append(Problem('.clang-format', 1, run.stderr.strip()))
    return problems
