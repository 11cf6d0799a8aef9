"""The math module, on Python numbers."""

import math

from .template import d, named, rule


@rule(math.exp)
def exp(z, x):
    d[z, x] = z


@rule(*named(math, "exp2"))
def exp2(z, x):
    d[z, x] = z * math.log(2)


@rule(math.expm1)
def expm1(z, x):
    d[z, x] = z + 1


@rule(math.log)
def log(z, x):
    d[z, x] = 1 / x


@rule(math.log)
def log_base(z, x, base):
    """log(x) / log(base)."""
    d[z, x] = 1 / (x * math.log(base))
    d[z, base] = -z / (base * math.log(base))


@rule(math.log2)
def log2(z, x):
    d[z, x] = 1 / (x * math.log(2))


@rule(math.log10)
def log10(z, x):
    d[z, x] = 1 / (x * math.log(10))


@rule(math.log1p)
def log1p(z, x):
    d[z, x] = 1 / (x + 1)


@rule(math.sqrt)
def sqrt(z, x):
    """At 0 the derivative is infinite, and Python raises ZeroDivisionError."""
    d[z, x] = 0.5 / z


@rule(*named(math, "cbrt"))
def cbrt(z, x):
    """At 0 the derivative is infinite, and Python raises ZeroDivisionError."""
    d[z, x] = 1 / (3 * z * z)


@rule(math.pow)
def pow_(z, x, y):
    """0 ** 0 has derivative 0 by its base, and 0 ** y has derivative 0 by y."""
    d[z, x] = y * math.pow(x, y - (y != 0))
    d[z, y] = z * math.log(x + (x == 0))


@rule(math.sin)
def sin(z, x):
    d[z, x] = math.cos(x)


@rule(math.cos)
def cos(z, x):
    d[z, x] = -math.sin(x)


@rule(math.tan)
def tan(z, x):
    d[z, x] = 1 + z * z


@rule(math.asin)
def asin(z, x):
    d[z, x] = 1 / math.sqrt(1 - x * x)


@rule(math.acos)
def acos(z, x):
    d[z, x] = -1 / math.sqrt(1 - x * x)


@rule(math.atan)
def atan(z, x):
    d[z, x] = 1 / (1 + x * x)


@rule(math.atan2)
def atan2(z, y, x):
    d[z, y] = x / (x * x + y * y)
    d[z, x] = -y / (x * x + y * y)


@rule(math.sinh)
def sinh(z, x):
    d[z, x] = math.cosh(x)


@rule(math.cosh)
def cosh(z, x):
    d[z, x] = math.sinh(x)


@rule(math.tanh)
def tanh(z, x):
    d[z, x] = 1 - z * z


@rule(math.asinh)
def asinh(z, x):
    d[z, x] = 1 / math.hypot(x, 1)


@rule(math.acosh)
def acosh(z, x):
    d[z, x] = 1 / (math.sqrt(x - 1) * math.sqrt(x + 1))


@rule(math.atanh)
def atanh(z, x):
    d[z, x] = 1 / (1 - x * x)


@rule(math.hypot)
def hypot(z, x, y):
    """0 at the origin, as for a norm."""
    d[z, x] = x / (z + (z == 0))
    d[z, y] = y / (z + (z == 0))


@rule(math.fabs)
def fabs(z, x):
    """0 at 0."""
    d[z, x] = math.copysign(x != 0, x)


@rule(math.copysign)
def copysign(z, x, y):
    """0 at x == 0, as abs."""
    d[z, x] = math.copysign(1, y) * math.copysign(x != 0, x)
    d[z, y] = 0


@rule(math.fmod)
def fmod(z, x, y):
    """z == x - n * y, where the integer n is a step function."""
    d[z, x] = 1
    d[z, y] = -((x - z) / y)


@rule(math.remainder)
def remainder(z, x, y):
    """z == x - n * y, where the integer n is a step function."""
    d[z, x] = 1
    d[z, y] = -((x - z) / y)


@rule(math.ldexp)
def ldexp(z, x, i):
    d[z, x] = math.ldexp(1, i)
    d[z, i] = 0


@rule(math.erf)
def erf(z, x):
    d[z, x] = 2 / math.sqrt(math.pi) * math.exp(-x * x)


@rule(math.erfc)
def erfc(z, x):
    d[z, x] = -2 / math.sqrt(math.pi) * math.exp(-x * x)


@rule(math.degrees)
def degrees(z, x):
    d[z, x] = 180 / math.pi


@rule(math.radians)
def radians(z, x):
    d[z, x] = math.pi / 180
