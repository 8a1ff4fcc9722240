"""Which reading stands when several people gave one."""

import numpy as np
import pytest

from core.metrics import AGREE_KMS, SPEED_OF_LIGHT_KMS
from core.store.consensus import agreed

EDGE = 1.1 * np.exp(AGREE_KMS / SPEED_OF_LIGHT_KMS) - 1


@pytest.mark.parametrize(("z", "grades", "place"), [
    ([0.1, 0.1], [4, 3], 0), ([0.1, 0.1], [3, 3], 1), ([0.1, 0.4], [4, 4], None), ([0.1, 0.4], [4, 3], None),
    ([0.1, 0.1, 0.4, 0.4], [4, 4, 4, 4], None), ([0.1, 0.1, 0.4, 0.4], [4, 4, 4, 3], 1), ([0.1, 0.1, 0.4], [3, np.nan, 4], 1),
    ([0.1, EDGE - 1e-6], [4, 4], 1), ([0.1, EDGE + 1e-6], [4, 4], None), ([-0.001, -0.0005], [4, 4], 1),
])  # fmt: skip
def test_agreed_needs_two_people_who_outweigh_the_rest(z, grades, place):
    assert agreed(np.array(z), np.array(grades)) == place


def test_agreed_does_not_depend_on_the_order_of_people_but_for_ties():
    z, grades = np.array([0.1, 0.4, 0.1002, 0.7]), np.array([4, 4, 3, 2])
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        assert z[order][agreed(z[order], grades[order])] == 0.1
