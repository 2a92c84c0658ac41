# SPDX-License-Identifier: BSD-3-Clause
"""Proxies side by side: each on one CPU, the load generator on another, in one run."""
