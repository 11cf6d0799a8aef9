"""The recorded form: what the typed compiler refuses is differentiated as it runs.

The compiler needs to know what is called, what is a view of what, and how control leaves a block.
Where types do not tell, the user's function is rewritten in the smallest way that keeps its
meaning: every numeric operation becomes a call that also notes it, and everything else (branches,
exceptions, generators, context managers, containers, objects) stays as it was and is run by
Python itself. Values are the user's own numbers and arrays; none is wrapped. A number is known by
its identity, an array by the memory that it lies in, so that a store through any view of an array,
or any name for it, is seen.

    rewrite.py      function -> the same function with its operations noted
    operations.py   what the rewritten text calls: operators, elements, attributes
    calls.py        calls: rules, the user's functions and classes, builtins, what is refused
    memory.py       which memory an array lies in, and the same view of other memory
    templates.py    the lines of a rule, carried out on values
    levels.py       the derivatives under way, one inside another
    reverse.py      notes operations, and walks the notes backwards
    forward.py      carries tangents along
    run.py          gradient, vjp and jvp by these
"""
