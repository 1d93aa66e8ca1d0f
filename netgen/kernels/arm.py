"""The aarch64 processors: their features, and what gcc is told of them."""

from netgen.kernels.x86 import FUSED

NEON = ("asimd",)
DOT_PRODUCTS = (*NEON, "asimddp")

# Predictive commoning would keep the inputs that neighbouring windows share, and spill them; the
# scheduler before registers are given out would draw loads together, and short loops over k,
# unrolled, would keep all weights of a panel. Registers are renamed, or accumulators are moved from
# one to another and back.
REGISTERS = (
    *FUSED,
    "-fno-predictive-commoning",
    "-fno-schedule-insns",
    "--param=max-completely-peel-times=0",
    "-frename-registers",
)
