import pytest

from rc_vs_snn.datasets import folders
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.errors import InputError


def test_what_the_user_gives_comes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("RC_VS_SNN_DATA", str(tmp_path / "environment"))
    assert data_root(tmp_path / "given") == tmp_path / "given"
    assert data_root(str(tmp_path / "given")) == tmp_path / "given"
    assert data_root() == tmp_path / "environment"


def test_an_empty_variable_is_as_good_as_none(monkeypatch):
    monkeypatch.setenv("RC_VS_SNN_DATA", "")
    empty = data_root()
    monkeypatch.delenv("RC_VS_SNN_DATA")
    assert data_root() == empty


def test_a_relative_path_and_a_home_folder_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert data_root("corpora") == tmp_path / "corpora"
    assert data_root("~/corpora") == tmp_path / "home" / "corpora"


def test_a_checkout_has_its_own_folder(tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "pyproject.toml").touch()
    module = tmp_path / "rc_vs_snn" / "datasets" / "folders.py"
    assert folders._checkout_folder(str(module)) == tmp_path / "datasets"


def test_a_package_called_datasets_beside_the_installed_one_is_not_ours(tmp_path, monkeypatch):
    (tmp_path / "datasets").mkdir()  # as of another project, in site-packages
    module = tmp_path / "rc_vs_snn" / "datasets" / "folders.py"
    assert folders._checkout_folder(str(module)) is None

    monkeypatch.delenv("RC_VS_SNN_DATA", raising=False)
    monkeypatch.setattr(folders, "_checkout_folder", lambda: None)
    assert "rc_vs_snn" in data_root().parts


def test_a_file_is_no_data_root(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"is a file, not a folder; .*RC_VS_SNN_DATA"):
        data_root(tmp_path / "file")


@pytest.mark.parametrize("target", ["root", "nowhere"])
def test_a_link_that_leads_nowhere_is_no_data_root(tmp_path, target):
    (tmp_path / "root").symlink_to(tmp_path / target)
    with pytest.raises(InputError, match=r"root is a link that leads to no folder; .*RC_VS_SNN_DATA"):
        data_root(tmp_path / "root")


def test_a_name_that_no_file_can_have_is_no_data_root():
    with pytest.raises(InputError, match=r"the data root 'a\\x00b' is no path"):
        data_root("a\0b")
