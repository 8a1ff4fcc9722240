"""What this machine computes fastest on, and how to make it compute the same thing twice."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import torch

HALF_CPU = ("avx512_bf16", "amx_bf16", "amx_tile", "bf16", "arm_bf16")
"""Capabilities of a processor that multiplies bfloat16 in hardware."""


@dataclass(frozen=True)
class Machine:
    """Where and in which precision networks run.

    Attributes
    ----------
    device : ``cuda``, ``mps`` or ``cpu``.
    is_half : forward and backward passes in bfloat16, images in channels_last; weights stay float32.
    """

    device: str = "cpu"
    is_half: bool = False

    @property
    def precision(self) -> str:
        """``bfloat16`` or ``float32``."""
        return "bfloat16" if self.is_half else "float32"

    def autocast(self) -> torch.autocast:
        """The context that forward passes run in."""
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.is_half)

    def place(self, tensor: torch.Tensor) -> torch.Tensor:
        """On the device; images (n, c, h, w) in bfloat16 and channels_last when that is faster."""
        if tensor.dim() == 4 and self.is_half:
            return tensor.to(self.device, torch.bfloat16, memory_format=torch.channels_last)
        return tensor.to(self.device, torch.float32 if tensor.is_floating_point() else tensor.dtype).contiguous()

    def place_network(self, network: torch.nn.Module) -> torch.nn.Module:
        """A network on the device, its convolutions laid out like the images."""
        return network.to(self.device, memory_format=torch.channels_last if self.is_half else torch.preserve_format)


@cache
def this_machine(half: bool = False) -> Machine:
    """The fastest this machine offers; ``half`` says whether the network may run in bfloat16."""
    if torch.cuda.is_available():
        return Machine("cuda", half and torch.cuda.is_bf16_supported())
    capabilities = torch.cpu.get_capabilities()
    return Machine("cpu", half and any(capabilities.get(name, False) for name in HALF_CPU))


@contextmanager
def settled(seed: int, threads: int = 0) -> Iterator[None]:
    """Random draws from ``seed``, deterministic kernels, ``threads`` threads (0 = as they are); all put back afterwards."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.utils.deterministic.fill_uninitialized_memory
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False
        if threads:
            torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])
            torch.utils.deterministic.fill_uninitialized_memory = before[2]
