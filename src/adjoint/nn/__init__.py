"""Neural networks on plain arrays."""
