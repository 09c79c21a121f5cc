"""The cells of the flow lab that define its flows, its data and a step of training."""

CELLS = [
    "imports", "imports-live", "build", "build-flows", "chosen", "densities", "entropies", "em", "step",
    "step-adam",
]  # fmt: skip
