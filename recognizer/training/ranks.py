"""Which of the processes of a training this one is."""

import os

# What numbers a process among all, or a node: Lightning, or whoever starts nodes by hand; torchrun; SLURM's srun.
RANKS = ("LOCAL_RANK", "NODE_RANK", "RANK", "SLURM_PROCID")


def is_first_process() -> bool:
    """Say whether this process speaks, logs and writes for all: it is the first of the first node, or alone."""
    return all(os.environ.get(rank, "0") == "0" for rank in RANKS)
