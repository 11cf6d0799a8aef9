"""A strict stand-in for CuPy that needs no GPU: what it refuses, CuPy refuses or makes slow.

`strict` is used as `np` is, and its arrays are `StrictArray`. They hold their numbers in NumPy
arrays, and keep to the rules of CuPy 14 where these differ from NumPy's:

- no implicit way back to NumPy: `np.asarray(x)` raises, `x.get()` and `strict.asnumpy(x)` work;
- no NumPy array, list or tuple as an operand; `strict.asarray` takes them;
- results of reductions and of full indexing are 0-d arrays, never NumPy scalars, so `s += 1`
  changes `s` in place;
- an array is no index for `range` or for a list (`__index__` is missing);
- functions, methods, ufunc methods and keywords that CuPy lacks are missing here as well;
- `np.sin(x)` and `np.sum(x)` dispatch to `strict` (NEP 13, NEP 18).

It is stricter than CuPy in one thing: a NumPy array as an index raises, where CuPy copies it to
the device.

>>> x = strict.asarray([1.0, 2.0, 3.0])
>>> strict.sum(x * 2)
StrictArray(12., dtype=float64)
>>> x + np.ones(3)
Traceback (most recent call last):
...
TypeError: add: a NumPy array is no operand here; convert it with strict.asarray
"""

from __future__ import annotations

import functools
import inspect
import numbers
import types

import numpy as np

_SCALARS = (bool, int, float, complex, np.generic)

# What CuPy 14.2 does not have, of NumPy 2.4's functions.
MISSING = frozenset(
    """
    block bmat datetime_as_string datetime_data einsum_path errstate frompyfunc geomspace geterr
    histogram_bin_edges insert is_busday isnat matvec nanpercentile nanquantile ndenumerate nditer
    polyder polydiv polyint seterr spacing unstack vecdot vecmat
    linalg.diagonal linalg.matrix_norm linalg.multi_dot linalg.outer linalg.svdvals
    linalg.tensordot linalg.trace linalg.vecdot linalg.vector_norm
    """.split()
)
MISSING_METHODS = frozenset("ctypes getfield resize setfield setflags to_device".split())


def _per_function(*rows):
    return {name: set(keywords.split()) for names, keywords in rows for name in names.split()}


# Keywords that NumPy 2.4 takes and CuPy 14.2 does not, by function (and by method of that name).
REFUSED_KEYWORDS = _per_function(
    ("all any mean nanmean", "where"),
    ("amax amin max min prod sum nanmax nanmin nanprod nansum", "initial where"),
    ("std var nanstd nanvar", "where mean correction"),
    ("array asarray asanyarray empty ones zeros full eye arange linspace", "device like"),
    ("empty_like ones_like zeros_like full_like", "device"),
    ("argpartition partition", "kind order"),
    ("argsort sort", "order stable"),
    ("broadcast_arrays broadcast_to copy", "subok"),
    ("clip", "min max"),
    ("count_nonzero", "keepdims"),
    ("indices", "sparse"),
    ("isin", "kind"),
    ("percentile quantile", "weights"),
    ("reshape", "shape"),
    ("take", "mode"),
    ("trim_zeros", "axis"),
    ("linalg.cholesky", "upper"),
    ("linalg.matrix_rank", "hermitian rtol"),
    ("linalg.pinv", "hermitian rtol"),
    ("linalg.svd", "hermitian"),
    ("fft.fft fft.fft2 fft.fftn fft.hfft fft.ifft fft.ifft2 fft.ifftn", "out"),
    ("fft.ihfft fft.irfft fft.irfft2 fft.irfftn fft.rfft fft.rfft2 fft.rfftn", "out"),
)
METHOD_KEYWORDS = {**REFUSED_KEYWORDS, "clip": set(), "reshape": {"shape"}}
UFUNC_KEYWORDS = {"out", "dtype", "casting"}
UFUNC_METHODS = {
    "at": set("add subtract maximum minimum bitwise_and bitwise_or bitwise_xor".split()),
    "reduce": {"add", "multiply"},
    "accumulate": {"add", "multiply"},
    "reduceat": {"add"},
}

