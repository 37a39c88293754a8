"""Moves that are out of all proportion to what the ticker did before."""

import numpy as np


def anomalous_moves(
    adjusted_close: np.ndarray, anomaly_std: float, min_sessions: int
) -> np.ndarray:
    """Return which closes moved beyond `anomaly_std` standard deviations of the ticker's own past.

    A move is the log return from the close before. It is compared with mean and standard deviation
    (ddof 1) of all moves strictly before it, once there are `min_sessions` of them. Running sums
    keep every flag independent of later rows, to the last bit.

    Args:
        adjusted_close: Adjusted closes of the sessions on which the ticker traded, oldest first.
        anomaly_std: Standard deviations.
        min_sessions: Moves before one can be flagged; at least 2.
    """
    is_anomalous = np.zeros(len(adjusted_close), dtype=bool)
    moves = np.diff(np.log(adjusted_close))
    if len(moves) <= min_sessions:
        return is_anomalous
    count = np.arange(1, len(moves), dtype=np.float64)
    total = np.add.accumulate(moves)[:-1]
    squares = np.add.accumulate(moves * moves)[:-1]
    mean = total / count
    variance = np.maximum(squares - count * mean * mean, 0.0) / np.maximum(count - 1.0, 1.0)
    is_far = np.abs(moves[1:] - mean) > anomaly_std * np.sqrt(variance)
    is_anomalous[2:] = is_far & (count >= min_sessions)
    return is_anomalous
