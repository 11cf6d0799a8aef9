"""np.interp."""

import numpy as np

from .helpers import inline
from .runtime import scatter
from .template import d, rule


@inline
def interval(x, xp):
    """The interval of xp that each x falls in, or lies nearest to."""
    return np.clip(np.searchsorted(xp, x, side="right") - 1, 0, xp.size - 2)


@rule(np.interp)
def interp(z, x, xp, fp):
    """Constant outside xp. At a point of xp the slope is that of the interval to its right."""
    i = interval(x, xp)
    step = xp[i + 1] - xp[i]
    t = np.clip((x - xp[i]) / step, 0, 1)  # how far x has come from xp[i] to xp[i + 1]
    slope = np.where((x < xp[0]) | (x > xp[-1]), 0, (fp[i + 1] - fp[i]) / step)
    d[z] = (
        slope * (d[x] - (1 - t) * d[xp][i] - t * d[xp][i + 1])
        + (1 - t) * d[fp][i]
        + t * d[fp][i + 1]
    )
    d[x] += slope * d[z]
    d[xp] -= scatter((1 - t) * slope * d[z], xp, i) + scatter(t * slope * d[z], xp, i + 1)
    d[fp] += scatter((1 - t) * d[z], fp, i) + scatter(t * d[z], fp, i + 1)