# Functions that take data from the host.
_FROM_HOST = frozenset(
    "array asarray asanyarray ascontiguousarray asfortranarray require append".split()
)
# Functions whose first argument is not an array: a shape, a number, a dtype, a function, a text.
_NO_ARRAY_FIRST = frozenset(
    """
    arange apply_along_axis apply_over_axes bartlett base_repr binary_repr blackman
    broadcast_shapes can_cast common_type diag_indices dtype einsum empty eye finfo
    fft.fftfreq fft.rfftfreq fromfunction full hamming hanning identity iinfo indices
    iscomplexobj isdtype isrealobj isscalar issubdtype kaiser linspace logspace mask_indices
    min_scalar_type ndim ones piecewise printoptions promote_types result_type set_printoptions
    shape size tri tril_indices triu_indices typename zeros
    real imag angle atleast_1d atleast_2d atleast_3d isclose allclose full_like
    """.split()
)
# How many leading arguments are operands; 1 where not named.
_OPERANDS = _per_function(
    ("dot inner outer vdot tensordot kron cross cov convolve correlate", "2"),
    ("searchsorted array_equal array_equiv isin", "2"),
    ("where interp copyto", "3"),
    ("linalg.solve linalg.lstsq linalg.tensorsolve", "2"),
)
# Python bools in NumPy, 0-d arrays in CuPy.
_DEVICE_BOOLS = frozenset(["allclose", "array_equal", "array_equiv"])


def _refuse(what, value):
    kind = "a NumPy array" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
    raise TypeError(f"{what}: {kind} is no operand here; convert it with strict.asarray")


def _has_strict(value):
    if isinstance(value, (list, tuple)):
        return any(map(_has_strict, value))
    return isinstance(value, StrictArray)


class _Call:
    """One call across the border: arguments go to NumPy, results come back.

    An array that comes back and is one of the arguments (`out=`, `asarray`) is that same
    StrictArray again.
    """

    def __init__(self, what, host_data=False):
        self.what = what
        self.host_data = host_data
        self.seen = {}

    def to_numpy(self, value):
        if isinstance(value, StrictArray):
            self.seen[id(value._data)] = value
            return value._data
        if isinstance(value, np.ndarray) and not self.host_data:
            _refuse(self.what, value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self.to_numpy, value))
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.to_numpy, value))
        if isinstance(value, dict):
            return {key: self.to_numpy(item) for key, item in value.items()}
        if isinstance(value, slice):
            return slice(*map(self.to_numpy, (value.start, value.stop, value.step)))
        return value

    def to_strict(self, value):
        if isinstance(value, np.ndarray):
            known = self.seen.get(id(value))
            return StrictArray(value) if known is None else known
        if isinstance(value, np.generic):
            return StrictArray(np.asarray(value))
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self.to_strict, value))
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.to_strict, value))
        return value

    def __call__(self, function, *args, **kwargs):
        args = [self.to_numpy(arg) for arg in args]
        kwargs = {name: self.to_numpy(arg) for name, arg in kwargs.items()}
        return self.to_strict(function(*args, **kwargs))


def _check_keywords(what, kwargs, refused):
    for name in kwargs:
        if name in refused:
            raise TypeError(f"{what}() got an unexpected keyword argument {name!r} (CuPy has none)")


