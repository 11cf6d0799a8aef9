"""The compilers that operators share: one for each kind of derivative of a function, kept.

"pushforward"   value and tangent, along every argument that can move
"jvp"           the same along the arguments asked for
"vjp"           a forward and a backward function, by the arguments asked for
"hvp"           the tangent of the gradient, along every argument that can move
"hessian"       the same along the arguments that the gradient is by
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .compile import Compiler
from .differentiable import check_type
from .errors import ArgumentError
from .kept import Kept
from .request import Request
from .runtime.structs import is_struct
from .spec import Numbers, Spec
from .types import Symbols, type_of


def compiler_for(kind: str, fn: Callable[..., Any], spec: Spec | None = None) -> Compiler:
    """The compiler of one kind of derivative; a second call finds what the first has compiled."""
    if not callable(fn):
        raise ArgumentError(f"expected a function to differentiate, got {type(fn).__name__}")
    argnums = 0 if spec is None else spec.argnums
    argnums = argnums if isinstance(argnums, int) else tuple(argnums or ())
    kept = _kept(fn)
    compiler = kept.get((kind, argnums))
    if compiler is None:
        compiler = kept.setdefault((kind, argnums), _made(kind, fn, argnums))
    return compiler


def _none_yet(fn: Any) -> dict[tuple[str, Numbers], Compiler]:
    return {}


_kept = Kept(_none_yet)


def _made(kind: str, fn: Callable[..., Any], argnums: Numbers) -> Compiler:
    spec = Spec(argnums, None, False)
    name_of_function = getattr(fn, "__name__", "the function")

    def by() -> tuple[str, ...]:
        return spec.names(compiler.parameters, name_of_function)

    def request(names: tuple[str, ...]) -> Request:
        if kind == "pushforward":
            return Request("jvp", names)
        if kind in ("jvp", "vjp"):
            return Request(kind, names)
        return Request("grad", by(), spec.is_single(), then=Request("tangent", names))

    def select(bound: dict[str, Any], given: frozenset[str]) -> tuple[str, ...]:
        moving = tuple(n for n, v in bound.items() if n in given and varies(v))
        if kind == "pushforward":
            return moving
        for name in by():
            check_type(type_of(bound[name], Symbols(), promote=True), name)
        return moving if kind == "hvp" else by()

    # Ints beside the floats of a container count as floats, as they do for `grad`.
    compiler = Compiler(fn, request, select, promote=kind in ("hvp", "hessian"), weakly=True)
    return compiler


def varies(value: Any) -> bool:
    """Whether a value can move at all: it is, or holds, a float or a complex number."""
    if isinstance(value, dict):
        return any(map(varies, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(varies, value))
    if is_struct(value.__class__):
        return any(map(varies, value.__tree_flatten__().values()))
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        return getattr(dtype, "kind", "") in ("f", "c")
    return isinstance(value, (float, complex))
