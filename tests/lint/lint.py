#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks the tree against the rules of the house that a program can check.

usage: lint.py [--top FOLDER] [--build FOLDER] [--junitxml FILE] [RULE...]

Each rule is a function of the tree that returns its problems; its first line says what must hold.
Prints "path:line: problem"; exit status 1 if there is one. test_lint.py proves that each fires.
"""
import argparse
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from rule_calls import banned_calls, lib_calls
from rule_form import documented, formatted, include_guards, licence, tested, words
from rule_globals import NoBuild, mutable_globals
from rule_layers import includes, layers
from rule_size import file_length, function_length, lib_meson
from tree import Tree

RULES = [
    layers, includes, lib_meson,
    function_length, file_length,
    banned_calls, lib_calls, mutable_globals,
    licence, include_guards, documented, tested, words, formatted,
]


def run_rule(rule, tree):
    """(verdict, lines to show)"""
    try:
        problems = rule(tree)
    except NoBuild as why:
        return 'skipped', [str(why)]
    return ('failed' if problems else 'passed'), [str(p) for p in problems]


def junit(results, path):
    suite = ET.Element('testsuite', name='lint', tests=str(len(results)))
    for rule, verdict, rows in results:
        case = ET.SubElement(suite, 'testcase', classname='lint', name=rule.__name__)
        if verdict != 'passed':
            kind = 'failure' if verdict == 'failed' else 'skipped'
            ET.SubElement(case, kind, message=rule.__doc__).text = '\n'.join(rows)
    ET.ElementTree(suite).write(path, encoding='utf-8')


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--top', default=Path(__file__).resolve().parents[2])
    parser.add_argument('--build')
    parser.add_argument('--junitxml')
    parser.add_argument('rules', nargs='*')
    args = parser.parse_args()
    tree = Tree(args.top, args.build)
    results = []
    for rule in RULES:
        if args.rules and rule.__name__ not in args.rules:
            continue
        verdict, rows = run_rule(rule, tree)
        results.append((rule, verdict, rows))
        print(f'{verdict:8} {rule.__name__}: {rule.__doc__.split(chr(10) * 2)[0]}')
        for row in rows:
            print(f'    {row}')
    if args.junitxml:
        junit(results, args.junitxml)
    return any(verdict == 'failed' for _, verdict, _ in results)


if __name__ == '__main__':
    sys.exit(main())