class StrictUfunc:
    """A NumPy ufunc over StrictArrays and scalars, with the methods that CuPy's has."""

    def __init__(self, ufunc):
        self._ufunc = ufunc
        self.__name__ = self.__qualname__ = ufunc.__name__
        self.__doc__ = ufunc.__doc__
        self.nin, self.nout, self.nargs = ufunc.nin, ufunc.nout, ufunc.nargs

    def __repr__(self):
        return f"<strict ufunc {self.__name__!r}>"

    def _check(self, args, kwargs, extra=()):
        for arg in (*args[: self.nin], *extra):
            if not isinstance(arg, (StrictArray, *_SCALARS)):
                _refuse(self.__name__, arg)
        for name in kwargs:
            if name not in UFUNC_KEYWORDS:
                raise TypeError(f"{self.__name__}: wrong argument {name!r} (CuPy has none)")

    def __call__(self, *args, **kwargs):
        self._check(args, kwargs)
        return _Call(self.__name__)(self._ufunc, *args, **kwargs)

    def _method(self, method, array, *args, **kwargs):
        what = f"{self.__name__}.{method}"
        if self.__name__ not in UFUNC_METHODS[method]:
            raise NotImplementedError(f"`{what}` is not supported yet")
        if not isinstance(array, StrictArray):
            _refuse(what, array)
        _check_keywords(what, kwargs, {"initial", "where"})
        return _Call(what)(getattr(self._ufunc, method), array, *args, **kwargs)

    def reduce(self, array, *args, **kwargs):
        return self._method("reduce", array, *args, **kwargs)

    def accumulate(self, array, *args, **kwargs):
        return self._method("accumulate", array, *args, **kwargs)

    def reduceat(self, array, *args, **kwargs):
        return self._method("reduceat", array, *args, **kwargs)

    def at(self, a, indices, b):
        if not isinstance(b, (StrictArray, *_SCALARS)):
            _refuse(f"{self.__name__}.at", b)
        _index(indices)
        self._method("at", a, indices, b)

    def outer(self, a, b, **kwargs):
        self._check((a, b), kwargs)
        return _Call(f"{self.__name__}.outer")(self._ufunc.outer, a, b, **kwargs)


def _wrap_function(function, path):
    """`function` of NumPy, over StrictArrays; `path` is its dotted name below `strict`."""
    refused = REFUSED_KEYWORDS.get(path, set())
    (operands,) = map(int, _OPERANDS.get(path, {"1"}))
    host_data = path in _FROM_HOST
    free_first = host_data or path in _NO_ARRAY_FIRST

    def strict_function(*args, **kwargs):
        _check_keywords(path, kwargs, refused)
        if not free_first:
            for position, arg in enumerate(args[:operands]):
                bare_list = isinstance(arg, (list, tuple)) and not _has_strict(arg)
                if bare_list or (position == 0 and isinstance(arg, _SCALARS)):
                    _refuse(path, arg)
        call = _Call(path, host_data=host_data)
        result = call(function, *args, **kwargs)
        return StrictArray(np.asarray(result)) if path in _DEVICE_BOOLS else result

    strict_function.__name__ = strict_function.__qualname__ = function.__name__
    strict_function.__module__ = ".".join(["strict", *path.split(".")[:-1]])
    strict_function.__doc__ = function.__doc__
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return strict_function
    kept = [p for p in signature.parameters.values() if p.name not in refused]
    if len(kept) == len(signature.parameters):
        strict_function.__signature__ = signature
    return strict_function


class _Methods:
    """The methods of an object (a random generator), with StrictArrays out."""

    def __init__(self, target, name):
        self._target = target
        self._name = name

    def __getattr__(self, name):
        method = getattr(self._target, name)
        return functools.partial(_random_call, method, f"{self._name}.{name}")


def _random_call(function, what, *args, **kwargs):
    result = _Call(what)(function, *args, **kwargs)
    if isinstance(result, (np.random.Generator, np.random.RandomState)):
        return _Methods(result, what)
    return StrictArray(np.asarray(result)) if isinstance(result, _SCALARS) else result


class _Grid:
    """`mgrid`, `ogrid`, `r_`, `c_`."""

    def __init__(self, target, name):
        self._target = target
        self._name = name

    def __getitem__(self, key):
        call = _Call(self._name)
        return call.to_strict(self._target[call.to_numpy(key)])


