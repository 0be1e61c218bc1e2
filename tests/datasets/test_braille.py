"""Braille recordings in the published format, written small by the tests."""

import pickle

import numpy as np
import pytest

from rc_vs_snn.datasets.braille import LETTERS, braille
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders
from rc_vs_snn.testing import check_dataset


def trial(number):
    """Lists of seconds: per taxel those of ON and of OFF."""
    taxels = [[[], []] for _ in range(12)]
    taxels[11] = [[0.5, 0.001], [0.25]]
    taxels[number % 12][1] = [*taxels[number % 12][1], 1.2]
    return taxels


def columns(n_each=4):
    letters = [letter for letter in LETTERS for _ in range(n_each)]
    return {"events": [trial(number) for number in range(len(letters))], "letter": letters}


@pytest.fixture
def write(tmp_path):
    def written(content, threshold=1):
        (tmp_path / "braille").mkdir(exist_ok=True)
        path = tmp_path / "braille" / f"data_braille_letters_th_{threshold}.pkl"
        path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content))
        return tmp_path

    return written


def test_columns_and_tables_are_read_alike(write):
    content = columns()
    splits = braille(write(content))
    assert [len(each) for each in (splits.train, splits.valid, splits.test)] == [76, 16, 16]
    assert splits.class_names == LETTERS
    tables = [{"events": e, "letter": x, "samples": None} for e, x in zip(*content.values(), strict=True)]
    check_dataset(splits, lambda: braille(write(tables)))
    ids = np.concatenate([splits.train.ids, splits.valid.ids, splits.test.ids])
    assert sorted(ids.tolist()) == list(range(108))
    row = splits.train.ids.tolist().index(0) if 0 in splits.train.ids else None
    part = splits.train if row is not None else (splits.valid if 0 in splits.valid.ids else splits.test)
    events = part.values[part.ids.tolist().index(0)]  # in the order of time
    assert events["t"].tolist() == [1_000, 250_000, 500_000, 1_200_000]
    assert events["x"].tolist() == [11, 11, 11, 0]
    assert events["p"].tolist() == [0, 1, 0, 1]


def test_arrays_a_threshold_and_letters_may_be_chosen(write):
    content = columns()
    content["events"] = [[[np.array(side) for side in taxel] for taxel in each] for each in content["events"]]
    content["letter"] = np.array(content["letter"])
    splits = braille(write(content, threshold=5), threshold=5, letters=("A", "Space"))
    assert splits.class_names == ("A", "Space")
    assert sum(len(each) for each in (splits.train, splits.valid, splits.test)) == 8
    code = encoders.build("events", {"n_steps": 270, "dt_us": 5_000})(splits.train)
    assert code.layout == (2, 12)
    assert int(code.values.sum()) == 4 * len(splits.train)


class Harmful:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x80\x04garbage", "cannot be read"),
        (Harmful(), r"it holds builtins\.print.*only plain values"),
        ({"letter": ["A"]}, "must hold the columns events and letter"),
        ({"events": [], "letter": []}, "0 trials and 0 letters"),
        ({**columns(), "letter": ["?"] * 108}, "no trial of"),
        ({**columns(), "letter": [*columns()["letter"][:-1], "?"]}, "unknown letters"),
        (
            {**columns(), "events": [trial(0)[:11]] * 108},
            r"must hold 12 taxels of two lists, ON and OFF, got 11",
        ),
        ({**columns(), "events": [[[["a"], []]] * 12] * 108}, "no lists of seconds"),
        ({**columns(), "events": [[[[np.nan], []]] * 12] * 108}, "at a time that is none"),
    ],
)
def test_a_file_that_is_none(write, content, says, capsys):
    with pytest.raises(InputError, match=says):
        braille(write(content))
    assert "run" not in capsys.readouterr().out


def test_no_file_says_where_to_get_it(tmp_path):
    with pytest.raises(
        InputError, match=r"no data_braille_letters_th_1\.pkl in .*zenodo\.org/records/7050094"
    ):
        braille(tmp_path)
    with pytest.raises(InputError, match="there is no letter 'Q1'"):
        braille(tmp_path, letters=("Q1",))
