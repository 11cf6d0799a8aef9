"""The few functions that generated code may call."""
