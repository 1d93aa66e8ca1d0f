"""The cache stays below its limit: what was not used for longest goes, what is in use stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netgen.errors import UsageError
from netgen.runtime import cache
from netgen.runtime.cache_limit import DEFAULT_LIMIT, cache_limit, entries

HOUR = 3600


def stored(content: bytes, hours_ago: float) -> Path:
    path = cache.store_object(content, ".bin")
    then = path.stat().st_mtime - hours_ago * HOUR
    os.utime(path, (then, then))
    return path


@pytest.mark.parametrize(
    ("setting", "limit"),
    [("", DEFAULT_LIMIT), ("none", None), ("500M", 500 << 20), ("1.5K", 1536), ("0", 0)],
)
def test_the_limit_is_read(
    setting: str, limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETGEN_CACHE_LIMIT", setting)
    assert cache_limit() == limit


def test_a_limit_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETGEN_CACHE_LIMIT", "much")
    with pytest.raises(UsageError, match=r"NETGEN_CACHE_LIMIT=much: is no number of bytes"):
        cache_limit()


def test_the_oldest_goes_first(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETGEN_CACHE_LIMIT", "none")
    old, older, oldest = stored(b"a" * 40, 2), stored(b"b" * 40, 3), stored(b"c" * 40, 4)
    assert [entry.path for entry in entries(cache_dir)] == [oldest, older, old]
    monkeypatch.setenv("NETGEN_CACHE_LIMIT", "60")
    new = cache.store_object(b"d" * 20, ".bin")
    assert [entry.path for entry in entries(cache_dir)] == [old, new]


def test_what_is_found_is_in_use(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETGEN_CACHE_LIMIT", "100")
    first, second = stored(b"a" * 40, 4), stored(b"b" * 40, 3)
    assert cache.find_object(first.stem, ".bin") == first
    new = cache.store_object(b"d" * 40, ".bin")
    assert {entry.path for entry in entries(cache_dir)} == {first, new}
    assert not second.exists()


def test_what_was_used_within_the_hour_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETGEN_CACHE_LIMIT", "1")
    kept = [stored(b"a" * 40, 0.9), stored(b"b" * 40, 0.5)]
    cache.store_object(b"c" * 40, ".bin")
    assert all(path.exists() for path in kept)


def test_files_of_others_are_not_touched(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETGEN_CACHE_LIMIT", "0")
    cache_dir.mkdir(exist_ok=True)
    other = cache_dir / "thesis.so"
    other.write_bytes(b"a" * 40)
    os.utime(other, (0, 0))
    unfinished = cache_dir / ".new-killed"
    unfinished.write_bytes(b"b" * 40)
    os.utime(unfinished, (0, 0))
    assert [entry.kind for entry in entries(cache_dir)] == ["unfinished"]
    cache.store_object(b"c", ".bin")
    assert other.exists()
    assert not unfinished.exists()
