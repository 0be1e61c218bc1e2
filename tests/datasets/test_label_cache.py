import os

from rc_vs_snn.datasets.label_cache import found_once


def test_it_is_found_once_until_something_it_depends_on_changes(tmp_path):
    corpus, cache, calls = tmp_path / "corpus", tmp_path / "cache", []
    (corpus / "a").mkdir(parents=True)
    (corpus / "a" / "1.bin").write_bytes(b"123")

    def find():
        calls.append(None)
        return {"labels": [len(calls), "x"]}

    assert found_once(cache, ("NMNIST", 1), corpus, find) == {"labels": [1, "x"]}
    assert found_once(cache, ("NMNIST", 1), corpus, find) == {"labels": [1, "x"]}
    assert found_once(cache, ("NMNIST", 2), corpus, find) == {"labels": [2, "x"]}
    os.utime(corpus / "a" / "1.bin", ns=(1, 1))
    assert found_once(cache, ("NMNIST", 1), corpus, find) == {"labels": [3, "x"]}
    (corpus / "a" / "2.bin").write_bytes(b"")
    assert found_once(cache, ("NMNIST", 1), corpus, find) == {"labels": [4, "x"]}
    assert len(list(cache.iterdir())) == 4


def test_a_damaged_cache_is_found_anew_and_one_that_cannot_be_written_is_done_without(tmp_path):
    corpus, cache = tmp_path / "corpus", tmp_path / "cache"
    corpus.mkdir()
    assert found_once(cache, 1, corpus, lambda: [1]) == [1]
    next(cache.iterdir()).write_text("[1, ")
    assert found_once(cache, 1, corpus, lambda: [2]) == [2]
    (tmp_path / "file").write_text("")
    assert found_once(tmp_path / "file", 1, corpus, lambda: [3]) == [3]
