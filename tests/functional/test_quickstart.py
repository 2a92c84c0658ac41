# SPDX-License-Identifier: BSD-3-Clause
"""The first command that a new user types."""
import subprocess
from pathlib import Path

import pytest

QUICKSTART = Path(__file__).parents[2] / 'scripts/quickstart'


def interfaces(net):
    return net.run(['ip', '-o', 'link']).stdout.count('\n'), net.run(['ip', 'route']).stdout


@pytest.mark.slow
@pytest.mark.skipif(not QUICKSTART.exists(), reason='scripts/quickstart does not exist')
def test_quickstart_check(net):
    """Twice, because the second run must not stumble over the first; nothing is left behind."""
    before = interfaces(net)
    for _ in range(2):
        run = net.run([QUICKSTART, '--check'], timeout=300, stdin=subprocess.DEVNULL)
        assert run.returncode == 0, run.stdout + run.stderr
        assert interfaces(net) == before
        assert net.pids() == []
