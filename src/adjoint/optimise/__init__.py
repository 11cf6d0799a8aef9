"""Passes that make a function shorter or faster and leave what it computes as it is."""
