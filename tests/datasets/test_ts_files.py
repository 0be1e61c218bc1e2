import numpy as np
import pytest

from rc_vs_snn.datasets.ts_files import read_ts
from rc_vs_snn.errors import InputError

HEADER = """# a comment
%another

@problemName Small
@timeStamps false
@univariate false
@dimensions 2
@equalLength false
@classLabel true yes No
@data
"""


@pytest.fixture
def read(tmp_path):
    def from_text(text, encoding="utf-8"):
        (tmp_path / "x.ts").write_text(text, encoding=encoding)
        return read_ts(tmp_path / "x.ts")

    return from_text


def test_series_of_different_lengths(read):
    file = read(HEADER + "1,2.5,-3:4,5,6e-1:yes\n\n7:8: No \n")
    assert [each.tolist() for each in file.series] == [[[1, 4], [2.5, 5], [-3, 0.6]], [[7, 8]]]
    assert (file.labels, file.classes) == (["yes", "No"], ("yes", "No"))


def test_the_number_of_channels_need_not_be_stated(read):
    file = read("@classLabel true 1 2\n@data\n1,2:3,4:1\n5,6:7,8:2\n")
    assert np.shape(file.series) == (2, 2, 2)


def test_missing_values_are_nan_and_a_missing_end_is_no_part_of_the_series(read):
    (series,) = read(HEADER + "1,?,3,NaN:4,5,?,?:yes").series
    assert np.array_equal(series, [[1, 4], [np.nan, 5], [3, np.nan]], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no line @data"),
        ("@classLabel true a\n", "has no line @data"),
        ("@data\n1,2:a\n", "states no classes"),
        ("@classLabel false\n@data\n1,2\n", "line 1: '@classLabel true' and the names"),
        ("@classLabel true\n@data\n1:a\n", "line 1: '@classLabel true' and the names"),
        ("@classLabel true a a\n@data\n", "line 1: a class is named twice"),
        ("@targetLabel true\n@data\n1:0.5\n", "line 1: .*regression"),
        ("@timeStamps true\n@classLabel true a\n@data\n", "line 1: series with time stamps"),
        ("@dimensions two\n", "line 1: @dimensions must be a whole number of at least 1, got 'two'"),
        ("1,2:a\n", "line 1: expected @data"),
        (HEADER, "holds no time series"),
        (HEADER + "1:2:maybe\n", "line 11: the class label 'maybe' is none of the header's yes, No"),
        (HEADER + "1:2:YES\n", "line 11: the class label 'YES'"),
        (HEADER + "1:yes\n", "line 11: 1 channels where there should be 2"),
        (HEADER + "1:2:3:yes\n", "line 11: 3 channels where there should be 2"),
        (HEADER + "1:2:yes\n1,2:3:yes\n", r"line 12: channels of different lengths \(1 to 2\)"),
        (HEADER + "1,x:2,3:yes\n", "line 11: 'x' is no number"),
        (HEADER + "1,:2,3:yes\n", "line 11: '' is no number"),
        (HEADER + "1,inf:2,3:yes\n", "line 11: 'inf' is not finite"),
        (HEADER + "?:?:yes\n", "line 11: not one value"),
        (
            "@univariate true\n@classLabel true a\n@data\n1:2:a\n",
            "line 4: 2 channels where there should be 1",
        ),
    ],
)
def test_what_is_no_labelled_time_series_is_refused_by_line(read, text, says):
    with pytest.raises(InputError, match=says):
        read(text)


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "x.ts").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"x.ts cannot be read as text"):
        read_ts(tmp_path / "x.ts")
