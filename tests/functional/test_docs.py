# SPDX-License-Identifier: BSD-3-Clause
"""The documentation names every keyword, and no other."""
import re
import subprocess
from pathlib import Path

from frame.proxy import Weir

DOCS = Path(__file__).resolve().parents[2] / 'docs' / 'configuration' / 'keywords.md'


def listed():
    """Keyword -> (sections, ignored) as `weir -dK` tells."""
    out = subprocess.run([Weir.program, '-dK'], check=True, capture_output=True, text=True).stdout
    words = {}
    for line in out.splitlines():
        sections, rest = line.split(None, 1)
        match = re.match(r'((?:option|timeout|stats) \S+|\S+)', rest)
        old = words.get(match[1], ('', False))
        words[match[1]] = (''.join(sorted(set(old[0] + sections))), '(ignored: ' in rest)
    return words


def test_every_keyword_has_its_line():
    text = DOCS.read_text()
    rows = {word: ''.join(sorted(m[2].replace(' ', '')))
            for m in re.finditer(r'^\| (`[^|]+`) \| ([A-Z ]+) \|', text, re.M)
            for word in re.findall(r'`([^`]+)`', m[1])}
    ignored = set(re.findall(r'`([^`]+)`', text.split('## Accepted without effect')[1]))
    words = listed()
    assert rows == {word: sections for word, (sections, skip) in words.items() if not skip}
    assert {word for word, (_, skip) in words.items() if skip} <= ignored
