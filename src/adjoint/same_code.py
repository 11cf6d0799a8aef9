"""Whether a piece of source is that of a compiled function.

A file may have changed since it was imported. What stands at a function's place is then not what
the function does, and its derivative would be that of another function. So the source that was
found is compiled, and compared.
"""

from __future__ import annotations
import __future__

import ast
import copy
import dis
import types
from typing import Any

from .frames import MANY, room_for

_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag


def is_source_of(node: Any, code: types.CodeType, qualname: str) -> bool:
    """Whether a function's syntax (of `ast`) compiles to `code`.

    >>> f = lambda x: x * 2
    >>> node = ast.parse("lambda x: x * 3", mode="eval").body
    >>> is_source_of(node, f.__code__, "<lambda>")
    False
    """
    if any(name.startswith("@py") for name in (*code.co_names, *code.co_varnames)):
        return True  # pytest has rewritten its asserts
    mangled = _class_around(getattr(code, "co_qualname", qualname))
    # Methods of what a file imports are called in another way, in some versions of Python. What a
    # function reads from outside is mostly imported there, or not at all: in a notebook, say.
    names = [name for name in code.co_names if name.isidentifier()]
    for class_name in (None, mangled) if mangled else (None,):
        made = _compiled(node, code, class_name, names)
        if made is None or _are_same(made, code, quickly=True):
            return True
        made = _compiled(node, code, class_name, [])
        if made is None or _are_same(made, code):
            return True
    return False


def _class_around(qualname: str) -> str | None:
    """The innermost class around a function, whose name is put into its private names."""
    parts = qualname.split(".")
    classes = [a for a, b in zip(parts, parts[1:]) if a[0] != "<" and b != "<locals>"]
    return classes[-1] if classes else None


def _compiled(
    node: Any, like: types.CodeType, class_name: str | None, imported: list[str]
) -> types.CodeType | None:
    """Compile one function alone, with the same free variables; None where that is not possible."""
    body: ast.stmt
    if isinstance(node, ast.Lambda):
        body = ast.copy_location(ast.Expr(node), node)
    else:
        body = copy.copy(node)
        body.decorator_list = []  # type: ignore[attr-defined]
    if class_name is not None:
        inner, body = body, ast.parse(f"class {class_name}: pass").body[0]
        body.body = [inner]  # type: ignore[attr-defined]
    text = f"def outer({', '.join(like.co_freevars)}):"
    if isinstance(body, ast.FunctionDef) and body.name not in like.co_freevars:
        text += f" global {body.name};"  # the name is not one of the function around
    if imported:
        text = f"import {', '.join(imported)}\n{text}"
    outer = ast.parse(text + " pass")
    outer.body[-1].body[-1] = body  # type: ignore[attr-defined]
    try:
        flags = like.co_flags & _FUTURE
        with room_for(MANY):
            module = compile(outer, like.co_filename, "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, RecursionError):
        return None
    around = next(c for c in module.co_consts if isinstance(c, types.CodeType))
    return _last_named(around, like.co_name)


def _last_named(code: types.CodeType, name: str) -> types.CodeType | None:
    """The function of this name that is compiled last: after those in its own defaults."""
    for const in reversed(code.co_consts):
        if isinstance(const, types.CodeType):
            if const.co_name == name:
                return const
            found = _last_named(const, name)
            if found is not None:
                return found
    return None


def _are_same(a: types.CodeType, b: types.CodeType, quickly: bool = False) -> bool:
    if (a.co_names, a.co_varnames) != (b.co_names, b.co_varnames):
        return False
    constants, others = _constants(a), _constants(b)
    if len(constants) != len(others):
        return False
    if not all(_are_same_constants(x, y, quickly) for x, y in zip(constants, others)):
        return False
    return a.co_code == b.co_code or (not quickly and _instructions(a) == _instructions(b))


def _constants(code: types.CodeType) -> list[Any]:
    return [const for const in code.co_consts if not _is_line_of_class(const, code)]


def _are_same_constants(a: Any, b: Any, quickly: bool) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, types.CodeType):
        return _are_same(a, b, quickly)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(_are_same_constants(x, y, quickly) for x, y in zip(a, b))
    if isinstance(a, (float, complex)):
        return repr(a) == repr(b)
    if isinstance(a, str):  # the names of inner functions, without those around them
        return a.rpartition("<locals>.")[2] == b.rpartition("<locals>.")[2]
    return a == b


# How a method is called depends on whether the file imports what it belongs to.
_OF_CALLS = frozenset({"PUSH_NULL", "PRECALL", "CACHE", "EXTENDED_ARG", "NOP", "RESUME"})
_SPELLINGS = {"LOAD_METHOD": "LOAD_ATTR", "CALL_METHOD": "CALL", "CALL_FUNCTION": "CALL"}


def _instructions(code: types.CodeType) -> list[tuple[str, Any]]:
    """The instructions of a function, jumps by the instruction that they lead to."""
    kept = [i for i in dis.get_instructions(code) if i.opname not in _OF_CALLS]
    places = {instruction.offset: n for n, instruction in enumerate(kept)}
    targets: dict[int, int] = {}
    following = len(kept)
    for instruction in reversed(list(dis.get_instructions(code))):
        following = places.get(instruction.offset, following)
        targets[instruction.offset] = following
    found: list[tuple[str, Any]] = []
    for instruction in kept:
        value = instruction.argval
        if _is_line_of_class(value, code):
            value = None
        if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
            value = targets.get(value)
        elif isinstance(value, types.CodeType):
            value = _instructions(value)
        elif isinstance(value, float):
            value = repr(value)
        elif isinstance(value, str):
            value = value.rpartition("<locals>.")[2]  # Python 3.10 makes functions by full names
        found.append((_SPELLINGS.get(instruction.opname, instruction.opname), value))
    return found


def _is_line_of_class(value: Any, code: types.CodeType) -> bool:
    """Whether a constant is the line of a class, which Python 3.13 keeps in it."""
    return (
        type(value) is int and value == code.co_firstlineno and "__firstlineno__" in code.co_names
    )
