import numpy as np
import pytest

from etapalvelu.room.vision.likeness import usual


@pytest.mark.parametrize("number", [1, 2, 7, 16])
def test_the_usual_is_the_median_of_any_number_of_samples(number: int) -> None:
    samples = np.random.default_rng(number).normal(size=(5, 3, number)).astype(np.float32)

    np.testing.assert_allclose(usual(samples), np.median(samples, axis=-1), rtol=1e-6)
