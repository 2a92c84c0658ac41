# SPDX-License-Identifier: BSD-3-Clause
"""Just enough of C to lint it: text without comments and strings, and where functions are.

Works on the text as written, before the preprocessor. Positions never move: what is taken out is
replaced by blanks, so an offset in the blanked text is an offset in the file.
"""
import re
from dataclasses import dataclass

TOKEN = re.compile(r'''
    (?P<comment>/\*.*?\*/|//(?:\\\n|[^\n])*)
  | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
''', re.S | re.X)
DIRECTIVE = re.compile(r'^[ \t]*#(?:\\\n|[^\n])*', re.M)
# At the end of what stands before a body: a name and its parameters, perhaps attributes after.
HEADER = re.compile(r'(?P<name>[A-Za-z_]\w*)\s*\((?P<params>[^;{}]*)\)\s*(?:[A-Z_]\w*\s*)*$', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?P<mark>["<])(?P<name>[^">]+)[">]', re.M)
NOT_A_CALL = {'if', 'for', 'while', 'switch', 'return', 'sizeof', '__attribute__', 'typeof'}


def blank(text):
    return re.sub(r'[^\n]', ' ', text)


@dataclass
class Function:
    name: str
    line: int      # of the first word of its declaration
    length: int    # lines, from that word to the closing brace
    inline: bool


@dataclass
class Prototype:
    name: str
    line: int


class CSource:
    """One C file: `text` as it is; `bare` without comments; `code` also without strings and
    preprocessor lines."""

    def __init__(self, text):
        self.text = text
        self.bare = TOKEN.sub(lambda m: blank(m[0]) if m['comment'] else m[0], text)
        no_strings = TOKEN.sub(
            lambda m: '"' + blank(m[0][1:-1]) + '"' if m['string'] else blank(m[0]), text)
        self.code = DIRECTIVE.sub(lambda m: blank(m[0]), no_strings)
        self.macros = no_strings
        self.functions, self.prototypes = [], []
        self._scan()

    def line_of(self, offset):
        return self.text.count('\n', 0, offset) + 1

    def includes(self):
        """[(line, name, is_system)]"""
        return [(self.line_of(m.start('name')), m['name'], m['mark'] == '<')
                for m in INCLUDE.finditer(self.bare)]

    def calls(self, names):
        """[(line, name)] of each name followed by a bracket, macros included; members and words
        that only end in a name do not count. A `*` in a name stands for any letters."""
        words = '|'.join(re.escape(name).replace(r'\*', r'\w*') for name in names)
        pattern = re.compile(rf'(?<![\w.])(?<!->)({words})\s*\(')
        return [(self.line_of(m.start()), m[1]) for m in pattern.finditer(self.macros)]

    def _scan(self):
        """Walks over what stands at file scope: each piece ends in `;` or in a body."""
        depth, start = 0, 0
        body = None  # offset of the piece whose body we are in
        for m in re.finditer(r'[{};]', self.code):
            at, char = m.start(), m[0]
            if char == '{':
                if depth == 0:
                    body = start
                depth += 1
            elif char == '}':
                depth = max(0, depth - 1)
                if depth == 0 and body is not None:
                    if self._function(body, at):
                        start = at + 1
                    body = None
            elif depth == 0:
                self._prototype(start, at)
                start = at + 1

    def _first_word(self, start, end):
        piece = self.code[start:end]
        return start + len(piece) - len(piece.lstrip())

    def _function(self, start, end):
        open_at = self.code.index('{', start)
        head = self.code[start:open_at]
        m = HEADER.search(without_attributes(head))
        if not m or m['name'] in NOT_A_CALL or '=' in head.split('(')[0] or \
                not re.search(r'\w[\s*]+' + m['name'] + r'\s*\(', head):
            return False
        first = self.line_of(self._first_word(start, open_at))
        self.functions.append(Function(m['name'], first, self.line_of(end) - first + 1,
                                       'inline' in head.split()))
        return True

    def _prototype(self, start, end):
        piece = self.code[start:end]
        if '{' in piece or '=' in piece or 'typedef' in piece or '(' not in piece or \
                re.match(r'\s*(_Static_assert|static_assert)\b', piece):
            return
        m = re.search(r'(\w+)\s*\(', without_attributes(piece))
        if m and m[1] not in NOT_A_CALL and not m[1].isupper():
            self.prototypes.append(Prototype(m[1], self.line_of(self._first_word(start, end))))


def without_attributes(piece):
    """Drops __attribute__((...)) and marks in capitals with arguments, such as PRINTF_LIKE(1, 2)."""
    piece = re.sub(r'__attribute__\s*\(\(.*?\)\)', ' ', piece, flags=re.S)
    return re.sub(r'\b[A-Z][A-Z0-9_]+\s*\([^()]*\)', ' ', piece)
