"""The base class of the optimisers: parameter groups, gradients, steps and the state."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import numpy as np

from .. import tree
from .parameter import Parameter, check_parameter

# Settings of PyTorch's optimisers that say how it computes, and not what.
_OF_PYTORCH_ONLY = frozenset(
    ("foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay", "param_names")
)


class Optimizer:
    """What SGD, Adam and the others have in common. Parameters are changed in place.

    params: the arrays to train: a list or an iterator, such as `net.parameters()`; any tree (see
        `adjoint.tree`), such as a Module or a dict of arrays; or a list of parameter groups, dicts
        with "params" and hyperparameters of that group.

    A parameter is a writeable NumPy or CuPy array of floats; an array that occurs twice is updated
    once. `param_groups` is a list of dicts, as in PyTorch; the learning rate may be changed there.

    Raises TypeError for a parameter that is no array of floats, and ValueError for one that is
    read-only or in two groups, for an empty list, and for hyperparameters out of range.
    """

    _update: ClassVar[Callable[..., None]]  # one of those in `functional`
    _slots: ClassVar[Callable[..., dict[str, float]]]
    _counts: ClassVar[bool] = True  # whether the state of a parameter has its number of steps

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self._groups: list[list[Parameter]] = []
        self._parameters: list[Parameter] = []
        self._positions: dict[str, int] = {}  # name of a leaf -> position of its parameter
        self._owners: set[int] = set()  # of the arrays that own the memory of parameters
        self._positional = True  # whether the names say no more than positions
        self._scratch: dict[tuple[type, np.dtype[Any]], tuple[Any, Any]] = {}
        self._accumulated = False
        self._plans: dict[int, tuple[list[Any], dict[str, float], dict[str, Any]]] = {}
        groups = _groups_of(params)
        for number, group in enumerate(groups):
            self._add(group, str(number) if len(groups) > 1 else "")

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Train more arrays: a dict with "params" and, if they differ, hyperparameters."""
        self._add(param_group, str(len(self.param_groups)))

    def _add(self, param_group: dict[str, Any], prefix: str) -> None:
        """`prefix`: what the names of the parameters begin with."""
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError("a parameter group is a dict with the key 'params'")
        unknown = param_group.keys() - self.defaults.keys() - {"params"}
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no hyperparameter {sorted(map(str, unknown))[0]!r}"
            )
        group = {**self.defaults, **param_group}
        self._check_options({k: v for k, v in group.items() if k != "params"})
        known = {id(p.array): i for i, p in enumerate(self._parameters)}
        made: list[Parameter] = []
        positions = {}
        for name, array in _named(param_group["params"]).items():
            name = f"{prefix}.{name}" if prefix and name else prefix or name
            check_parameter(name or "0", array)
            position = known.get(id(array))
            if position is None:
                position = known[id(array)] = len(self._parameters) + len(made)
                made.append(Parameter(name or "0", array))
            elif position < len(self._parameters):
                raise ValueError(f"parameter {name} is in another parameter group already")
            positions[name] = position
        if not made:
            raise ValueError("there are no parameters to train")
        group["params"] = [p.array for p in made]
        self.param_groups.append(group)
        self._groups.append(made)
        self._parameters += made
        for p in made:
            base = getattr(p.array, "base", None)
            self._owners.add(id(p.array if base is None else base))
        self._positions.update(positions)
        self._positional = _is_positional(self._positions)
        for p in made:
            self._lay_out(p)

    def step(self, grads: Any = None) -> None:
        """Update the parameters, in place.

        grads: the gradients: a tree with one leaf for each parameter, of its shape and dtype. The
            leaves have the names of the parameters' leaves, such as a gradient by a dict of
            arrays, or their order, such as a gradient by a Module for `net.parameters()`.
            Without it, the sum of what `accumulate` was given is taken; it stays until
            `zero_grad()`.

        Raises ValueError or TypeError, and changes nothing, if there are no gradients or if they do
        not fit; the message names the parameter.
        """
        if grads is None:
            if not self._accumulated:
                raise ValueError(
                    "there are no gradients: write step(grads), or accumulate(grads) before step()"
                )
            gradients = [p.sum for p in self._parameters]
        else:
            if self._accumulated:
                raise ValueError(
                    "gradients were accumulated: write step() to use them, "
                    "or zero_grad() before step(grads)"
                )
            gradients = self._matched(grads)
        plans = [self._plan(number) for number in range(len(self.param_groups))]
        update = type(self)._update
        position = 0
        for members, (_, fills, arguments) in zip(self._groups, plans):
            for p in members:
                gradient = gradients[position]
                position += 1
                if p.slots.keys() != fills.keys():  # the first step, or other options
                    self._fill_slots(p, fills)
                p.steps += 1
                for rows, part, slots, work in p.blocks:
                    g = gradient if rows is None else gradient[rows]
                    update(part, g, slots, work, p.steps, **arguments)

    def _plan(self, number: int) -> tuple[list[Any], dict[str, float], dict[str, Any]]:
        """(hyperparameters, slots, arguments of `_update`) of a group; checked when they change."""
        group = self.param_groups[number]
        values = [group[k] for k in self.defaults]
        plan = self._plans.get(number)
        if plan is None or plan[0] != values:
            options = dict(zip(self.defaults, values))
            self._check_options(options)
            plan = values, type(self)._slots(**options), self._options(options)
            self._plans[number] = plan
        return plan

    def accumulate(self, grads: Any) -> None:
        """Add gradients to those that `step()` will use. Takes what `step` takes."""
        gradients = self._matched(grads)
        for p, gradient in zip(self._parameters, gradients):
            if p.sum is None:
                p.sum = np.empty_like(p.array)
            if self._accumulated:
                np.add(p.sum, gradient, out=p.sum)
            else:
                np.copyto(p.sum, gradient)
        self._accumulated = True

    def zero_grad(self) -> None:
        """Forget the gradients that were accumulated."""
        self._accumulated = False

    def state_dict(self) -> dict[str, Any]:
        """The state in PyTorch's layout: {"state": {0: {...}}, "param_groups": [{...}]}.

        The arrays are those of the optimiser, no copies: further steps change them. Accumulated
        gradients are not part of it.
        """
        state: dict[int, dict[str, Any]] = {}
        for position, p in enumerate(self._parameters):
            if p.steps and (self._counts or p.slots):
                state[position] = {"step": p.steps} if self._counts else {}
                state[position].update(p.slots)
        groups = []
        first = 0
        for group, members in zip(self.param_groups, self._groups):
            positions = list(range(first, first + len(members)))
            groups.append({**group, "params": positions})
            first += len(members)
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state: hyperparameters, numbers of steps, and copies of the arrays.

        A state of PyTorch's optimiser of the same name may be given, with its tensors as they are.
        Raises ValueError that names what differs, and changes nothing, where it does not fit.
        """
        groups, loaded = self._checked_state(state_dict)
        for own, new in zip(self.param_groups, groups):
            options = {k: new[k] for k in self.defaults}
            params = own["params"]
            own.clear()  # the dict itself may be in someone's hands
            own.update({**options, "params": params, **new})
        for p, (steps, slots) in zip(self._parameters, loaded):
            p.steps = steps
            p.slots = {name: _copy_like(p.array, value) for name, value in slots.items()}
            self._lay_out(p)

    # -- gradients ----------------------------------------------------------------------------

    def _matched(self, grads: Any) -> list[Any]:
        """The gradients in the order of the parameters, checked."""
        parameters = self._parameters
        if grads.__class__ in (list, tuple) and len(grads) == len(parameters):
            gradients = list(grads)
            if any(hasattr(type(g), "__tree_flatten__") for g in gradients):
                gradients = self._by_name(grads)
            elif any(isinstance(g, (dict, list, tuple)) for g in gradients):
                gradients = self._by_name(grads)
        elif self._positional and hasattr(type(grads), "__tree_flatten__"):
            gradients = self._by_order(tree.leaves(grads))
        else:
            gradients = self._by_name(_listed(grads))
        for p, gradient in zip(parameters, gradients):
            if (
                gradient.__class__ is not p.cls
                or gradient.shape != p.shape
                or gradient.dtype != p.dtype
            ):
                p.check(gradient)
        return [self._apart(gradient) for gradient in gradients]

    def _apart(self, gradient: Any) -> Any:
        """A gradient that stays when parameters change: that of `a @ b` by `a` may be b itself."""
        base = getattr(gradient, "base", None)
        if id(gradient if base is None else base) in self._owners:
            return gradient.copy()
        return gradient

    def _by_name(self, grads: Any) -> list[Any]:
        named = tree.named_leaves(grads)
        if named.keys() != self._positions.keys():
            if not (self._positional or _is_positional(named)):
                self._refuse_names(named)
            return self._by_order(list(named.values()))
        gradients: list[Any] = [None] * len(self._parameters)
        for name, position in self._positions.items():
            gradient, before = named[name], gradients[position]
            if before is not None and before is not gradient:
                raise ValueError(
                    f"parameter {self._parameters[position].name} is the parameter {name} as well, "
                    "and has two gradients"
                )
            gradients[position] = gradient
        return gradients

    def _refuse_names(self, named: dict[str, Any]) -> None:
        for name in self._positions:
            if name not in named:
                raise ValueError(f"there is no gradient for parameter {name}")
        for name in named:
            if name not in self._positions:
                raise ValueError(f"there is a gradient for {name}, which is no parameter")

    def _by_order(self, leaves: list[Any]) -> list[Any]:
        """Gradients by position: there are no names, or only on one side."""
        gradients = leaves
        if len(gradients) != len(self._parameters):
            # An array that stands in two places of a Module is one parameter.
            gradients = list({id(g): g for g in gradients}.values())
        if len(gradients) != len(self._parameters):
            raise ValueError(
                f"there are {len(self._parameters)} parameters and {len(leaves)} gradients"
            )
        return gradients

    # -- state --------------------------------------------------------------------------------

    def _fill_slots(self, p: Parameter, fills: dict[str, float]) -> None:
        p.slots = {
            name: p.slots[name] if name in p.slots else np.full_like(p.array, fill)
            for name, fill in fills.items()
        }
        self._lay_out(p)

    def _lay_out(self, p: Parameter) -> None:
        key = type(p.array), p.dtype
        size = p.scratch_size
        if key not in self._scratch or len(self._scratch[key][0]) < size:
            first, second = (np.empty_like(p.array, shape=(size,)) for _ in range(2))
            self._scratch[key] = first, second
        p.lay_out(self._scratch[key])

    def _checked_state(
        self, state_dict: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], list[tuple[int, dict[str, Any]]]]:
        """The groups and, for each parameter, its number of steps and its slots."""
        if not isinstance(state_dict, dict) or {"state", "param_groups"} - state_dict.keys():
            raise ValueError("the state of an optimizer has the keys 'state' and 'param_groups'")
        saved_groups, saved = state_dict["param_groups"], state_dict["state"]
        problems: list[str] = []
        if len(saved_groups) != len(self.param_groups):
            problems.append(
                f"param_groups: {len(saved_groups)} groups, expected {len(self.param_groups)}"
            )
        groups: list[dict[str, Any]] = []
        loaded: list[tuple[int, dict[str, Any]]] = []
        ids: list[Any] = []
        for number, (group, members) in enumerate(zip(saved_groups, self._groups)):
            where = f"param_groups.{number}"
            new, count = self._checked_group(where, group, len(members), problems)
            groups.append(new)
            if count != len(members):
                continue
            fills = type(self)._slots(**{k: new.get(k, v) for k, v in self.defaults.items()})
            for p, key in zip(members, group["params"]):
                ids.append(key)
                loaded.append(self._checked_slots(key, saved.get(key) or {}, p, fills, problems))
        problems += [f"unexpected: state.{key}" for key in saved if key not in ids]
        if problems:
            raise ValueError(
                f"the state does not fit this {type(self).__name__}:\n  " + "\n  ".join(problems)
            )
        return groups, loaded

    def _checked_group(
        self, where: str, group: dict[str, Any], expected: int, problems: list[str]
    ) -> tuple[dict[str, Any], int]:
        new = {k: v for k, v in group.items() if k not in _OF_PYTORCH_ONLY and k != "params"}
        if isinstance(new.get("betas"), list):
            new["betas"] = tuple(new["betas"])
        own = self.defaults.keys()
        problems += [f"missing: {where}.{k}" for k in own if k not in new]
        problems += [f"unexpected: {where}.{k}" for k in new if k not in own | {"initial_lr"}]
        count = len(group.get("params", ()))
        if count != expected:
            problems.append(f"{where}.params: {count} parameters, expected {expected}")
        try:
            self._check_options({k: new[k] for k in own if k in new})
        except (TypeError, ValueError) as error:
            problems.append(f"{where}: {error}")
        return new, count

    def _checked_slots(
        self,
        key: Any,
        saved: dict[str, Any],
        p: Parameter,
        fills: dict[str, float],
        problems: list[str],
    ) -> tuple[int, dict[str, Any]]:
        """PyTorch has None for a slot that is not used, or none yet."""
        slots = {k: v for k, v in saved.items() if k != "step" and v is not None}
        where = f"state.{key} ({p.name})"
        steps = float(saved.get("step", 1 if slots else 0))
        if not (steps >= 0 and steps == int(steps)):
            problems.append(f"{where}.step is {steps}, no number of steps")
        elif self._counts and slots and "step" not in saved:
            problems.append(f"missing: {where}.step")
        if slots or (steps and self._counts):
            problems += [f"missing: {where}.{name}" for name in fills if name not in slots]
        for name, value in slots.items():
            if name not in fills:
                problems.append(f"unexpected: {where}.{name}")
            elif tuple(np.shape(value)) != p.shape:
                problems.append(f"{where}.{name} has shape {np.shape(value)}, expected {p.shape}")
            elif _dtype_name(value) != p.dtype.name:
                dtype = _dtype_name(value)
                problems.append(f"{where}.{name} has dtype {dtype}, expected {p.dtype.name}")
        return int(steps), slots

    # -- hyperparameters ----------------------------------------------------------------------

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        """The arguments of `_update`: numbers of Python, which keep float32 what it is."""
        return {k: _plain(v) for k, v in options.items()}

    def _check_options(self, options: dict[str, Any]) -> None:
        for name, value in options.items():
            _check_option(name, value)

    def __repr__(self) -> str:
        lines = []
        for number, group in enumerate(self.param_groups):
            options = ", ".join(f"{k}={v!r}" for k, v in group.items() if k != "params")
            count = sum(p.array.size for p in self._groups[number])
            lines.append(f"  {count} parameters: {options}\n")
        return f"{type(self).__name__}(\n{''.join(lines)})"


_FLAGS = frozenset(("nesterov", "maximize", "amsgrad", "centered"))


def _check_option(name: str, value: Any) -> None:
    """Raise TypeError or ValueError for a hyperparameter out of its range."""
    if name in _FLAGS:
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{name} must be True or False, got {value!r}")
    elif name == "betas":
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise TypeError(f"betas must be two numbers, got {value!r}")
        for beta in value:
            if not 0 <= _number(name, beta) < 1:
                raise ValueError(f"betas must be at least 0 and less than 1, got {value!r}")
    elif name == "dampening":
        if not math.isfinite(_number(name, value)):
            raise ValueError(f"dampening must be a finite number, got {value!r}")
    elif not 0 <= _number(name, value) < math.inf:
        raise ValueError(f"{name} must be a finite number, at least 0, got {value!r}")


def _number(name: str, value: Any) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise TypeError(f"{name} must be a number, got {value!r}")
    return float(value)


def _plain(value: Any) -> Any:
    if value.__class__ in (float, bool):
        return value
    if isinstance(value, (tuple, list)):
        return tuple(float(v) for v in value)
    return bool(value) if isinstance(value, np.bool_) else float(value)


def _groups_of(params: Any) -> list[dict[str, Any]]:
    params = _listed(params)
    if isinstance(params, (list, tuple)) and params and isinstance(params[0], dict):
        if any(isinstance(group, dict) and "params" in group for group in params):
            return list(params)
    return [{"params": params}]


def _named(params: Any) -> dict[str, Any]:
    """The parameters by name; those of a list by position."""
    params = _listed(params)
    if isinstance(params, list) and params and all(_is_name_and_array(p) for p in params):
        return dict(params)  # of `net.named_parameters()`
    return tree.named_leaves(params)


def _is_name_and_array(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)


def _listed(values: Any) -> Any:
    """Iterators as lists; what is no iterator as it is."""
    return list(values) if isinstance(values, (Iterator, type({}.values()))) else values


def _is_positional(names: Iterable[str]) -> bool:
    """Whether leaves have no names but their positions in lists and tuples."""
    return all(part.isdigit() for name in names if name for part in name.split("."))


def _dtype_name(value: Any) -> str:
    """The dtype of an array, a tensor or a number."""
    dtype = getattr(value, "dtype", None)
    return type(value).__name__ if dtype is None else str(dtype).rpartition(".")[2]


def _copy_like(array: Any, value: Any) -> Any:
    """A copy of `value` as an array of the kind of `array`."""
    copied = np.empty_like(array)
    if isinstance(array, np.ndarray) and not isinstance(value, np.ndarray):
        value = np.asarray(value)
    copied[...] = value
    return copied
