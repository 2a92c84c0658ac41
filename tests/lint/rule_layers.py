# SPDX-License-Identifier: BSD-3-Clause
"""Who may know whom: libraries name earlier ones only, and include only what they name."""
from tree import Problem


def layers(tree):
    """A library depends on earlier libraries, and its deps are in lib_order."""
    problems = []
    for lib in tree.libs:
        path = f'lib/{lib}/meson.build'
        for dep in tree.lib_deps(lib):
            if dep not in tree.lib_order:
                problems.append(Problem(path, 1, f"depends on '{dep}', which is not in lib_order"))
            elif tree.lib_order.index(dep) >= tree.lib_order.index(lib):
                problems.append(Problem(path, 1, f"depends on '{dep}', which is not earlier"))
    for lib in sorted({path.split('/')[1] for path in tree.in_folder('lib')}):
        if lib not in tree.libs:
            problems.append(Problem(f'lib/{lib}', 1, 'is not in lib_order, or has no meson.build'))
    return problems


def includes(tree):
    """Each include names a public header of a library that the folder may use, or an own file."""
    owner = {}  # header name: path
    for path in tree.sources:
        if path.endswith('.h') and path.startswith(('lib/', 'drivers/', 'app/')):
            owner.setdefault(path.rsplit('/', 1)[1], path)
    problems = []
    for path, source in tree.sources.items():
        for line, name, system in source.includes():
            if '/' in name and not system:
                problems.append(Problem(path, line, f'"{name}": includes are flat'))
            target = owner.get(name)
            if system or not target or same_folder(path, target):
                continue
            why = forbidden(tree, path, target)
            if why:
                problems.append(Problem(path, line, f'may not include {target}: {why}'))
    return problems


def same_folder(path, target):
    return path.rsplit('/', 1)[0] == target.rsplit('/', 1)[0]


def forbidden(tree, path, target):
    """Why `path` may not include `target`; None if it may."""
    layer, target_parts = path.split('/')[0], target.split('/')
    if target.endswith('_pvt.h'):
        white_box = path.startswith((f'tests/unit/{target_parts[1]}/',
                                     f'tests/fuzz/fuzz_{target_parts[1]}', 'tests/fake/',
                                     'perf/micro/'))
        return None if white_box else 'private headers stay in their folder'
    if layer == 'lib':
        if target_parts[0] != 'lib':
            return f'lib knows nothing of {target_parts[0]}'
        lib, used = path.split('/')[1], target_parts[1]
        if lib not in tree.libs:
            return None  # the rule `layers` says so
        if used not in tree.lib_closure([lib]):
            return f"'{used}' is not among the deps of lib/{lib}/meson.build"
        if target_parts[-1] not in tree.public_headers(used):
            return f'not a public header of {used}'
    if layer == 'drivers' and target_parts[0] == 'app':
        return 'drivers know nothing of app'
    return None
