"""Short return series of empyrical's test suite, whose figures that library publishes.

empyrical reads a missing first return as no session when it averages and as a session without a
return when it compounds. Ours knows no missing return: `MIXED` lacks it, `MIXED_FROM_START` has 0
in its place, and each test takes the one that says the same.
"""

import numpy as np

MIXED = np.array([1.0, 10.0, -4.0, 2.0, 3.0, 2.0, 1.0, -10.0]) / 100
MIXED_FROM_START = np.append(0.0, MIXED)
POSITIVE = np.array([1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]) / 100
NEGATIVE = np.array([0.0, -6.0, -7.0, -1.0, -9.0, -2.0, -6.0, -8.0, -5.0]) / 100
NEVER_LOST = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]) / 100
FLAT = np.full(9, 0.01)
ONE = np.array([0.01])
NONE = np.empty(0)
PAIR = np.array([
    [-0.00171614, 0.01322056, 0.03063862, -0.01422057,
     -0.00489779, 0.01268925, -0.03357711, 0.01797036],
    [0.01846232, 0.00793951, -0.01448395, 0.00422537,
     -0.00339611, 0.03756813, 0.0151531, 0.03549769],
])  # fmt: skip
