"""The tilings of microcontrollers: few registers, no vectors, and code that must be small.

Their targets name no processor of their compiler (`-mcpu`): the same C serves several, and hosts.
"""

from netgen.kernels.tiling import Tiling

# Four outputs at four pixels stay in the 32 registers of an FPU; code is shared rather than
# unrolled, since flash is scarce.
FEW_REGISTERS = Tiling(
    vector_widths=(4,),
    tiles=((4, 1), (1, 1)),
    depthwise_unroll=2,
)
# Of codes four outputs at two pixels: one product at a time, or two by SMLAD.
PAIRS_OF_CODES = Tiling(pixel_pairs=True)
PAIRS_OF_HALVES = Tiling(pixel_pairs=True, pairs_of_halves=True)
# Helium: 16 products at once; what its kernels do not take is computed in pairs.
DOTS = Tiling(pixel_pairs=True, pairs_of_halves=True, dots=True)
