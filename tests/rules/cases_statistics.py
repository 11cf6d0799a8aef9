"""The table of cases, continued: order statistics, moments, means of what is not nan."""

import numpy as np

from .case import case
from .domains import Literal, distinct, increasing, number, ragged, with_nan, within

INTERPOLATE = ["linear", "hazen", "weibull", "interpolated_inverted_cdf", "median_unbiased",
               "normal_unbiased"]  # fmt: skip
SELECT = ["lower", "higher", "nearest", "inverted_cdf", "closest_observation"]
AXES = [None, 0, -1, (0, 1)]

QUANTILES = [
    case(np.median, distinct(3, 4), axis=AXES, keepdims=[False, True]),
    case(np.median, distinct(2, 4, 3), axis=[1, (0, -1), (2, 1)], keepdims=[False, True]),
    *(case(np.median, distinct(n)) for n in (1, 2, 5)),
    *(case(f, distinct(3, 4), number(0.31 * w, 0.59 * w), axis=AXES, keepdims=[False, True])
      for f, w in ((np.quantile, 1), (np.percentile, 100))),
    *(case(f, distinct(2, 4, 3), Literal(q), axis=[None, 1, -2, (0, -1)], keepdims=[False, True])
      for f, q in ((np.quantile, [0.3, 0.75]), (np.percentile, [30.0, 75.0, 100.0]))),
    *(case(f, distinct(5), Literal(q)) for f, w in ((np.quantile, 1), (np.percentile, 100))
      for q in (0, w, 0.4 * w, (0.1 * w, 0.6 * w))),
    *(case(np.quantile, distinct(n), 0.3) for n in (1, 2)),
    case(np.quantile, distinct(3, 4), within(0.35, 0.45, 2), axis=[None, 0, -1]),
    case(np.quantile, distinct(5), number(0.31, 0.39), method=INTERPOLATE),
    case(np.percentile, distinct(3, 5), Literal([1, 38.0, 99]), axis=-1, method=INTERPOLATE[:3]),
    *(case(f, distinct(3, 4), Literal(q), axis=[None, 0, (0, 1)], method="lower",
           keepdims=[False, True])
      for f, w in ((np.quantile, 1), (np.percentile, 100)) for q in (0.3 * w, [0.3 * w, 0.5 * w])),
    case(np.quantile, distinct(3, 4), 0.3, axis=0, method=SELECT),
]  # fmt: skip

NAN_QUANTILES = [
    case(np.nanmedian, with_nan(3, 4), axis=[None, 1, -1, (0, 1)], keepdims=[False, True]),
    case(np.nanmedian, ragged(4, 5), axis=[None, 0, 1], keepdims=[False, True]),
    *(case(f, ragged(4, 5), number(0.31 * w, 0.39 * w), axis=AXES, keepdims=[False, True])
      for f, w in ((np.nanquantile, 1), (np.nanpercentile, 100))),
    *(case(f, ragged(4, 5), Literal([0.3 * w, 0.7 * w]), axis=AXES, keepdims=[False, True])
      for f, w in ((np.nanquantile, 1), (np.nanpercentile, 100))),
    case(np.nanquantile, ragged(4, 5), 0.4, axis=[0], method=INTERPOLATE[:2]),
    *(case(f, ragged(4, 5), Literal(q), axis=[None, 0], method="higher", keepdims=[False, True])
      for f, w in ((np.nanquantile, 1), (np.nanpercentile, 100)) for q in (0.3 * w, [0.3 * w])),
]  # fmt: skip

MOMENTS = [
    *(case(f, ragged(4, 5), axis=AXES, ddof=[0, 1], keepdims=[False, True])
      for f in (np.nanvar, np.nanstd)),
    case(np.cov, (3, 5), bias=[False, True], ddof=[None, 0]),
    *(case(np.cov, shape) for shape in ((5,), (1, 5))),
    case(np.cov, (5, 1), rowvar=[False]),
    case(np.cov, (5, 3), rowvar=[False], bias=[False, True], ddof=[None, 2]),
    case(np.cov, (5,), (5,), bias=[False, True], ddof=[None, 2]),
    case(np.corrcoef, (3, 5)),
    case(np.corrcoef, (5,), (5,)),
]  # fmt: skip

POLYNOMIALS = [
    *(case(np.polyval, (4,), shape) for shape in ((), (3,), (2, 3))),
    case(np.polyval, (1,), (3,)),
    case(np.polyval, (4,), 1.5),
    case(np.vander, (4,), N=[None, 2, 5], increasing=[False, True]),
    *(case(np.polyfit, increasing(6), (6,), deg) for deg in (1, 2)),
]

STATISTICS = [*QUANTILES, *NAN_QUANTILES, *MOMENTS, *POLYNOMIALS]
