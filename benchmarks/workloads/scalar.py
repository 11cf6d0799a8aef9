"""Loops of Python floats, where every nanosecond of overhead shows."""

from benchmarks.peers import jax, jnp
from benchmarks.problem import Problem

# --- A recurrence: Euler's steps of x' = a x - b x**3, which settles at sqrt(a / b) ---


def recurrence(x, a, b, h, steps):
    loss = 0.0
    for _ in range(steps):
        x = x + h * (a * x - b * x * x * x)
        loss += x * x
    return loss / steps


def recurrence_by_hand(x, a, b, h, steps):
    loss = 0.0
    states = [x]
    for _ in range(steps):
        x = x + h * (a * x - b * x * x * x)
        loss += x * x
        states.append(x)
    d_x = d_a = 0.0
    scale = 2 / steps
    after = states.pop()
    for x in reversed(states):
        d_x += scale * after
        d_step = h * d_x
        d_a += d_step * x
        d_x += d_step * (a - 3 * b * x * x)
        after = x
    return loss / steps, (d_x, d_a)


def recurrence_in_jax(x, a, b, h, steps):
    def step(carry, _):
        x, loss = carry
        x = x + h * (a * x - b * x * x * x)
        return (x, loss + x * x), None

    (_, loss), _ = jax.lax.scan(step, (x, jnp.zeros_like(x)), length=steps)
    return loss / steps


RECURRENCE = Problem(
    primal=recurrence,
    by_hand=recurrence_by_hand,
    inputs=lambda rng, steps: (rng.uniform(0.4, 0.6), 1.1, 0.9, 0.01, steps),
    argnums=(0, 1),
    torch=recurrence,
    jax=recurrence_in_jax,
    small={"steps": 20},
)

# --- A branch in the loop: growth below a limit, decay above it, so both sides are taken ---


def harvest(x, a, b, h, limit, steps):
    loss = 0.0
    for _ in range(steps):
        if x < limit:
            x = x + h * a * x
        else:
            x = x - h * b * x * x
        loss += x * x
    return loss / steps


def harvest_by_hand(x, a, b, h, limit, steps):
    loss = 0.0
    states = [x]
    for _ in range(steps):
        if x < limit:
            x = x + h * a * x
        else:
            x = x - h * b * x * x
        loss += x * x
        states.append(x)
    d_x = d_a = 0.0
    scale = 2 / steps
    after = states.pop()
    for x in reversed(states):
        d_x += scale * after
        d_step = h * d_x
        if x < limit:
            d_a += d_step * x
            d_x += d_step * a
        else:
            d_x -= d_step * 2 * b * x
        after = x
    return loss / steps, (d_x, d_a)


def harvest_in_jax(x, a, b, h, limit, steps):
    def step(carry, _):
        x, loss = carry
        x = jnp.where(x < limit, x + h * a * x, x - h * b * x * x)
        return (x, loss + x * x), None

    (_, loss), _ = jax.lax.scan(step, (x, jnp.zeros_like(x)), length=steps)
    return loss / steps


HARVEST = Problem(
    primal=harvest,
    by_hand=harvest_by_hand,
    inputs=lambda rng, steps: (rng.uniform(0.4, 0.6), 1.1, 0.9, 0.05, 1.0, steps),
    argnums=(0, 1),
    torch=harvest,
    jax=harvest_in_jax,
    small={"steps": 40},
)
