"""`.npz` -> named arrays."""

from __future__ import annotations

import io
import tokenize
import warnings

import numpy as np
import numpy.typing as npt

from netgen.errors import WeightsError
from netgen.weights.archive import ZIP_FAULTS, open_archive
from netgen.weights.elements import is_too_large, widen
from netgen.weights.naming import shown

# Compressed entries may claim a thousand times the file's size.
_MAX_BYTES = 2**32

# What numpy's parser of an array's header raises besides ValueError. SystemError is a fault of
# CPython 3.13's tokenizer over text that is no Python; MemoryError means a header that claims more
# than there is.
_HEADER_FAULTS = (SyntaxError, tokenize.TokenError, TypeError, SystemError, MemoryError)

_NUMBER_KINDS = "fiub"


def read_npz(content: bytes, where: str) -> dict[str, npt.NDArray[np.generic]]:
    """Read what `numpy.savez` or `numpy.savez_compressed` wrote; `where` names the file in errors.

    Returns the arrays in file order, read-only, C-contiguous and native-endian, float16 as float32.

    Raises WeightsError where the file is damaged, has arrays of anything but numbers (pickled
    objects are never loaded), or unpacks to more than 4 GiB.
    """
    try:
        with open_archive(content) as archive:
            total = sum(info.file_size for info in archive.infolist())
        if total > _MAX_BYTES:
            raise ValueError(f"it unpacks to {total} bytes, at most {_MAX_BYTES} are read")
        with warnings.catch_warnings():
            # numpy warns that it parses the header of an array from Python 2 more slowly.
            warnings.simplefilter("ignore")
            loaded = _load(content)
    except (*ZIP_FAULTS, *_HEADER_FAULTS) as error:
        raise WeightsError(
            f"the npz file cannot be read: {shown(str(error))}",
            where=where,
            hint="save it again with numpy.savez, arrays of real numbers only",
        ) from error
    return loaded


def _load(content: bytes) -> dict[str, npt.NDArray[np.generic]]:
    arrays = {}
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        if len(set(archive.files)) != len(archive.files):
            raise ValueError("a name occurs twice")
        for name in archive.files:
            array = archive[name]
            # An entry that is no array comes back as its bytes.
            kind = getattr(array, "dtype", np.dtype(object))
            if kind.kind not in _NUMBER_KINDS:
                raise ValueError(f"{shown(name)} is not an array of real numbers, but {kind}")
            if array.dtype.itemsize > 8 or is_too_large(array.shape):
                raise ValueError(f"{shown(name)} is too large: {array.dtype} {list(array.shape)}")
            values = np.ascontiguousarray(widen(array)).reshape(array.shape)
            values.setflags(write=False)
            arrays[name] = values
    return arrays
