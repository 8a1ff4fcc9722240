"""A fit as plain arrays, so that it can stop anywhere and go on as if it had not."""

import hashlib

import numpy as np
import torch

from core.models.prediction import Labels


def pack(network: torch.nn.Module, optimiser: torch.optim.Optimizer, best: dict[str, torch.Tensor], numbers: dict[str, float]) -> dict[str, np.ndarray]:
    """Weights, the best weights so far, the optimiser's moments, torch's random state and ``numbers``, as arrays."""
    state = {f"network/{k}": _array(v) for k, v in network.state_dict().items()}
    state |= {f"best/{k}": _array(v) for k, v in best.items()}
    for i, moments in optimiser.state_dict()["state"].items():
        state |= {f"optimiser/{i}/{k}": _array(v) for k, v in moments.items()}
    state["random/cpu"] = torch.get_rng_state().numpy().copy()
    if torch.cuda.is_available():
        state["random/cuda"] = torch.cuda.get_rng_state().numpy().copy()
    return state | {f"number/{k}": np.array(v, dtype=np.float64) for k, v in numbers.items()}


def unpack(state: dict[str, np.ndarray], network: torch.nn.Module, optimiser: torch.optim.Optimizer) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Put back what `pack` took; returns the best weights and the numbers."""
    network.load_state_dict(tensors(state, "network/"))
    optimiser.load_state_dict({"state": _moments(state), "param_groups": optimiser.state_dict()["param_groups"]})
    for parameter, moments in optimiser.state.items():
        moments |= {name: _like(parameter, tensor) for name, tensor in moments.items() if name != "step"}
    torch.set_rng_state(torch.from_numpy(np.array(state["random/cpu"])))
    if "random/cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(torch.from_numpy(np.array(state["random/cuda"])))
    return tensors(state, "best/"), {k.removeprefix("number/"): float(np.ravel(v)[0]) for k, v in state.items() if k.startswith("number/")}


def tensors(state: dict[str, np.ndarray], prefix: str) -> dict[str, torch.Tensor]:
    """The arrays under a prefix as tensors, the prefix taken off."""
    return {k.removeprefix(prefix): torch.from_numpy(np.array(v)) for k, v in state.items() if k.startswith(prefix)}


def weights(network: torch.nn.Module) -> dict[str, np.ndarray]:
    """A network's weights and buffers as arrays."""
    return {k: _array(v) for k, v in network.state_dict().items()}


def fingerprint(labels: Labels, seed: int, settings: str) -> np.ndarray:
    """What makes two fits the same fit: uint8 (32,). A state with another one belongs to another fit."""
    sha = hashlib.sha256(f"{seed} {settings} {labels.targets}".encode())
    for array in (labels.values_nt, labels.sigma_nt, labels.weight_n, labels.group_n):
        sha.update(np.ascontiguousarray(array).tobytes())
    return np.frombuffer(sha.digest(), dtype=np.uint8).copy()


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().to("cpu", copy=True).contiguous().numpy()


def _like(parameter: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
    """A tensor laid out in memory as its parameter is: the fused optimiser adds up in that order."""
    return torch.empty_like(parameter, requires_grad=False).copy_(tensor)


def _moments(state: dict[str, np.ndarray]) -> dict[int, dict[str, torch.Tensor]]:
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors(state, "optimiser/").items():
        number, name = key.split("/")
        moments.setdefault(int(number), {})[name] = tensor.reshape(()) if name == "step" else tensor
    return moments
