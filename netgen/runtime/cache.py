"""The cache folder: files named by their content, and keys that point to them.

`DIGEST.so` holds bytes whose sha256 is DIGEST; `KEY.ref` holds the digest that a build with that
key gave. Every file is written under a temporary name and then renamed, so that no thread or
process ever sees half of one, and two that write the same do no harm. A damaged file is found by
its digest or size, and written anew.

The folder is `$NETGEN_CACHE_DIR`, else `$XDG_CACHE_HOME/netgen`, else the user's cache folder.
Where nothing can be written (a read-only home, a full disk), files go to a private temporary folder
that this process removes at its end: everything works, only nothing is kept.

What is used gets a new time, and a write removes what was not used for longest where the folder has
grown beyond its limit: see `cache_limit.py`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import os
import platform
import re
import shutil
import tempfile
from pathlib import Path

from netgen.errors import BuildError
from netgen.runtime.cache_limit import cache_limit, keep_within


def digest_of(data: bytes | memoryview) -> str:
    """Compute the sha256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _digest_of_file(path: Path) -> str:
    """The sha256 of a file, which is never in memory as a whole."""
    found = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while part := file.read(1 << 18):
            found.update(part)
    return found.hexdigest()


def cache_folder() -> Path | None:
    """Find where the environment wants the cache, which need not exist; None without a home."""
    own = os.environ.get("NETGEN_CACHE_DIR")
    if own:
        return Path(own).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME")
    if shared and Path(shared).is_absolute():  # the XDG rules: a relative one is ignored
        return Path(shared) / "netgen"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    folder = home / "Library" / "Caches" if platform.system() == "Darwin" else home / ".cache"
    return folder / "netgen" if folder.is_absolute() else None


def find_object(digest: str, suffix: str, *, size: int | None = None) -> Path | None:
    """Find the file with this content; None if there is none or it is damaged.

    With `size` in bytes only the size is compared (for weights, where hashing costs too much);
    without, the whole content is.
    """
    name = f"{digest}{suffix}"
    for folder in _folders():
        path = folder / name
        try:
            intact = (
                _digest_of_file(path) == digest if size is None else path.stat().st_size == size
            )
        except OSError:  # absent, or removed by another process just now
            continue
        if intact:
            _touch(path)
            return path
    return None


def store_object(data: bytes | memoryview, suffix: str, digest: str | None = None) -> Path:
    """Keep bytes under the name of their digest, unless they are there already, and intact.

    `digest` is given where it is known, since computing it takes long.
    Raises BuildError if neither the cache folder nor a temporary one can be written.
    """
    digest = digest or digest_of(data)
    # All stores have the digest at hand, so an existing file is worth no less than a full check.
    return find_object(digest, suffix) or _write(f"{digest}{suffix}", data)


def find_key(key: str) -> str | None:
    """Read the digest that a key points to; None if there is none or it is damaged."""
    for folder in _folders():
        try:
            text = (folder / f"{key}.ref").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        if re.fullmatch("[0-9a-f]{64}", text):
            _touch(folder / f"{key}.ref")
            return text
    return None


def store_key(key: str, digest: str) -> None:
    """Let a key, a sha256 in hexadecimal, point to the content with this digest."""
    _write(f"{key}.ref", digest.encode())


def _touch(path: Path) -> None:
    """Note that a file is in use. A cache that others wrote may refuse it, and loses nothing."""
    with contextlib.suppress(OSError):
        os.utime(path)


def _folders() -> tuple[Path, ...]:
    """List the folders where files may be, the preferred one first."""
    folder = cache_folder()
    fallback = (_private_folder(os.getpid()),) if _private_folder.cache_info().currsize else ()
    return (folder, *fallback) if folder else fallback


def _write(name: str, data: bytes | memoryview) -> Path:
    folder = cache_folder()
    if folder is not None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            written = _write_whole(folder / name, data)
        except OSError:
            pass  # documented above: the private folder serves as well
        else:
            keep_within(folder, cache_limit())
            return written
    try:
        return _write_whole(_private_folder(os.getpid()) / name, data)
    except OSError as error:
        raise BuildError(
            f"cannot write '{name}' ({error.strerror})",
            where=str(folder) if folder else "cache",
            expected="a cache folder or a temporary folder that can be written",
            hint="set NETGEN_CACHE_DIR or TMPDIR to a folder with space",
        ) from error


def _write_whole(path: Path, data: bytes | memoryview) -> Path:
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


@functools.cache
def _private_folder(process: int) -> Path:
    """Make a folder for one process: a fork gets its own, and never removes its parent's."""
    folder = Path(tempfile.mkdtemp(prefix="netgen-"))
    atexit.register(_remove_private_folder, folder, process)
    return folder


def _remove_private_folder(folder: Path, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