class StrictModule(types.ModuleType):
    """A NumPy module over StrictArrays; every name is made once, when it is first asked for."""

    def __init__(self, target, path=""):
        super().__init__(f"strict.{path}" if path else "strict", "A strict stand-in for CuPy.")
        self._target = target
        self._path = path

    def __getattr__(self, name):
        path = f"{self._path}.{name}" if self._path else name
        if name.startswith("__") or path in MISSING:
            raise AttributeError(f"module 'strict' has no attribute {path!r}")
        value = self._wrap(getattr(self._target, name), path)
        setattr(self, name, value)
        return value

    def __dir__(self):
        names = (n for n in dir(self._target) if not n.startswith("_"))
        return [n for n in names if hasattr(self, n)]

    def _wrap(self, value, path):
        if value is np.ndarray:
            return StrictArray
        if path in ("linalg", "fft", "random"):
            return StrictModule(value, path)
        if isinstance(value, np.ufunc):
            return StrictUfunc(value)
        if path in ("mgrid", "ogrid", "r_", "c_"):
            return _Grid(value, path)
        if self._path == "random" and callable(value):
            return functools.partial(_random_call, value, path)
        if isinstance(value, type):
            if issubclass(value, (np.generic, np.dtype, np.finfo, np.iinfo, Exception)):
                return value
        elif callable(value):
            return _wrap_function(value, path)
        elif isinstance(value, (float, bool, type(None))) or path in ("s_", "index_exp"):
            return value
        raise AttributeError(f"module 'strict' has no attribute {path!r}")


def _index(index):
    """`index` as it goes to NumPy's indexing, or an error where CuPy refuses or copies."""
    if isinstance(index, tuple):
        return tuple(map(_index, index))
    if isinstance(index, StrictArray):
        if index.dtype.kind not in "biu":
            raise IndexError("arrays used as indices must be of integer or boolean type")
        return index._data
    if isinstance(index, np.ndarray):
        raise TypeError("a NumPy array as an index is copied to the device; use strict.asarray")
    if isinstance(index, slice):
        for part in (index.start, index.stop, index.step):
            if not (part is None or isinstance(part, numbers.Integral)):
                raise TypeError(f"a slice takes Python ints, not {type(part).__name__}")
        return index
    if isinstance(index, list) and not _has_strict(index):
        return np.asarray(index) if index else np.asarray(index, int)
    if index is None or index is Ellipsis or isinstance(index, numbers.Integral | np.bool_):
        return index
    raise IndexError(f"{type(index).__name__} is no index")


