# SPDX-License-Identifier: BSD-3-Clause
"""What the functional tests are made of: a private network, the proxies, origins, clients."""
