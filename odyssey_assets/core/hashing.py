"""Content hashes: the same data gives the same hash on every machine and in every process.

Used for table slices, training data and vendor responses. Signing of files belongs to
`infrastructure.model_store`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

_NULL_LENGTH = -1


def hash_frame(frame: pd.DataFrame, columns: Sequence[str] | None = None) -> str:
    """Return the SHA-256 (hex) of a frame's values in row order.

    Column names, kinds and every value's bits enter; the index and the memory layout do not.
    Every NaN counts as the same null, and -0.0 as 0.0. Sort the frame first where its order has no
    meaning.
    """
    names = list(frame.columns) if columns is None else list(columns)
    digest = hashlib.sha256(json.dumps([names, len(frame)]).encode())
    for name in names:
        digest.update(_column_bytes(frame[name]))
    return digest.hexdigest()


def hash_mapping(content: Mapping[str, object]) -> str:
    """Return the SHA-256 (hex) of a JSON-like mapping, independent of key order."""
    text = json.dumps(content, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _column_bytes(values: pd.Series) -> bytes:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return b"t" + values.to_numpy(dtype="datetime64[us]").astype("<i8").tobytes()
    if pd.api.types.is_bool_dtype(values.dtype) and not values.hasnans:
        return b"b" + values.to_numpy(dtype=np.uint8).tobytes()
    if isinstance(values.dtype, np.dtype) and values.dtype.kind == "f":
        numbers = values.to_numpy(dtype="<f8", copy=True)
        numbers[np.isnan(numbers)] = np.nan
        return b"f" + (numbers + 0.0).tobytes()
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu":
        return b"i" + values.to_numpy(dtype="<i8").tobytes()
    texts = [None if is_null else str(value).encode() for value, is_null in _items(values)]
    lengths = [_NULL_LENGTH if text is None else len(text) for text in texts]
    return b"s" + np.array(lengths, dtype="<i8").tobytes() + b"".join(filter(None, texts))


def _items(values: pd.Series) -> zip:
    return zip(values.tolist(), values.isna().tolist(), strict=True)
