"""`match`: a pattern is a test, and names that it captures; types decide most of the tests."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

import gast
import numpy as np

from .. import core
from ..core import Atom, Const
from ..infer import constant
from ..types import Array, Dict, List, Object, Range, Scalar, Struct, Tuple, Unknown, is_sequence
from .expressions import known_length, truth
from .outside import OutsideState

_YES, _NO = constant(True), constant(False)
# Their one positional pattern is for the object itself.
_WHOLE = (bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple)


class Patterns(OutsideState):
    def stmt_Match(self, node: Any) -> None:
        subject = self.expr(node.subject)
        self._first_case(subject, node.cases)

    def _first_case(self, subject: Atom, cases: list[Any]) -> None:
        """The body of the first case that fits."""
        if not cases:
            return
        case, rest = cases[0], cases[1:]
        captures: dict[str, Atom] = {}
        test = self._matches(case.pattern, subject, captures)

        def others() -> None:
            self._first_case(subject, rest)

        def chosen() -> None:
            for name, value in captures.items():
                self.bind(name, value)
            if case.guard is None:
                self.statements(case.body)
            else:
                guard = self.as_test(self.expr(case.guard), case.guard)
                self._decide(guard, lambda: self.statements(case.body), others)

        self._decide(test, chosen, others)

    def _decide(self, test: Atom, then: Any, orelse: Any) -> None:
        known = truth(test)
        if known is None:
            self.if_(self.read(test), then, orelse)
        elif known:
            then()
        else:
            orelse()

    def _both(self, first: Atom, second: Atom) -> Atom:
        if truth(first) is not None:
            return second if truth(first) else _NO
        if truth(second) is True:
            return first
        return self.either(first, lambda: second, lambda: _NO)

    def _matches(self, pattern: Any, subject: Atom, captures: dict[str, Atom]) -> Atom:
        """Whether a pattern fits a value. Nothing is bound here: that is left to the case."""
        self.at(pattern)
        method = getattr(self, f"_is_{type(pattern).__name__}")
        result: Atom = method(pattern, subject, captures)
        return result

    def _is_MatchValue(self, pattern: Any, subject: Atom, captures: dict[str, Atom]) -> Atom:
        value = self.expr(pattern.value)
        if isinstance(value, Const) and isinstance(value.value, str):
            t = subject.type
            if isinstance(t, Struct) and t.cls.__eq__ is not vars(object)["__eq__"]:
                raise self.refuse("this comparison of objects is not supported", pattern)
            if isinstance(t, (Scalar, Tuple, List, Dict)):
                return _NO
        return self.compare(gast.Eq(), subject, value, pattern)

    def _is_MatchSingleton(self, pattern: Any, subject: Atom, captures: dict[str, Atom]) -> Atom:
        return self.compare(gast.Is(), subject, constant(pattern.value), pattern)

    def _is_MatchAs(self, pattern: Any, subject: Atom, captures: dict[str, Atom]) -> Atom:
        test: Atom = _YES
        if pattern.pattern is not None:
            test = self._matches(pattern.pattern, subject, captures)
        if pattern.name is not None:
            captures[pattern.name] = subject
        return test

    def _is_MatchOr(self, pattern: Any, subject: Atom, captures: dict[str, Atom]) -> Atom:
        test: Atom = _NO
        for alternative in pattern.patterns:
            found: dict[str, Atom] = {}
            fits = self._matches(alternative, subject, found)
            if truth(fits) is False:
                continue
            if truth(test) is False:
                captures |= found
                test = fits
            elif found:
                raise self.refuse(
                    "which alternative of this pattern gives the name is not known here", pattern,
                    "Write a case for each alternative.",
                )  # fmt: skip
            else:
                first = test
                test = self.either(first, lambda: _YES, lambda: fits)  # noqa: B023
            if truth(fits) is True:
                break
        return test

    def _is_MatchSequence(self, pattern: Any, subject: Atom, captures: dict[str, Atom]) -> Atom:
        t = subject.type
        if isinstance(t, Array) and t.dims != () and is_sequence(np.ndarray):
            raise self.refuse(
                "an array is taken apart by a pattern", pattern, "Unpack it first: a, b = x."
            )
        if isinstance(t, Struct):
            return self._no_container(subject, pattern)
        if isinstance(t, (Scalar, Array, Dict)) or _holds_text(subject):
            return _NO
        length = known_length(subject)
        known = isinstance(t, (Tuple, List)) or isinstance(subject, Const)
        if isinstance(t, (Unknown, Range)) or not known or length is None:
            raise self.refuse(
                "the number of elements of what is matched is not known here", pattern,
                "Write it with if and len.",
            )  # fmt: skip
        parts = pattern.patterns
        stars = [i for i, p in enumerate(parts) if isinstance(p, gast.MatchStar)]
        if len(parts) - len(stars) > length or (not stars and len(parts) != length):
            return _NO
        items = [self.item(subject, i) for i in range(length)]
        if stars:
            at, after = stars[0], len(parts) - stars[0] - 1
            middle = items[at : length - after]
            if parts[at].name is not None:
                captures[parts[at].name] = self.op(core.LIST, *middle)
            items = items[:at] + items[length - after :]
            parts = parts[:at] + parts[at + 1 :]
        return self._fit_all(parts, items, captures)

    def _fit_all(self, parts: list[Any], items: list[Atom], captures: dict[str, Atom]) -> Atom:
        test: Atom = _YES
        for part, item in zip(parts, items, strict=True):
            test = self._both(test, self._matches(part, item, captures))
            if truth(test) is False:
                break
        return test

    def _no_container(self, subject: Atom, pattern: Any) -> Atom:
        """An object with parts is neither a sequence nor a mapping, unless its class says so."""
        cls = subject.type.cls  # type: ignore[attr-defined]
        if is_sequence(cls) or issubclass(cls, Mapping):
            raise self.refuse(f"this pattern for a {cls.__name__} is not supported", pattern)
        return _NO

    def _is_MatchMapping(self, pattern: Any, subject: Atom, captures: dict[str, Atom]) -> Atom:
        t = subject.type
        if isinstance(t, Struct):
            return self._no_container(subject, pattern)
        if isinstance(t, (Scalar, Array, List, Tuple)) or _holds_text(subject):
            return _NO
        if not isinstance(t, Dict) or t.keys is None:
            raise self.refuse(
                "the keys of what is matched are not known here", pattern, "Write it with if."
            )
        keys = [self.expr(key) for key in pattern.keys]
        if not all(isinstance(k, Const) for k in keys):
            raise self.refuse("this key is not known here", pattern)
        names = [k.value for k in keys]  # type: ignore[union-attr]
        if not all(name in t.keys for name in names):
            return _NO
        test = self._fit_all(pattern.patterns, [self.item(subject, n) for n in names], captures)
        if pattern.rest is not None:
            left = tuple(k for k in t.keys if k not in names)
            values = [self.item(subject, k) for k in left]
            captures[pattern.rest] = self.op(core.DICT, *values, keys=constant(left))
        return test

    def _is_MatchClass(self, pattern: Any, subject: Atom, captures: dict[str, Atom]) -> Atom:
        cls = self.expr(pattern.cls)
        if not isinstance(cls, Const):
            raise self.refuse("which class this is is not known here", pattern)
        question = Const(isinstance, Object(type), "isinstance")
        test = self.call(question, [subject, cls], {}, pattern)
        if truth(test) is False:
            return _NO
        names = list(pattern.kwd_attrs)
        parts = list(pattern.kwd_patterns)
        if pattern.patterns and cls.value in _WHOLE:
            test = self._both(test, self._matches(pattern.patterns[0], subject, captures))
        elif pattern.patterns:
            known = getattr(cls.value, "__match_args__", ())
            names = [*known[: len(pattern.patterns)], *names]
            parts = [*pattern.patterns, *parts]
            if len(names) != len(parts):
                raise self.refuse("this pattern has too many positions", pattern)
        if names and truth(test) is None:
            raise self.refuse("whether this pattern fits is not known here", pattern)
        for name, part in zip(names, parts, strict=True):
            has = self.call(
                Const(builtins.hasattr, Object(type), "hasattr"),
                [subject, constant(name)],
                {},
                pattern,
            )
            test = self._both(test, has)
            if truth(test) is False:
                return _NO
            value = self.attribute(subject, name, pattern)
            test = self._both(test, self._matches(part, value, captures))
        return test


def _holds_text(atom: Atom) -> bool:
    if isinstance(atom, Const):
        return isinstance(atom.value, (str, bytes))
    return isinstance(atom.type, Object) and atom.type.cls in (str, bytes)
