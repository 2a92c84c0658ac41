# SPDX-License-Identifier: BSD-3-Clause
"""The tree as the rules see it: files by folder, C files parsed once, the order of the libraries."""
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from csource import CSource

FOLDERS = ('app', 'lib', 'drivers', 'config', 'scripts', 'tests', 'perf', 'docs', '.ci')
SKIPPED = re.compile(r'^(build.*|\..*|__pycache__)$')


@dataclass(frozen=True)
class Problem:
    path: str
    line: int
    text: str

    def __str__(self):
        return f'{self.path}:{self.line}: {self.text}'


class Tree:
    def __init__(self, top, build=None):
        self.top = Path(top)
        self.build = Path(build) if build else None

    @cached_property
    def files(self):
        """Paths relative to the top, sorted; build folders and hidden ones left out."""
        found = [p for p in self.top.iterdir() if p.is_file()]
        stack = [self.top / f for f in FOLDERS if (self.top / f).is_dir()]
        while stack:
            for path in stack.pop().iterdir():
                if path.is_dir() and not SKIPPED.match(path.name):
                    stack.append(path)
                elif path.is_file():
                    found.append(path)
        return sorted(str(p.relative_to(self.top)) for p in found)

    @cached_property
    def sources(self):
        """{path: CSource} of every C file."""
        return {p: CSource(self.read(p)) for p in self.files if p.endswith(('.c', '.h'))}

    def in_folder(self, *folders):
        return {p: s for p, s in self.sources.items() if p.startswith(tuple(f + '/' for f in folders))}

    def read(self, path):
        return (self.top / path).read_text(encoding='utf-8', errors='replace')

    @cached_property
    def libs(self):
        """Names of the libraries that exist, in the order of lib/meson.build."""
        return [name for name in self.lib_order if f'lib/{name}/meson.build' in self.files]

    @cached_property
    def lib_order(self):
        return self.meson_list('lib/meson.build', 'lib_order') or []

    def meson_list(self, path, name):
        """The strings of `name = [...]` or `name = files(...)` in a meson file; None if not set."""
        if path not in self.files:
            return None
        text = re.sub(r'#[^\n]*', '', self.read(path))
        m = re.search(rf'^\s*{name}\s*=\s*(?:files\s*\(|\[)([^\])]*)[\])]', text, re.M)
        return re.findall(r"'([^']*)'", m[1]) if m else None

    def lib_deps(self, lib):
        return self.meson_list(f'lib/{lib}/meson.build', 'deps') or []

    def lib_closure(self, libs):
        """The libraries themselves and all that they rest on."""
        seen, stack = set(), list(libs)
        while stack:
            lib = stack.pop()
            if lib not in seen:
                seen.add(lib)
                stack += self.lib_deps(lib)
        return seen

    def public_headers(self, lib):
        return self.meson_list(f'lib/{lib}/meson.build', 'headers') or [f'{lib}.h']
