"""Cases for the rules of what generated code calls where types are not known."""

from adjoint.runtime import generic, own_rules

from .case import case
from .domains import Literal, Sequence

GENERIC = [
    case(generic.add, (2, 3), (2, 3)),
    case(generic.add, Sequence((2,), (3,)), Sequence((2,), (3,))),
    case(generic.add_item, Sequence((3,), (3,)), 1, (3,)),
    case(generic.fit, (2, 3), (3,)),
    case(generic.fit_tangent, (3,), (2, 3)),
    case(generic.as_tangent, (3,), (2, 3)),
    case(generic.fit, (3,), (2, 3)),
    case(generic.fit, (3,), (1, 3)),
    case(generic.as_gradient, (3,), (3,)),
    case(generic.copy, (3,)),
    case(generic.as_list, Sequence((2,), (2,))),
    case(generic.as_list, (3, 2)),
    case(generic.fill_up, Sequence((2,), (2,)), Sequence((2,), (2,), (2,))),
    case(generic.heads, Sequence((2,), (2,), (2,)), Sequence((2,), (2,))),
    case(generic.unrepeat, Sequence((2,), (2,), (2,), (2,)), Sequence((2,), (2,))),
    case(generic.repeat_like, Sequence((2,), (2,)), Sequence((2,), (2,), (2,), (2,))),
    case(generic.gather_stored, (4,), Literal([0, 2, 2])),
    case(own_rules.by_rule, (3,), (3,), (3,), Literal(None), Literal("x")),
    case(own_rules.by_rule, (2, 3), (3,), (2, 3), Literal(None), Literal("x")),
    case(own_rules.tangent_by_rule, (3,), (2, 3), Literal(None)),
    case(generic.scatter_last, (3,), (4,), Literal([0, 2, 2])),
]
