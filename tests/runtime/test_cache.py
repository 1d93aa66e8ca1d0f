from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from netgen.errors import BuildError
from netgen.runtime import cache
from tests.tools import STRICTLY, start_python


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"NETGEN_CACHE_DIR": "/a/b", "XDG_CACHE_HOME": "/x"}, "/a/b"),
        ({"NETGEN_CACHE_DIR": "", "XDG_CACHE_HOME": "/x"}, "/x/netgen"),
        ({"NETGEN_CACHE_DIR": "~/c", "HOME": "/h"}, "/h/c"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/netgen"),
        ({"HOME": "/h"}, "/h/.cache/netgen"),
        ({"HOME": "relative"}, None),
    ],
)
def test_folder(
    variables: dict[str, str], folder: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    for name in ("NETGEN_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache.cache_folder() == (Path(folder) if folder else None)


def test_folder_on_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.delenv("NETGEN_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/h")
    assert cache.cache_folder() == Path("/h/Library/Caches/netgen")


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.delenv("NETGEN_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    path = cache.store_object(b"homeless", ".bin")
    assert cache.find_object(cache.digest_of(b"homeless"), ".bin") == path


def test_objects(cache_dir: Path) -> None:
    digest = cache.digest_of(b"data")
    assert cache.find_object(digest, ".bin") is None
    path = cache.store_object(b"data", ".bin")
    assert path == cache_dir / f"{digest}.bin"
    assert cache_dir.stat().st_mode & 0o777 == 0o700
    assert cache.find_object(digest, ".bin") == path
    assert cache.find_object(digest, ".bin", size=4) == path
    assert cache.find_object(digest, ".bin", size=5) is None
    path.write_bytes(b"tada")
    assert cache.find_object(digest, ".bin", size=4) == path
    assert cache.find_object(digest, ".bin") is None
    assert cache.store_object(b"data", ".bin").read_bytes() == b"data"
    assert list(cache_dir.iterdir()) == [path]


def test_an_intact_object_is_not_written_again(cache_dir: Path) -> None:
    inode = cache.store_object(b"data", ".bin").stat().st_ino
    assert cache.store_object(b"data", ".bin").stat().st_ino == inode
    assert len(list(cache_dir.iterdir())) == 1


def test_keys() -> None:
    key, digest = cache.digest_of(b"key"), cache.digest_of(b"value")
    assert cache.find_key(key) is None
    cache.store_key(key, digest)
    assert cache.find_key(key) == digest


def test_a_failed_write_leaves_nothing(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_space(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "_private_folder", lambda _process: tmp_path)
    monkeypatch.setattr(Path, "replace", no_space)
    with pytest.raises(
        BuildError, match=r"No space left on device.*set NETGEN_CACHE_DIR or TMPDIR"
    ):
        cache._write("name", b"data")
    assert list(cache_dir.iterdir()) == []


def test_the_private_folder_ends_with_its_process() -> None:
    script = """
import os, sys
from netgen.runtime import cache
path = cache.store_object(b"data", ".bin")
assert cache.find_object(cache.digest_of(b"data"), ".bin") == path
print(path, flush=True)
child = os.fork()
if child:
    os.waitpid(child, 0)
    print(path.exists())
else:
    print(cache.store_object(b"data", ".bin") != path, flush=True)
"""
    output, _ = start_python(*STRICTLY, script, NETGEN_CACHE_DIR="/dev/null/x").communicate()
    path, *truths = output.split()
    assert truths == ["True", "True"]
    assert not Path(path).parent.exists()
    assert os.sep in path
