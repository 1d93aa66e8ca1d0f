"""Operators on constants, as cases."""

from __future__ import annotations

import ml_dtypes
import numpy as np
from onnx.helper import make_sparse_tensor
from onnx.numpy_helper import from_array

from netgen.weights.seeded import uniform
from tests.frontends.code_cases import FOLDED_CODES
from tests.frontends.operator_cases import Cases, folded

END = 2**63 - 1
SOME = np.asarray(1.5 + uniform("some", (6,)), np.float32)
FLOATS = np.array([1.5, -2.5, 0.25, 3.0, -7.0, 9.0], np.float32)
WHOLE = np.array([7, -7, 6, -6, 5, 0], np.int32)
BY = np.array([3, 3, -4, -4, 5, 2], np.int32)
TRUE = np.array([True, False, True, True, False, False])

KINDS = (1, 2, 4, 10, 11, 12, 13)

FOLDED: Cases = {
    **FOLDED_CODES,
    "Abs": [folded("Abs", FLOATS), folded("Abs", WHOLE)],
    **{
        name: [
            folded(name, FLOATS, SOME),
            folded(name, FLOATS, np.ones((2, 1), np.float32), shape=(2, 6)),
            folded(name, WHOLE, BY),
            folded(name, FLOATS, WHOLE, refused="operands of different element types"),
        ]
        for name in ("Add", "Sub", "Mul", "Div")
    },
    "Cast": [
        *(folded("Cast", FLOATS[FLOATS > 0], to=kind, shape=(4,)) for kind in KINDS),
        *(folded("Cast", FLOATS, to=kind) for kind in (3, 5, 6, 7, 9)),
        folded("Cast", np.array([2**40 + 5, -3]), to=6, shape=(2,)),
        folded("Cast", np.array([1.5, -2.0], ml_dtypes.bfloat16), to=1, shape=(2,), first=13),
        folded("Cast", np.array([300.0]), to=3, refused="cast to int8, which does not .*300"),
        folded("Cast", np.array([2.0**63]), to=7, refused="cast to int64, which does not have it"),
        folded("Cast", np.array([np.nan]), to=6, refused="cast to int32, .* found nan"),
        folded("Cast", np.array([-np.inf]), to=13, refused="cast to uint64, .* found -inf"),
        folded("Cast", FLOATS, to=16, refused="does not read, .* type 16"),
        folded("Cast", FLOATS, to=8, refused="an element type that netgen does not read"),
        folded("Cast", FLOATS, to=6, saturate=7, first=19, refused="saturate is no flag"),
        folded("Cast", FLOATS, to=6, saturate=1, first=19),
        folded("Cast", FLOATS, to=6, round_mode="up", first=24),
    ],
    "Ceil": [folded("Ceil", FLOATS)],
    "Concat": [
        folded("Concat", FLOATS, FLOATS, axis=0, shape=(12,)),
        folded("Concat", FLOATS.reshape(2, 3), FLOATS.reshape(2, 3), axis=-1, shape=(2, 6)),
        folded("Concat", FLOATS, WHOLE, axis=0, refused="operands of different element types"),
    ],
    "Constant": [
        folded("Constant", value=from_array(FLOATS)),
        folded("Constant", value=from_array(FLOATS.astype(np.float64))),
        folded("Constant", value_float=1.5, shape=(1,), first=12),
        folded("Constant", value_floats=[1.5, 2.5], shape=(2,), first=12),
        folded("Constant", value_int=3, shape=(1,), first=12),
        folded("Constant", value_ints=[3, -4], shape=(2,), first=12),
        folded("Constant", value_string="1", first=12, refused="of a kind .* found value_string"),
        folded("Constant", value_strings=["1"], first=12, refused="of a kind"),
        folded(
            "Constant",
            sparse_value=make_sparse_tensor(
                from_array(FLOATS[:1]), from_array(np.zeros(1, np.int64)), [6]
            ),
            refused="of a kind",
        ),
    ],
    "ConstantOfShape": [
        folded("ConstantOfShape", [2, 3], shape=(2, 3)),
        folded("ConstantOfShape", [6], value=from_array(np.array([7], np.int64))),
        folded("ConstantOfShape", [6], value=from_array(FLOATS), refused="must be one number"),
        folded("ConstantOfShape", [-1], refused="a constant of an impossible shape"),
        folded("ConstantOfShape", [2**31 - 1], refused="constants become larger than a model"),
        folded("ConstantOfShape", [2**40], refused="constants become larger than a model"),
    ],
    **{
        name: [folded(name, FLOATS, SOME), folded(name, WHOLE, BY)]
        for name in ("Equal", "Greater", "Less")
    },
    **{name: [folded(name, FLOATS, SOME, first=12)] for name in ("GreaterOrEqual", "LessOrEqual")},
    **{name: [folded(name, TRUE, ~TRUE)] for name in ("And", "Or", "Xor")},
    "Not": [folded("Not", TRUE)],
    "IsNaN": [folded("IsNaN", np.array([1.0, np.nan]), shape=(2,))],
    "Exp": [folded("Exp", FLOATS)],
    "Log": [folded("Log", SOME)],
    "Reciprocal": [folded("Reciprocal", FLOATS)],
    **{
        name: [folded(name, FLOATS, SOME, FLOATS / 2), folded(name, WHOLE, first=12)]
        for name in ("Max", "Min")
    },
    "Pow": [folded("Pow", SOME, np.float32(0.5)), folded("Pow", FLOATS, BY, first=12)],
    "Tile": [
        folded("Tile", FLOATS.reshape(2, 3), [2, 1], shape=(4, 3)),
        folded("Tile", FLOATS, [10**9], refused="constants become larger"),
    ],
    **{
        f"Reduce{name}": [
            folded(f"Reduce{name}", FLOATS.reshape(2, 3), keepdims=1, shape=(1, 1)),
            folded(
                *(f"Reduce{name}", FLOATS.reshape(2, 3)),
                axes=[1],
                keepdims=0,
                shape=(2,),
                last=12 if name == "Sum" else 17,
            ),
            folded(
                *(f"Reduce{name}", FLOATS.reshape(2, 3), [0]),
                keepdims=0,
                shape=(3,),
                first=13 if name == "Sum" else 18,
            ),
            folded(
                *(f"Reduce{name}", FLOATS),
                noop_with_empty_axes=1,
                first=13 if name == "Sum" else 18,
            ),
        ]
        for name in ("Max", "Mean", "Min", "Sum")
    },
    "Expand": [
        folded("Expand", FLOATS, [2, 1], shape=(2, 6)),
        folded("Expand", FLOATS.reshape(6, 1), [2, 1, 3], shape=(2, 6, 3)),
        folded("Expand", FLOATS, [10**8, 1], refused="constants become larger"),
    ],
    "Flatten": [
        folded("Flatten", FLOATS.reshape(1, 2, 3), axis=axis, shape=(2, 3) if axis == 2 else (1, 6))
        for axis in (1, 2)
    ],
    "Floor": [folded("Floor", FLOATS)],
    "Gather": [
        folded("Gather", FLOATS.reshape(2, 3), [0, -1, 2], axis=1, shape=(2, 3)),
        folded("Gather", FLOATS, np.array([[0, 5], [-6, 1]]), shape=(2, 2)),
        folded("Gather", FLOATS, [6], shape=(1,), refused="malformed arithmetic"),
        folded("Gather", FLOATS, [0.0], shape=(1,), refused="input 2 must be integers"),
    ],
    "Identity": [folded("Identity", FLOATS)],
    "Mod": [
        *(folded("Mod", WHOLE, BY, fmod=fmod) for fmod in (0, 1)),
        folded("Mod", FLOATS, SOME, fmod=1),
        folded("Mod", FLOATS, SOME, last=27, refused="floats without fmod"),
        folded("Mod", FLOATS, SOME, first=28),
        folded("Mod", FLOATS, np.full(6, -np.inf), first=28, refused="not finite"),
        folded("Mod", WHOLE, BY * 0, refused="divided by zero"),
    ],
    "Neg": [folded("Neg", FLOATS)],
    "Pad": [
        folded("Pad", FLOATS, [1, 2], np.float32(1.5), shape=(9,)),
        folded("Pad", FLOATS, [1, 2], shape=(9,), mode="constant"),
        folded("Pad", FLOATS, [1, 2], mode="edge", refused="by one number only"),
    ],
    "Range": [
        folded("Range", np.array(3), np.array(9), np.array(2), shape=(3,)),
        folded("Range", np.array(9), np.array(2), np.array(-3), shape=(3,)),
        folded("Range", np.float32(0.5), np.float32(2.1), np.float32(0.25), shape=(7,)),
        folded("Range", *(np.float32(v) for v in (1, 4, 1)), shape=(3,), stash_type=1, first=27),
        folded("Range", *(np.float16(v) for v in (1, 4, 1)), first=27, refused="does not read"),
        folded("Range", np.float32(0), np.float32(1), np.float32(1e-12), refused="become larger"),
        folded("Range", np.array(0), np.array(9), np.array(0), refused="never ends"),
        folded("Range", np.float32(0), np.float32("nan"), np.float32(1), refused="never ends"),
    ],
    "ReduceProd": [
        folded("ReduceProd", FLOATS.reshape(2, 3), axes=[-1], keepdims=0, shape=(2,), last=17),
        folded("ReduceProd", FLOATS.reshape(2, 3), keepdims=1, shape=(1, 1)),
        folded("ReduceProd", FLOATS.reshape(2, 3), [0], keepdims=0, shape=(3,), first=18),
        folded("ReduceProd", FLOATS, noop_with_empty_axes=1, first=18),
        folded("ReduceProd", FLOATS, np.zeros(0, np.int64), shape=(1,), first=18),
        folded("ReduceProd", WHOLE[:4], shape=(1,)),
        folded("ReduceProd", np.array([2**20, 2**20], np.int32), refused="too large for int32"),
        folded("ReduceProd", np.array([3e38, 0.0, 3e38]), refused="too large for float32"),
    ],
    "Reshape": [
        folded("Reshape", FLOATS, [2, -1], shape=(2, 3)),
        folded("Reshape", FLOATS, [3, 2], allowzero=1, shape=(3, 2), first=14),
    ],
    "Slice": [
        folded("Slice", FLOATS, [-1], [-END], [0], [-2], shape=(3,)),
        folded("Slice", FLOATS, [1], [END], shape=(5,)),
    ],
    "Sqrt": [folded("Sqrt", np.abs(FLOATS)), folded("Sqrt", FLOATS, refused="not finite")],
    "Squeeze": [
        folded("Squeeze", FLOATS.reshape(1, 6, 1), axes=[-1, 0], last=12),
        folded("Squeeze", FLOATS.reshape(1, 6, 1), [-1, 0], first=13),
        folded("Squeeze", FLOATS.reshape(1, 6, 1)),
    ],
    "Transpose": [
        folded("Transpose", FLOATS.reshape(1, 2, 3), shape=(3, 2, 1)),
        folded("Transpose", FLOATS.reshape(1, 2, 3), perm=[0, 2, 1], shape=(1, 3, 2)),
    ],
    "Unsqueeze": [
        folded("Unsqueeze", FLOATS, axes=[-1, 0], shape=(1, 6, 1), last=12),
        folded("Unsqueeze", FLOATS, [-1, 0], shape=(1, 6, 1), first=13),
    ],
    "Where": [
        folded("Where", TRUE, FLOATS, SOME),
        folded("Where", TRUE, FLOATS, np.ones((2, 1), np.float32), shape=(2, 6)),
        folded("Where", WHOLE, FLOATS, SOME, refused="must be of truth values"),
    ],
}
