"""A process is told from every other that has, or had, its number."""

import dataclasses
import os
import socket
import subprocess
import sys

import pytest

from rc_vs_snn.records.owners import Owner, host_tag


def test_this_process_is_here_and_not_gone():
    own = Owner.of_this_process()
    assert (own.pid, own.host) == (os.getpid(), socket.gethostname())
    assert own.is_here
    assert not own.is_gone
    assert Owner.from_table(dataclasses.asdict(own)) == own


def test_a_killed_process_is_gone_even_before_its_parent_has_heard_of_it():
    line = [sys.executable, "-c", "import sys; print(); sys.stdin.read()"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        own = Owner.of_this_process()
        other = dataclasses.replace(own, pid=process.pid, start="")
        assert not other.is_gone
        process.kill()
        if os.path.exists("/proc/self/stat"):
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is kept
            assert other.is_gone
    assert other.is_gone


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="elsewhere nobody says when it was started")
def test_a_number_that_went_to_another_process_is_no_sign_of_life():
    assert dataclasses.replace(Owner.of_this_process(), start="1").is_gone


def test_of_a_process_elsewhere_nobody_can_tell():
    own = Owner.of_this_process()
    for other in (
        dataclasses.replace(own, host="node-b", pid=999999999),
        dataclasses.replace(own, boot="another container", pid=999999999),
    ):
        assert not other.is_here
        assert not other.is_gone


@pytest.mark.parametrize("table", [None, [], {}, {"host": "a"}, {"host": "a", "pid": "7"}, {"host": 1}])
def test_a_file_that_names_no_owner_has_none(table):
    assert Owner.from_table(table) is None


def test_a_name_for_files_holds_nothing_that_a_file_system_would_not_take():
    assert host_tag("node-1.cluster") == "node-1.cluster"
    assert host_tag("a/b:c\\d é") == "a_b_c_d__"
    assert dataclasses.replace(Owner.of_this_process(), host="n/1", pid=5).tag == "5@n_1"
