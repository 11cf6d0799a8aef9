"""Speed, memory and start-up of derivatives by `adjoint`, next to its peers.

Run `python -m benchmarks`; README.md says what is measured and how.
"""
