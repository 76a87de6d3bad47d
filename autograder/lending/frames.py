"""Series, DataFrames, indexes and single moments of pandas as data, where the course has pandas.

Values are told by column: arrays of numpy as they are, categories by their codes, moments of a zone and periods as
integers, intervals by their ends, missing values and texts one by one. pandas is imported only where it already is, or
where a frame has arrived: it takes most of a second.
"""

from __future__ import annotations

import re
import sys
import warnings
from typing import Any

import numpy as np

from autograder.lending.errors import Malformed, NotData
from autograder.lending.kinds import Json

_NULLABLE = re.compile(r"str|string|boolean|U?Int(?:8|16|32|64)|Float(?:32|64)")
"""Extension types whose values are told one by one, as Python has them."""
_NAME = re.compile(r"(?!dateutil|.*\.\.)[A-Za-z0-9_+-][A-Za-z0-9_+:/.-]{0,63}")
"""Of a time zone, or a frequency; none that is a file's."""


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
    if kind in (pandas.DatetimeIndex, pandas.TimedeltaIndex):
        return ["Index", "plain", _column(coder, value.to_series()), coder.encode(value.name), value.freqstr]
    if kind in (pandas.Index, pandas.CategoricalIndex, pandas.PeriodIndex, pandas.IntervalIndex):
        return ["Index", "plain", _column(coder, value.to_series()), coder.encode(value.name), None]
    if value is pandas.NA or value is pandas.NaT:
        return ["Index", "none", "NA" if value is pandas.NA else "NaT"]
    if kind in (pandas.Timestamp, pandas.Timedelta, pandas.Period, pandas.Interval):
        return ["Index", "one", _column(coder, pandas.Series([value]))]
    return None


def _column(coder: Any, values: Any) -> Json:
    pandas = sys.modules["pandas"]
    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return ["numpy", coder.encode(values.to_numpy())]
    match str(dtype).partition("[")[0]:
        case "category":
            codes, categories = values.cat.codes.to_numpy(), values.cat.categories
            return ["category", coder.encode(codes), coder.encode(categories), bool(values.cat.ordered)]
        case "datetime64":
            return ["zoned", str(dtype.tz), coder.encode(values.dt.tz_convert(None).to_numpy())]
        case "period":
            return ["period", str(dtype)[7:-1], coder.encode(values.array.asi8)]
        case "interval":
            ends = (coder.encode(pandas.Index(part.to_numpy())) for part in (values.array.left, values.array.right))
            return ["interval", values.array.closed, *ends]
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
        with warnings.catch_warnings(action="ignore"):  # whoever has made it was warned
            return _read(pandas, reader, data)
    except Malformed:
        raise
    except Exception as error:
        raise Malformed(f"{data[0]}: {type(error).__name__}") from None


def _read(pandas: Any, reader: Any, data: list[Json]) -> Any:
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
    match parts:
        case ["range", *values]:
            start, stop, step, name = reader.items(values)
            return pandas.RangeIndex(start, stop, step, name=name)
        case ["multi", values, names]:
            return pandas.MultiIndex.from_tuples(reader.read(values), names=reader.read(names))
        case ["none", str(name)]:
            return {"NA": pandas.NA, "NaT": pandas.NaT}[name]
        case ["one", column]:
            (one,) = pandas.Series(_values(pandas, reader, column))
            return one
        case ["plain", column, name, frequency]:
            made = pandas.Index(_values(pandas, reader, column), name=reader.read(name))
            if frequency is not None:
                made.freq = _name(frequency)
            return made
    raise Malformed("not an index")


def _name(data: Json) -> str:
    if type(data) is not str or not _NAME.fullmatch(data):
        raise Malformed("not a name")
    return data


def _array(reader: Any, data: Json, kind: str = "") -> Any:
    made = reader.read(data)
    if type(made) is not np.ndarray or (kind and made.dtype.kind != kind):
        raise Malformed("not an array of this kind")
    return made


def _values(pandas: Any, reader: Any, column: Json) -> Any:
    match column:
        case ["numpy", values]:
            return _array(reader, values)
        case ["category", codes, categories, ordered]:
            known = _index(pandas, reader, categories)
            return pandas.Categorical.from_codes(_array(reader, codes, "i"), known, ordered=ordered is True)
        case ["zoned", zone, values]:
            moments = pandas.DatetimeIndex(_array(reader, values, "M"), tz="UTC")
            return moments.tz_convert(_name(zone)).array
        case ["period", frequency, values]:
            return pandas.PeriodIndex.from_ordinals(_array(reader, values, "i"), freq=_name(frequency)).array
        case ["interval", ("left" | "right" | "both" | "neither") as closed, left, right]:
            ends = [_index(pandas, reader, part) for part in (left, right)]
            if any(isinstance(part, pandas.RangeIndex) for part in ends):
                raise Malformed("intervals whose ends are not told one by one")
            return pandas.arrays.IntervalArray.from_arrays(*ends, closed=closed)
        case ["nullable", str(kind), *values] if _NULLABLE.fullmatch(kind):
            return pandas.array(reader.items(values), dtype=kind)
    raise Malformed("not a column")
