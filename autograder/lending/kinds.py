"""Types and sizes of the data that cross between a student's room and the examiner's."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import torch

Json = Any

DEEPEST = 60
"""Lists in lists."""
MOST_PARTS = 300_000
"""Values in one message."""
MOST_BYTES = 16 << 20
"""Bytes of one array or text."""
MOST_DIGITS = 20_000
MOST_FRACTION_DIGITS = 2_000
MOST_BASES = 20
"""Of one class."""
HEX_FLOAT = re.compile(r"-?(?:0x[01]\.?[0-9a-f]{0,13}p[+-]\d{1,4}|inf)|nan")
HEX_INTEGER = re.compile(rf"-?0x[0-9a-f]{{1,{MOST_DIGITS}}}")
DECIMAL = re.compile(
    rf"-?(?:\d{{1,{MOST_DIGITS}}}(?:\.\d{{0,{MOST_DIGITS}}})?(?:E[+-]?\d{{1,9}})?|Infinity|s?NaN\d{{0,9}})"
)
DTYPE = re.compile(r"[<>|=]?[biufcSUMm]\d{1,4}(?:\[\d{0,4}[a-zA-Z]{1,2}\])?")

DTYPES: dict[str, torch.dtype] = {
    str(kind).removeprefix("torch."): kind
    for kind in (
        *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128),
    )
}
TYPES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, slice, object),
        *(type, type(None), Fraction, Decimal, datetime.date, datetime.time, datetime.datetime, datetime.timedelta),
        *(np.ndarray, np.float64, np.float32, np.int64, np.int32, np.bool_, np.str_, torch.Tensor),
    )
}
"""Types that cross by their names, as what a student's cell has called one by another name."""
