"""Analyses: each computes one fact about a function in the core and changes nothing."""