class StrictArray:
    """An array of `strict`, on the outside like `cupy.ndarray`."""

    __slots__ = ("__weakref__", "_data")
    __array_priority__ = 100
    __hash__ = None

    def __init__(self, data):
        if type(data) is not np.ndarray:
            raise TypeError("make arrays with strict.asarray, strict.zeros, ...")
        self._data = data

    # Which library this is, and how NumPy's functions find it.

    def __array_namespace__(self, *, api_version=None):
        return strict

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        function = getattr(strict, ufunc.__name__, None)
        if function is None:
            return NotImplemented
        if method != "__call__":
            function = getattr(function, method)
        if "out" in kwargs:
            kwargs["out"] = kwargs["out"][0] if len(kwargs["out"]) == 1 else kwargs["out"]
            if isinstance(kwargs["out"], np.ndarray):
                _refuse(f"{ufunc.__name__}: out", kwargs["out"])
        return function(*inputs, **kwargs)

    def __array_function__(self, func, types, args, kwargs):
        if not all(issubclass(t, (StrictArray, np.ndarray)) for t in types):
            return NotImplemented
        try:
            module = functools.reduce(getattr, func.__module__.split(".")[1:], strict)
            function = getattr(module, func.__name__)
        except AttributeError:
            return NotImplemented
        return function(*args, **kwargs)

    # To the host.

    def get(self):
        return self._data.copy()

    def item(self, *args):
        return self._data.item(*args)

    def tolist(self):
        return self._data.tolist()

    def tobytes(self):
        return self._data.tobytes()

    def set(self, data):
        self._data[...] = data

    def __float__(self):
        return float(self._data.item())

    def __int__(self):
        return int(self._data.item())

    def __complex__(self):
        return complex(self._data.item())

    def __bool__(self):
        return bool(self._data)

    def __len__(self):
        return len(self._data)

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        body = np.array2string(self._data, separator=", ", prefix="StrictArray(")
        return f"StrictArray({body}, dtype={self.dtype})"

    def __str__(self):
        return str(self._data)

    def __format__(self, spec):
        return format(self._data, spec)

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    def __reduce__(self):
        return StrictArray, (self._data,)

    # What it is.

    dtype = property(lambda self: self._data.dtype)
    shape = property(lambda self: self._data.shape)
    ndim = property(lambda self: self._data.ndim)
    size = property(lambda self: self._data.size)
    itemsize = property(lambda self: self._data.itemsize)
    nbytes = property(lambda self: self._data.nbytes)
    strides = property(lambda self: self._data.strides)
    flags = property(lambda self: self._data.flags)
    T = property(lambda self: StrictArray(self._data.T))
    mT = property(lambda self: StrictArray(self._data.mT))

    @property
    def base(self):
        return None if self._data.base is None else StrictArray(self._data.base)

    @property
    def real(self):
        return StrictArray(self._data.real)

    @real.setter
    def real(self, value):
        self._data.real = _Call("real").to_numpy(value)

    @property
    def imag(self):
        return StrictArray(self._data.imag)

    @imag.setter
    def imag(self, value):
        self._data.imag = _Call("imag").to_numpy(value)

    # Indexing.

    def __getitem__(self, index):
        index = _index(index)
        result = self._data[index]
        if isinstance(result, np.generic):  # a 0-d view, not a NumPy scalar
            result = self._data[(*index, ...) if isinstance(index, tuple) else (index, ...)]
        return StrictArray(result)

    def __setitem__(self, index, value):
        if not isinstance(value, (StrictArray, *_SCALARS)):
            _refuse("assignment", value)
        self._data[_index(index)] = _Call("assignment").to_numpy(value)

    # Operators and methods are added below the class.

    def __divmod__(self, other):
        return strict.divmod(self, other)

    def __rdivmod__(self, other):
        return strict.divmod(other, self)


_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "left_shift",
    "rshift": "right_shift",
    "matmul": "matmul",
}
_COMPARISON = {
    "lt": "less",
    "le": "less_equal",
    "eq": "equal",
    "ne": "not_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
_UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


def _binary(name, reflected=False):
    def operator(self, other):
        ufunc = getattr(strict, name)
        return ufunc(other, self) if reflected else ufunc(self, other)

    return operator


def _in_place(name):
    def operator(self, other):
        return getattr(strict, name)(self, other, out=self)

    return operator


def _unary(name):
    return lambda self: getattr(strict, name)(self)


def _method(name):
    refused = METHOD_KEYWORDS.get(name, set())

    def method(self, *args, **kwargs):
        _check_keywords(name, kwargs, refused)
        call = _Call(name)
        return call(getattr(np.ndarray, name), self, *args, **kwargs)

    method.__name__ = name
    return method


def _complete():
    for operator, name in _BINARY.items():
        setattr(StrictArray, f"__{operator}__", _binary(name))
        setattr(StrictArray, f"__r{operator}__", _binary(name, reflected=True))
        if operator != "matmul":  # CuPy has no `@=` of its own
            setattr(StrictArray, f"__i{operator}__", _in_place(name))
    for operator, name in _COMPARISON.items():
        setattr(StrictArray, f"__{operator}__", _binary(name))
    for operator, name in _UNARY.items():
        setattr(StrictArray, f"__{operator}__", _unary(name))
    for name in dir(np.ndarray):
        public = not name.startswith("_") and callable(getattr(np.ndarray, name))
        if public and name not in MISSING_METHODS and not hasattr(StrictArray, name):
            setattr(StrictArray, name, _method(name))


_complete()
strict = StrictModule(np)
strict.asnumpy = lambda x: x.get() if isinstance(x, StrictArray) else np.asarray(x)
