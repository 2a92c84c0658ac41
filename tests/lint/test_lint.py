# SPDX-License-Identifier: BSD-3-Clause
"""Every rule of the lint fires on a small bad sample and is silent on a good one."""
import shutil
import subprocess
from pathlib import Path

import pytest

import lint
from csource import CSource
from rule_globals import NoBuild
from tree import Tree

SPDX = '/* SPDX-License-Identifier: BSD-3-Clause */\n'
HEADER = SPDX + '#ifndef WEIR_{0}_H\n#define WEIR_{0}_H\n\n{1}\n#endif\n'
GOOD = {
    'lib/meson.build': "lib_order = [\n    'low', # the first\n    'high',\n]\n",
    'lib/low/meson.build': "sources = files('low.c')\n",
    'lib/low/low.h': HEADER.format('LOW', '/** Adds one. */\nint low_add(int a);\n'),
    'lib/low/low.c': SPDX + '#include "low.h"\n\nint low_add(int a)\n{\n\treturn a + 1;\n}\n',
    'lib/high/meson.build': "sources = files('high.c')\ndeps = ['low']\n",
    'lib/high/high.h': HEADER.format('HIGH', '#include "low.h"\n'),
    'lib/high/high.c': SPDX + '#include <stdio.h>\n#include "high.h"\n',
    'tests/unit/low/meson.build': '',
    'tests/unit/high/meson.build': '',
}


def function(lines, name='f'):
    return f'int {name}(int a)\n{{\n' + '\ta++;\n' * (lines - 4) + '\treturn a;\n}\n'


# rule, files that make the tree bad, a part of the problem
BAD = [
    ('layers', {'lib/low/meson.build': "deps = ['high']\n"}, "depends on 'high', which is not earlier"),
    ('layers', {'lib/low/meson.build': "deps = ['none']\n"}, 'not in lib_order'),
    ('layers', {'lib/odd/odd.c': SPDX}, 'lib/odd'),
    ('includes', {'lib/low/low.c': SPDX + '#include "high.h"\n'}, "'high' is not among the deps"),
    ('includes', {'lib/high/high.c': SPDX + '#include "low_pvt.h"\n',
                  'lib/low/low_pvt.h': HEADER.format('LOW_PVT', '')}, 'private headers'),
    ('includes', {'lib/high/high.c': SPDX + '#include "low_more.h"\n',
                  'lib/low/low_more.h': HEADER.format('LOW_MORE', '')}, 'not a public header'),
    ('includes', {'lib/low/low.c': SPDX + '#include "sim.h"\n',
                  'drivers/net/sim.h': HEADER.format('SIM', '')}, 'lib knows nothing of drivers'),
    ('includes', {'drivers/net/sim.c': SPDX + '#include "cli.h"\n',
                  'app/weir/cli.h': HEADER.format('CLI', '')}, 'drivers know nothing of app'),
    ('includes', {'lib/high/high.c': SPDX + '#include "../low/low.h"\n'}, 'flat'),
    ('lib_meson', {'lib/low/meson.build': '# row\n' * 15}, 'not over 14'),
    ('function_length', {'lib/low/low.c': function(71)}, 'f has 71 lines'),
    ('function_length', {'lib/low/low.c': function(80), 'tests/lint/allow-length': 'lib/low/low.c f 79\n'},
     'not over 79'),
    ('function_length', {'lib/low/low.c': function(78), 'tests/lint/allow-length': 'lib/low/low.c f 79\n'},
     'write 78'),
    ('function_length', {'lib/low/low.c': function(70), 'tests/lint/allow-length': 'lib/low/low.c f 79\n'},
     'take it out'),
    ('function_length', {'tests/lint/allow-length': '# head\nlib/low/low.c gone 79\n'}, 'allow-length:2'),
    ('file_length', {'lib/low/low.c': '/*\n * in\n * out\n */\n' + '\n' * 997}, '1001 lines'),
    ('file_length', {'lib/low/low.c': SPDX + '/* short */\n' + '\n' * 300}, 'open with a comment'),
    ('banned_calls', {'tests/unit/low/test_low.c': 'void f(void)\n{\n\tsprintf(a, "%d", 1);\n}\n'},
     'test_low.c:3: sprintf()'),
    ('banned_calls', {'lib/low/low.h': '#define COPY(a, b) strcpy(a, b)\n'}, 'strcpy()'),
    ('lib_calls', {'lib/low/low.c': 'int *f(void)\n{\n\treturn malloc(4);\n}\n'}, 'no heap'),
    ('lib_calls', {'lib/low/low.c': 'int *f(void)\n{\n\treturn rte_malloc_socket(4);\n}\n'}, 'no heap'),
    ('lib_calls', {'lib/low/low.c': 'long f(void)\n{\n\treturn time(NULL);\n}\n'}, 'no clock'),
    ('lib_calls', {'lib/low/low.c': 'int f(void)\n{\n\treturn rand();\n}\n'}, 'no chance'),
    ('lib_calls', {'lib/low/low.c': 'int f(void)\n{\n\treturn __atomic_load_n(&a, 0);\n}\n'},
     'nothing is shared'),
    ('licence', {'lib/low/low.c': 'int a;\n'}, 'low.c'),
    ('licence', {'scripts/go': '#!/bin/sh\n'}, 'scripts/go'),
    ('include_guards', {'lib/low/low.h': SPDX + '#ifndef LOW_H\n#define LOW_H\n#endif\n'}, 'WEIR_LOW_H'),
    ('include_guards', {'lib/low/low.h': SPDX + '#pragma once\n'}, 'WEIR_LOW_H'),
    ('documented', {'lib/low/low.h': '/* essay */\n\nint low_add(int a);\n'}, 'low_add has no comment'),
    ('documented', {'lib/low/low.h': 'static inline ' + function(9)}, 'f has no comment'),
    ('documented', {'lib/low/meson.build': "headers = files('gone.h')\n"}, 'gone.h is missing'),
    ('tested', {'lib/meson.build': "lib_order = ['low', 'high', 'bare']\n", 'lib/bare/meson.build': ''},
     'tests/unit/bare'),
    ('words', {'docs/a.md': 'see /wo' 'rk/x\n'}, 'docs/a.md:1'),
    ('words', {'lib/low/low.c': '/* TO' 'DO */\n'}, 'low.c:1'),
    ('formatted', {'lib/low/low.c': 'int  f( void );\n'}, 'low.c:1'),
]


