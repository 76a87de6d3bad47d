"""Series, data frames and indices of pandas as data. Only where pandas is imported already; nothing else needs it."""

from __future__ import annotations

import re
import sys
from typing import Any

from autograder.lending.errors import Malformed, NotData
from autograder.lending.kinds import Json

_NULLABLE = re.compile(r"str|string|boolean|U?Int(?:8|16|32|64)|Float(?:32|64)")
"""Extension types whose values are told one by one, as Python has them."""


def encode(coder: Any, value: Any) -> Json:
    """The form of an object of pandas; None if it is none of pandas' own types."""
    pandas = sys.modules["pandas"]
    kind = type(value)
    if kind is pandas.Series:
        return ["Series", _column(coder, value), coder.encode(value.index), coder.encode(value.name)]
    if kind is pandas.DataFrame:
        columns = [_column(coder, value.iloc[:, at]) for at in range(value.shape[1])]
        return ["DataFrame", coder.encode(value.columns), coder.encode(value.index), *columns]
    if kind is pandas.RangeIndex:
        return ["Index", "range", value.start, value.stop, value.step, coder.encode(value.name)]
    if kind is pandas.MultiIndex:
        return ["Index", "multi", coder.encode(value.tolist()), coder.encode(list(value.names))]
    if kind in (pandas.Index, pandas.DatetimeIndex, pandas.TimedeltaIndex, pandas.CategoricalIndex):
        return ["Index", "plain", _column(coder, value.to_series()), coder.encode(value.name)]
    if value is pandas.NA or value is pandas.NaT:
        return ["Index", "none", "NA" if value is pandas.NA else "NaT"]
    if kind in (pandas.Timestamp, pandas.Timedelta) and getattr(value, "tz", None) is None:
        return ["Index", kind.__name__, coder.encode(value.to_numpy())]
    return None


def _column(coder: Any, values: Any) -> Json:
    import numpy as np

    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return ["numpy", coder.encode(values.to_numpy())]
    if str(dtype) == "category":
        codes, categories = values.cat.codes.to_numpy(), values.cat.categories
        return ["category", coder.encode(codes), coder.encode(categories), bool(values.cat.ordered)]
    if not _NULLABLE.fullmatch(str(dtype)):
        raise NotData(f"a column of type {dtype}")
    missing = values.isna().tolist()
    plain = [None if gone else value for value, gone in zip(values.tolist(), missing, strict=True)]
    return ["nullable", str(dtype), *coder.items(plain)]


def read(reader: Any, data: list[Json]) -> Any:
    """What `encode` has written; `Malformed` if it is anything else, or pandas is not installed here."""
    try:
        import pandas
    except ImportError:
        raise Malformed("pandas is not installed where the tests run") from None
    try:
        if data[0] == "Series":
            _, column, index, name = data
            return _series(pandas, _values(pandas, reader, column), _index(pandas, reader, index), reader.read(name))
        if data[0] == "Index":
            return _read_index(pandas, reader, data[1:])
        _, columns, index, *parts = data
        rows = _index(pandas, reader, index)
        made = [_series(pandas, _values(pandas, reader, part), rows) for part in parts]
        frame = pandas.concat(made, axis=1) if made else pandas.DataFrame(index=rows)
        return frame.set_axis(_index(pandas, reader, columns), axis=1)
    except Malformed:
        raise
    except Exception as error:
        raise Malformed(f"{data[0]}: {type(error).__name__}") from None


def _series(pandas: Any, values: Any, index: Any, name: Any = None) -> Any:
    """One value alone would be repeated for an index of any length."""
    if not hasattr(values, "__len__") or len(values) != len(index):
        raise Malformed("not as many values as the index")
    return pandas.Series(values, index=index, name=name)


def _index(pandas: Any, reader: Any, data: Json) -> Any:
    made = reader.read(data)
    if not isinstance(made, pandas.Index):
        raise Malformed("not an index")
    return made


def _read_index(pandas: Any, reader: Any, parts: list[Json]) -> Any:
    kind, *rest = parts
    values = reader.items(rest) if kind in ("range", "multi", "none", "Timestamp", "Timedelta") else []
    if kind == "range":
        return pandas.RangeIndex(*values[:3], name=values[3])
    if kind == "multi":
        return pandas.MultiIndex.from_tuples(values[0], names=values[1])
    if kind == "none":
        return {"NA": pandas.NA, "NaT": pandas.NaT}[values[0]]
    if kind in ("Timestamp", "Timedelta"):
        return getattr(pandas, kind)(values[0])
    column, name = rest
    return pandas.Index(_values(pandas, reader, column), name=reader.read(name))


def _values(pandas: Any, reader: Any, column: Json) -> Any:
    kind, *parts = column
    if kind == "numpy":
        return reader.read(parts[0])
    if kind == "category":
        codes, categories, ordered = reader.read(parts[0]), _index(pandas, reader, parts[1]), parts[2] is True
        return pandas.Categorical.from_codes(codes, categories, ordered=ordered)
    if kind != "nullable" or not _NULLABLE.fullmatch(str(parts[0])):
        raise Malformed("not a column")
    return pandas.array(reader.items(parts[1:]), dtype=parts[0])
