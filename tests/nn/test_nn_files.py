"""Files in one step: what is there when saving is killed, interrupted, refused or out of space."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nn import files
from nn.saving import load, save

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=[".npz", ".safetensors"])
def path(request, tmp_path):
    return tmp_path / f"state{request.param}"


CRASHES = """
import itertools, os, signal, sys, time
import numpy as np
import nn.saving
from nn import files
from nn.saving import load, save

path, point = sys.argv[1:]
old, new = (np.full(300_000, n) for n in (1.0, 2.0))

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def half_written(path):
    with files.replacing(path) as file:
        file.write(bytes(1_000_000))
        file.flush()
        die()

def prepare_to_die():
    if point == "half written":
        nn.saving.replacing = half_written
    elif point.startswith("after "):
        real = getattr(os, point[6:])
        setattr(os, point[6:], lambda *a: (real(*a), die()))
    elif point != "any":
        setattr(os, point, die)

seen = set()
for i in range(25 if point == "any" else 1):
    save(path, old)
    child = os.fork()
    if not child:
        prepare_to_die()
        for state in itertools.cycle([new, old]):
            save(path, state)
    if point == "any":
        time.sleep(0.0005 + 0.0011 * i)
        os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    found = load(path)
    assert found.shape == (300_000,) and len(np.unique(found)) == 1, found
    seen.add(float(found[0]))
left = len(os.listdir(os.path.dirname(path)))
save(path, old)  # what was left behind is not in the way
assert load(path)[0] == 1
print(sorted(seen), left)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the crashes are of forked processes")
@pytest.mark.parametrize(
    ("point", "found", "left"),
    [
        ("after open", 1.0, 2),
        ("half written", 1.0, 2),
        ("fsync", 1.0, 2),
        ("after fsync", 1.0, 2),
        ("replace", 1.0, 2),
        ("after replace", 2.0, 1),
        ("any", None, None),
    ],
)
def test_killed_while_saving_the_old_file_or_the_new_one_is_there(path, point, found, left):
    run = subprocess.run(
        [sys.executable, "-c", CRASHES, str(path), point],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    if point != "any":
        assert run.stdout == f"[{found}] {left}\n"


def test_a_full_disk_leaves_the_old_file(path):
    resource = pytest.importorskip("resource")
    save(path, 7)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            save(path, np.zeros(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert load(path) == 7
    assert os.listdir(path.parent) == [path.name]


def test_an_interruption_leaves_the_old_file_and_nothing_beside_it(path, monkeypatch):
    save(path, 7)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(path, 1)
    assert load(path) == 7
    assert os.listdir(path.parent) == [path.name]


def test_the_file_and_then_its_directory_are_flushed(path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def flushed(descriptor):
        done.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    monkeypatch.setattr(files.os, "fsync", flushed)
    monkeypatch.setattr(files.os, "replace", lambda *a: (done.append("replace"), replace(*a)))
    save(path, 7)
    assert done == ["file", "replace", "directory"]


def test_permissions_are_kept_and_new_files_follow_the_umask(path):
    before = os.umask(0o027)
    try:
        save(path, 1)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        save(path, 2)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert load(path) == 2


def test_behind_a_symbolic_link_the_target_is_replaced(path, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    target = folder / "target"
    path.symlink_to(target)
    for n in (1, 2):  # at first it leads nowhere
        save(path, n)
        assert path.is_symlink()
        assert not target.is_symlink()
        assert load(path) == n
    assert os.listdir(folder) == ["target"]


@pytest.mark.parametrize(
    ("place", "error", "message"),
    [
        ("missing/x.npz", FileNotFoundError, "no file can be made in .*missing"),
        ("file/x.npz", NotADirectoryError, "no file can be made in .*file"),
        ("folder.npz", PermissionError, "is no file that may be written"),
        ("x.pkl", ValueError, r"must end in .npz or .safetensors, received: .*x\.pkl"),
        ("x", ValueError, "must end in .npz or .safetensors"),
    ],
)
def test_places_where_nothing_can_be_written(tmp_path, place, error, message):
    (tmp_path / "file").touch()
    (tmp_path / "folder.npz").mkdir()
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(error, match=message):
        save(tmp_path / place, 1)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_write_protected_file_is_not_replaced(path, monkeypatch):
    save(path, 1)
    monkeypatch.setattr(files.os, "access", lambda target, mode: mode != os.W_OK)  # root may all
    with pytest.raises(PermissionError, match="is no file that may be written"):
        save(path, 2)
    assert load(path) == 1


def test_a_folder_that_may_be_written_and_not_read_gets_its_file(tmp_path, monkeypatch):
    """It cannot be flushed then; the file is in its place, and saving has not failed."""
    usual = os.open

    def blind(path, flags, *more):
        if os.path.isdir(path):
            raise PermissionError(path)
        return usual(path, flags, *more)

    monkeypatch.setattr(files.os, "open", blind)
    save(tmp_path / "a.npz", {"x": np.arange(3)})
    monkeypatch.undo()
    assert load(tmp_path / "a.npz")["x"].tolist() == [0, 1, 2]
    assert os.listdir(tmp_path) == ["a.npz"]
