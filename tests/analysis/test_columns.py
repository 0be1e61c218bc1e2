import io

import numpy as np
import pytest

from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.errors import InputError

TABLE = Table({"name": np.array(["b", "a", "b"]), "value": np.array([1.5, np.nan, 3.0])})


def csv_of(table: Table) -> str:
    text = io.StringIO()
    table.write_csv(text)
    return text.getvalue()


def test_csv_has_a_header_full_precision_and_empty_cells_for_nan():
    table = Table({"label": np.array(["a, b", "c"]), "x": np.array([0.1, np.nan]), "n": np.array([1, 2])})
    assert csv_of(table) == 'label,x,n\n"a, b",0.1,1\nc,,2\n'


def test_rows_are_found_by_value():
    assert TABLE.where(name="b")["value"].tolist() == [1.5, 3.0]
    assert TABLE.where(name="b", value=3.0)["name"].tolist() == ["b"]
    assert len(TABLE.where(name="none")) == 0


def test_distinct_keeps_the_order_of_appearance():
    assert TABLE.distinct("name") == ["b", "a"]


def test_tagged_puts_constants_in_front():
    tagged = TABLE.tagged(label="long label", seed=3)
    assert list(tagged.columns) == ["label", "seed", "name", "value"]
    assert tagged["label"].tolist() == ["long label"] * 3


def test_stacked_tables_get_nan_where_a_column_is_missing():
    whole = stack([Table({"x": np.array([1.0])}), Table({"x": np.array([2.0]), "y": np.array([5.0])})])
    assert whole["x"].tolist() == [1.0, 2.0]
    assert np.isnan(whole["y"][0])
    assert whole["y"][1] == 5.0
    assert len(stack([])) == 0


@pytest.mark.parametrize(
    "columns",
    [{"a": np.zeros(2), "b": np.zeros(3)}, {"a": np.zeros((2, 2))}],
)
def test_uneven_columns_are_refused(columns):
    with pytest.raises(InputError, match="one-dimensional and equally long"):
        Table(columns)
