"""np.random: location and scale of a sample. Imported on first use, as np.random is.

The derivative is that of the number drawn, for the same state of the generator: the standard number
behind it is a constant. Draws that depend on a parameter by steps (binomial, choice, ...) have no
rule, so that an active parameter of theirs is refused.
"""

import numpy as np

from .template import d, rule

_Generator = np.random.Generator


@rule(np.random.normal, np.random.laplace, np.random.logistic, np.random.gumbel)
def located(z, loc=0.0, scale=1.0, size=None):
    """z == loc + scale * standard."""
    d[z, loc] = 1
    d[z, scale] = (z - loc) / scale


@rule(_Generator.normal, _Generator.laplace, _Generator.logistic, _Generator.gumbel)
def located_by(z, self, loc=0.0, scale=1.0, size=None):
    """z == loc + scale * standard."""
    d[z, loc] = 1
    d[z, scale] = (z - loc) / scale


@rule(np.random.uniform)
def uniform(z, low=0.0, high=1.0, size=None):
    """z == low + (high - low) * standard."""
    d[z, low] = (high - z) / (high - low)
    d[z, high] = (z - low) / (high - low)


@rule(_Generator.uniform)
def uniform_by(z, self, low=0.0, high=1.0, size=None):
    """z == low + (high - low) * standard."""
    d[z, low] = (high - z) / (high - low)
    d[z, high] = (z - low) / (high - low)


@rule(np.random.exponential, np.random.rayleigh)
def scaled(z, scale=1.0, size=None):
    """z == scale * standard."""
    d[z, scale] = z / scale


@rule(_Generator.exponential, _Generator.rayleigh)
def scaled_by(z, self, scale=1.0, size=None):
    """z == scale * standard."""
    d[z, scale] = z / scale


@rule(np.random.lognormal)
def lognormal(z, mean=0.0, sigma=1.0, size=None):
    """z == exp(mean + sigma * standard)."""
    d[z, mean] = z
    d[z, sigma] = z * (np.log(z) - mean) / sigma


@rule(_Generator.lognormal)
def lognormal_by(z, self, mean=0.0, sigma=1.0, size=None):
    """z == exp(mean + sigma * standard)."""
    d[z, mean] = z
    d[z, sigma] = z * (np.log(z) - mean) / sigma
