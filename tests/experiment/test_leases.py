"""Of many that want a lease exactly one gets it, whoever dies when."""

import errno
import json
import os
import socket
import subprocess
import sys

import pytest

from rc_vs_snn.experiment import leases
from rc_vs_snn.experiment.leases import claimed, lying_at

GONE = {"host": "node-z", "boot": "", "pid": 7, "start": "", "since": "long ago", "token": "0"}

CLAIM = """
import random, sys, socket, time
from pathlib import Path
from rc_vs_snn.experiment import leases
name, folder = sys.argv[1], Path(sys.argv[2])
def none(*_, **__):
    raise OSError(37, "no locks here")
leases._ask_for_lock = none
socket.gethostname = lambda: name
look = leases._look
def slowly(path):
    time.sleep(random.random() / 300)
    return look(path)
leases._look = slowly
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    print(int(leases.claimed(folder / f"{number}.lock") is not None), end=" ")
"""


def left_by_the_dead(path, **changes):
    path.write_text(json.dumps({**GONE, **changes}))
    os.utime(path, (0, 0))
    return path


def test_of_many_claimants_exactly_one_gets_each_lease_of_a_dead_owner(tmp_path):
    n_claimants, n_leases = 6, 40
    for number in range(n_leases):
        if number % 4:  # and some that nobody has left
            left_by_the_dead(tmp_path / f"{number}.lock", token=f"t{number}")
    line = [str(tmp_path), str(n_leases)]
    claimants = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, f"node-{number}", *line],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(n_claimants)
    ]  # fmt: skip
    for each in claimants:
        assert each.stdout.readline() == "ready\n"
    for each in claimants:
        each.stdin.write("\n")
        each.stdin.flush()
    won = [list(map(int, each.communicate()[0].split())) for each in claimants]
    assert [sum(each) for each in zip(*won, strict=True)] == [1] * n_leases
    assert sum(map(any, won)) > 1  # it was a race
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{n}.lock" for n in range(n_leases))


def test_who_dies_while_it_takes_over_is_succeeded(tmp_path, monkeypatch):
    path = left_by_the_dead(tmp_path / "a.lock")
    with monkeypatch.context() as patched:  # it has made its link, and dies before it renames it
        patched.setattr(type(path), "replace", lambda *_: (_ for _ in ()).throw(OSError))
        first = claimed(path)
    assert [each.token for each in lying_at(path)] == ["0", first.token]
    assert claimed(path) is None
    assert first.is_ours
    os.close(first.file)
    left_by_the_dead(tmp_path / "a.lock.after-0", token=first.token)
    second = claimed(path)
    assert [each.token for each in lying_at(path)] == [second.token]
    second.give_back()
    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_was_lost_on_the_way_is_no_defeat(tmp_path, monkeypatch):
    link = os.link

    def answer_lost(one, other):
        link(one, other)
        raise FileExistsError(errno.EEXIST, "File exists")

    monkeypatch.setattr(os, "link", answer_lost)
    lease = claimed(tmp_path / "a.lock")
    assert lease.is_ours
    monkeypatch.setattr(os, "link", link)
    assert claimed(tmp_path / "a.lock") is None
    lease.give_back()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", leases.NO_LINKS)
def test_a_file_system_without_hard_links_has_leases_too(tmp_path, monkeypatch, number):
    def none(*_):
        raise OSError(number, "no links here")

    monkeypatch.setattr(os, "link", none)
    path = left_by_the_dead(tmp_path / "a.lock")
    lease = claimed(path)
    assert lease.is_ours
    assert claimed(path) is None
    lease.give_back()
    assert list(tmp_path.iterdir()) == []


def test_a_lease_that_is_still_being_written_is_not_taken(tmp_path):
    path = tmp_path / "a.lock"
    path.write_text("")
    assert claimed(path) is None
    os.utime(path, (0, 0))  # its owner died before it could write
    lease = claimed(path)
    assert lease.is_ours
    lease.give_back()


def test_a_lease_of_a_version_without_tokens_is_understood(tmp_path):
    path = tmp_path / "a.lock"
    path.write_text(json.dumps({"pid": 999999999, "host": socket.gethostname(), "since": "2026"}))
    os.utime(path, (0, 0))
    lease = claimed(path)
    assert [each.token for each in lying_at(path)] == [lease.token]
    lease.give_back()


@pytest.mark.parametrize("number", [errno.ESTALE, errno.ENOENT])
def test_a_file_that_another_machine_has_removed_meanwhile_is_not_there(tmp_path, monkeypatch, number):
    path = left_by_the_dead(tmp_path / "a.lock")

    def gone(*_, **__):
        raise OSError(number, "gone")

    monkeypatch.setattr(type(path), "open", gone)
    assert lying_at(path) == []
