"""`info`: the table of plausibility."""

import numpy as np
import pytest

from repogen.errors import UserError
from repogen.poses import DISTRIBUTIONS
from repogen.visualization import info


def test_the_table_of_plausibility_has_a_line_for_each_distribution_and_variance(body):
    lines = info(plausibility=1).splitlines()[2:]
    names = [line.split()[0] for line in lines]
    assert names == [name for name in DISTRIBUTIONS for _ in range(5)]
    variances = [float(line.split()[1]) for line in lines]
    assert variances[:5] == [0.33, 0.67, 1.0, 1.5, 2.0]
    for line in lines:
        mean, median, most = (float(cell.rstrip("%")) for cell in line.split()[2:5])
        assert 0 <= mean == median == most <= 100
    beyond = np.array([float(line.split()[5].rstrip("°")) for line in lines]).reshape(-1, 5)
    assert (np.diff(beyond) >= 0).all(), "the same person, every angle stretched"


@pytest.mark.parametrize("arguments", [{"plausibility": -1}, {"dataset": "x", "plausibility": 3}])
def test_plausibility_needs_a_positive_number_and_no_dataset(arguments):
    with pytest.raises(UserError, match="--plausibility"):
        info(**arguments)
