"""A redshift, or any other number, from the columns of a table that need not be magnitudes."""

from core.models.networks.model import NetworkModel
from core.models.networks.photometry import Perceptrons
from core.training.network import Network
from core.training.plan import Plan
from core.training.standard import Standard


class TableMLP(NetworkModel):
    """Small networks side by side on plain columns; not in the registry, because a survey's galaxies have magnitudes.

    Its inputs lie where magnitudes do: ``photometry``, float32 (n, ``width``), standardised by whoever read the table.
    """

    modalities = ("photometry",)

    def __init__(self, width: int, epochs: int = 60, members: int = 4, hidden: int = 64):
        super().__init__(Plan(epochs=epochs, batch_size=512, learning_rate=6e-3, weight_decay=0.01))
        self._width, self._members, self._hidden = width, members, hidden

    def _network(self, standard: Standard) -> Network:
        return Perceptrons(standard, self._members, self._hidden, layers=2, width=self._width)
