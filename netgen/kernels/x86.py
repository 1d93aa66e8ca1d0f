"""The x86-64 processors: their levels, and what gcc is told of them."""

# The microarchitecture levels of the x86-64 psABI, as Linux names their features (SSE3 and LAHF are
# implied by the rest).
X86_V2 = ("cx16", "popcnt", "ssse3", "sse4_1", "sse4_2")
X86_V3 = (*X86_V2, "abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe")
X86_V4 = (*X86_V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")

# gcc would lift products that several branches share out of them, away from their additions, and
# then not fuse the two: the same kernel gave other bits where its pointers are not `restrict`.
FUSED = ("-fno-code-hoisting",)

# Tiles of products of codes: gcc would take the sums that a loop leaves for other variables than
# those that it begins with, and write all of them to memory in every iteration. And it would keep
# inputs that neighbouring windows share, and spill sums for them.
CODE_TILES = ("-fno-tree-coalesce-vars", "-fno-predictive-commoning")

# Sums of codes in 16 registers: gcc would put off additions of depthwise convolutions until sums
# are stored, and spill the products. With 32 registers tiles stay in them without it.
SUMS_IN_16 = ("-fno-tree-ter",)
