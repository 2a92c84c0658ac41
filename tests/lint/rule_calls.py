# SPDX-License-Identifier: BSD-3-Clause
"""Calls that must not stand in the source, everywhere or outside the modules whose work they are."""
from tree import Problem

# Why a call is banned everywhere, tests too.
EVERYWHERE = {
    'overflows its buffer': 'strcpy strcat sprintf vsprintf stpcpy gets'.split(),
    'keeps hidden state': 'strtok setlocale asctime ctime gmtime localtime'.split(),
    'cannot report an error': 'atoi atol atoll atof'.split(),
    'has no bound': 'alloca strdupa strndupa'.split(),
}

HEAP = 'malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf aligned_alloc ' \
       'posix_memalign open_memstream rte_malloc* rte_zmalloc* rte_calloc* rte_realloc* rte_free'.split()
CLOCK = 'time clock_gettime gettimeofday rte_rdtsc* rte_get_*_cycles nanosleep usleep sleep ' \
        'rte_delay_*'.split()
CHANCE = 'rand srand random srandom rand_r drand48 getrandom getentropy rte_rand* RAND_bytes'.split()
SHARED = 'pthread_mutex_* pthread_rwlock_* pthread_spin_* rte_spinlock_* rte_rwlock_* atomic_* ' \
         '__atomic_* __sync_* rte_atomic* rte_smp_*'.split()

# In lib: the calls, what they break, and the modules or files that may, each with its reason.
IN_LIB = [
    (HEAP, 'no heap: memory comes from arenas and pools that are sized at start', {
        'mem': 'the arenas themselves',
        'lang': 'parsing runs on the control core',
        'stream/stream_pair.c': 'the in-memory twin is made off the data path',
        'model': 'compiling a configuration runs on the control core',
        'sock': 'management connections live on the control core',
        'manage': 'the runtime socket lives on the control core',
        'logsink': 'log output runs on the control core',
        'reload': 'publishing a configuration runs on the control core',
    }),
    (CLOCK, 'no clock: now is a parameter', {
        'clock': 'the one reader of the clock',
        'worker': 'cycle accounting and the idle policy',
    }),
    (CHANCE, 'no chance: numbers come from the generator of the core', {
        'rand': 'seeds the generator',
    }),
    (SHARED, 'nothing is shared: cores speak by messages', {
        'ring': 'the queues between cores',
        'snap': 'publishes snapshots',
        'stat': 'counters are read by the control core',
        'log': 'the event ring is read by the control core',
        'worker': 'starts, stops and publishes at quiet points',
    }),
]


def banned_calls(tree):
    """No call that overflows, hides state or hides errors, anywhere."""
    problems = []
    for path, source in tree.sources.items():
        for why, names in EVERYWHERE.items():
            problems += [Problem(path, line, f'{name}(): {why}') for line, name in source.calls(names)]
    return problems


def lib_calls(tree):
    """No heap, clock, chance or shared memory in lib outside the modules whose work it is."""
    problems = []
    for path, source in tree.in_folder('lib').items():
        lib = path.split('/')[1]
        for names, why, allowed in IN_LIB:
            if lib not in allowed and path[len('lib/'):] not in allowed:
                problems += [Problem(path, line, f'{name}(): {why}')
                             for line, name in source.calls(names)]
    return problems
