"""Integer least squares on problems three independent programs agree on (RTKLIB's t_lambda, LAMBDA 3.0 examples)."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rtk.baseline import integers
from tests.real.conftest import data_path


@pytest.mark.parametrize("name", ["rtklib_1", "rtklib_2", "lambda3_small", "lambda3_sixdim", "lambda3_large"])
def test_published_problem(name: str) -> None:
    case = json.loads(data_path("algorithms", "ambiguity", "lambda_cases.json").read_text())[name]
    a, covariance = np.array(case["a"]), np.array(case["Q"])
    got = integers.decorrelate(a, covariance)
    found = integers.nearest_two(got)
    np.testing.assert_array_equal(np.rint(found.z @ got.from_z + got.base), case["candidates"])
    np.testing.assert_allclose(found.norms, case["sqnorm"], rtol=1e-6, atol=1e-5)
    assert integers.success_rate(got) == pytest.approx(case["bootstrap_success"], rel=5e-3)
    assert integers.adop(covariance) == pytest.approx(case["adop"], rel=1e-3)
