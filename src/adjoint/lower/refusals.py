"""What statements and targets are called in errors, and what to write instead."""

NAMES = {
    "Try": "`try`",
    "TryStar": "`try`",
    "With": "`with`",
    "ClassDef": "a class inside a function",
    "AsyncFor": "`async for`",
    "AsyncWith": "`async with`",
    "Attribute": "an attribute",
}
ADVICE = {
    "Try": "Move the `try` out of the function that is differentiated.",
    "ClassDef": "Define the class outside.",
}
