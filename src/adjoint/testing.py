"""Checks of derivatives against finite differences: for users, and for our own rules."""
