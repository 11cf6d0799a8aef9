"""The programs of the conformance table, a module for each category.

Importing a module adds its rows to `ROWS`.
"""

from . import (  # noqa: F401
    arrays,
    assignment,
    bindings,
    branches,
    classes,
    comprehensions,
    containers,
    conversions,
    derivatives,
    effects,
    exits,
    expressions,
    functions,
    generators,
    loops,
    patterns,
    sources,
)