def make_tree(path, files):
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    shutil.copy(Path(__file__).parents[2] / '.clang-format', path)
    return Tree(path)


def rule_named(name):
    return next(rule for rule in lint.RULES if rule.__name__ == name)


@pytest.mark.parametrize('rule', [r for r in lint.RULES if r.__name__ != 'mutable_globals'],
                         ids=lambda r: r.__name__)
def test_good_tree(rule, tmp_path):
    assert rule(make_tree(tmp_path, GOOD)) == []


@pytest.mark.parametrize('name, files, part', BAD, ids=[f'{b[0]}-{i}' for i, b in enumerate(BAD)])
def test_rule_fires(name, files, part, tmp_path):
    problems = rule_named(name)(make_tree(tmp_path, {**GOOD, **files}))
    assert any(part in str(p) for p in problems), problems


def test_every_rule_has_a_bad_sample():
    assert {b[0] for b in BAD} | {'mutable_globals'} == {r.__name__ for r in lint.RULES}


GLOBALS_BAD = ['int a = 1;', 'static int a;', 'int a;', '__thread int a;',
               'static const char *a[] = {"x"};']
GLOBALS_GOOD = ['static const int a = 1;', 'static const char *const a[] = {"x"};',
                'extern int a;']


@pytest.mark.parametrize('text', GLOBALS_BAD + GLOBALS_GOOD)
def test_mutable_globals(text, tmp_path):
    tree = make_tree(tmp_path, {**GOOD, 'lib/low/low.c': f'{text}\nconst void *use(void);\n'
                                'const void *use(void)\n{\n\treturn &a;\n}\n'})
    (tmp_path / 'out/lib').mkdir(parents=True)
    obj = tmp_path / 'low.o'
    subprocess.run(['gcc', '-fPIC', '-c', tmp_path / 'lib/low/low.c', '-o', obj], check=True)
    subprocess.run(['ar', 'rcs', tmp_path / 'out/lib/libweir_low.a', obj], check=True)
    tree.build = tmp_path / 'out'
    assert bool(rule_named('mutable_globals')(tree)) == (text in GLOBALS_BAD)


def test_mutable_globals_without_a_build_is_skipped(tmp_path):
    with pytest.raises(NoBuild):
        rule_named('mutable_globals')(make_tree(tmp_path, GOOD))


def test_exit_status_and_junit(tmp_path):
    make_tree(tmp_path, {**GOOD, 'lib/low/low.c': 'int a;\n'})
    run = subprocess.run(['/usr/bin/python3', '-B', Path(__file__).parent / 'lint.py', '--top', tmp_path,
                          '--junitxml', tmp_path / 'out.xml', 'licence', 'tested'],
                         capture_output=True, text=True)
    assert run.returncode == 1
    assert 'lib/low/low.c:1:' in run.stdout
    xml = (tmp_path / 'out.xml').read_text()
    assert xml.count('<testcase') == 2 and xml.count('<failure') == 1


# What the tokenizer must see through.
TEXT = '''#include "a.h"
#include <b/c.h>
/* int commented(void) { strcpy(a, b); } */
#define LOOP(x) do { use(x); \\
	} while (0)
typedef int (*handler)(int a);
struct ops {
	int (*read)(int fd);
};
static const struct ops ops = {
	.read = NULL,
};
int declared(int a, char *b) __attribute__((format(printf, 1, 2)));
_Noreturn void
two_lines(const char *text, ...) PRINTF_LIKE(1, 2);
static inline bool is_on(void)
{
	return c == '{' || s == "}\\"{"; // }
}
struct list *WR_SLOW_CORE
list_get(struct list *l)
{
	if (l->free(1) || x.malloc(2))
		while (1) {
			switch (1) {
			}
		}
	return my_free(l);
}
int after(int a) CACHE_ALIGNED;
'''


def test_tokenizer():
    source = CSource(TEXT)
    assert [(line, name, system) for line, name, system in source.includes()] == \
        [(1, 'a.h', False), (2, 'b/c.h', True)]
    assert [(f.name, f.line, f.length, f.inline) for f in source.functions] == \
        [('is_on', 16, 4, True), ('list_get', 20, 10, False)]
    assert [(p.name, p.line) for p in source.prototypes] == \
        [('declared', 13), ('two_lines', 14), ('after', 30)]
    assert source.calls(['strcpy', 'free', 'malloc']) == []
    assert source.calls(['my_*', 'use']) == [(4, 'use'), (28, 'my_free')]
