"""A long elementwise chain: the value of many call options, and all their sensitivities."""

import numpy as np

from benchmarks.peers import torch
from benchmarks.problem import Problem


def normal_cdf(z):
    """The logistic approximation of Bowling et al. (2009), within 1.4e-4: no erf in NumPy."""
    return 1 / (1 + np.exp(-z * (1.5976 + 0.070566 * z * z)))


def call_values(spot, strike, years, rate, volatility):
    """The sum of the Black-Scholes values."""
    spread = volatility * np.sqrt(years)
    drift = (rate + 0.5 * volatility * volatility) * years
    d1 = (np.log(spot / strike) + drift) / spread
    d2 = d1 - spread
    discounted = strike * np.exp(-rate * years)
    return np.sum(spot * normal_cdf(d1) - discounted * normal_cdf(d2))


def cdf_and_slope(z):
    """normal_cdf and its derivative, p (1 - p) (1.5976 + 3 * 0.070566 z**2)."""
    squared = z * z
    p = 0.070566 * squared
    p += 1.5976
    p *= z
    np.negative(p, out=p)
    np.exp(p, out=p)
    p += 1
    np.reciprocal(p, out=p)

    slope = squared
    slope *= 3 * 0.070566
    slope += 1.5976
    slope *= p
    slope *= 1 - p
    return p, slope


def call_values_by_hand(spot, strike, years, rate, volatility):
    root = np.sqrt(years)
    spread = volatility * root
    growth = volatility * volatility
    growth *= 0.5
    growth += rate
    d1 = spot / strike
    np.log(d1, out=d1)
    d1 += growth * years
    d1 /= spread
    d2 = d1 - spread
    discount = rate * years
    np.negative(discount, out=discount)
    np.exp(discount, out=discount)
    discounted = strike * discount
    p1, slope1 = cdf_and_slope(d1)
    p2, slope2 = cdf_and_slope(d2)
    value = spot @ p1 - discounted @ p2

    # value = sum(spot * p1 - discounted * p2)
    d_d1 = slope1
    d_d1 *= spot
    d_d2 = slope2
    d_d2 *= discounted  # with its sign turned, as are d_discount_rate and d_strike
    # d2 = d1 - spread
    d_d1 -= d_d2
    d_spread = d_d2
    # d1 = (log(spot / strike) + growth * years) / spread
    d_drift = d_d1
    d_drift /= spread
    d1 *= d_drift
    d_spread -= d1
    d_spot = d_drift / spot
    d_spot += p1
    d_strike = d_drift / strike
    discount *= p2
    d_strike += discount
    np.negative(d_strike, out=d_strike)
    # discounted = strike * exp(-rate * years)
    discounted *= p2
    d_exponent = discounted
    # growth * years, growth = rate + 0.5 * volatility**2
    d_years = growth
    d_years *= d_drift
    d_years += d_exponent * rate
    d_drift *= years
    d_volatility = d_drift * volatility
    d_exponent *= years
    d_rate = d_exponent
    d_rate += d_drift
    # spread = volatility * sqrt(years)
    d_volatility += d_spread * root
    d_spread *= volatility
    d_spread *= 0.5
    d_spread /= root
    d_years += d_spread
    return value, (d_spot, d_strike, d_years, d_rate, d_volatility)


def normal_cdf_in_torch(z):
    return torch.sigmoid(z * (1.5976 + 0.070566 * z * z))


def call_values_in_torch(spot, strike, years, rate, volatility):
    spread = volatility * torch.sqrt(years)
    drift = (rate + 0.5 * volatility * volatility) * years
    d1 = (torch.log(spot / strike) + drift) / spread
    d2 = d1 - spread
    discounted = strike * torch.exp(-rate * years)
    return torch.sum(spot * normal_cdf_in_torch(d1) - discounted * normal_cdf_in_torch(d2))


def inputs(rng, count):
    spot = rng.uniform(50, 150, count)
    strike = spot * rng.uniform(0.8, 1.25, count)
    years = rng.uniform(0.1, 2, count)
    rate = rng.uniform(0.01, 0.05, count)
    volatility = rng.uniform(0.1, 0.5, count)
    return spot, strike, years, rate, volatility


CALLS = Problem(
    primal=call_values,
    by_hand=call_values_by_hand,
    inputs=inputs,
    argnums=(0, 1, 2, 3, 4),
    torch=call_values_in_torch,
    small={"count": 5},
)
