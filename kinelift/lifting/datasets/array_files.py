"""Arrays by name out of the files of other programs: MATLAB, HDF5 and NASA's CDF. Nothing in them is executed."""

import zlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from kinelift.poses.errors import DataError, KineliftError

Arrays = dict[str, Shaped[np.ndarray, "..."]]


def read(path: Path, *names: str) -> Arrays:
    """The arrays ``names`` of a file; its first bytes tell of which kind it is.

    From HDF5 (which MATLAB writes since -v7.3) axes come in the file's order, the reverse of MATLAB's. HDF5 needs the
    package h5py, CDF the package cdflib. Raises ``DataError`` naming the file and what it lacks.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}. Name one that exists.")
    try:
        found = _reader(path)(path, names)
    except KineliftError:
        raise
    except (OSError, ValueError, TypeError, LookupError, NotImplementedError, MatReadError, zlib.error) as error:
        raise DataError(f"{path} cannot be read, it may be damaged ({error}). Download or convert it anew.") from error
    if lacking := [name for name in names if name not in found]:
        raise DataError(f"{path} holds no {', '.join(lacking)}. Expected arrays: {', '.join(names)}.")
    return found


def is_hdf5(path: Path) -> bool:
    """Whether a file is HDF5, in a MATLAB file behind a header of 512 bytes."""
    with path.open("rb") as file:
        start = file.read(520)
    return b"\x89HDF\r\n\x1a\n" in (start[:8], start[512:])


def _reader(path: Path) -> Callable[[Path, tuple[str, ...]], Arrays]:
    with path.open("rb") as file:
        start = file.read(20)
    if is_hdf5(path):
        return _hdf5
    if start.startswith(b"MATLAB 5.0 MAT-file"):
        return _matlab
    if start[:4] in (b"\xcd\xf3\x00\x01", b"\xcd\xf2\x60\x02"):
        return _cdf
    raise DataError(f"{path} is neither a MATLAB, an HDF5 nor a CDF file. Name the data set's own file.")


def _matlab(path: Path, names: tuple[str, ...]) -> Arrays:
    found = loadmat(path, variable_names=list(names))
    return {name: array for name, array in found.items() if name in names}


def _hdf5(path: Path, names: tuple[str, ...]) -> Arrays:
    h5py = _library("h5py", path)
    with h5py.File(path, "r") as file:
        return {name: file[name][()] for name in names if isinstance(file.get(name), h5py.Dataset)}


def _cdf(path: Path, names: tuple[str, ...]) -> Arrays:
    file = _library("cdflib", path).CDF(path)
    variables = (*file.cdf_info().zVariables, *file.cdf_info().rVariables)
    return {name: np.asarray(file.varget(name)) for name in names if name in variables}


def _library(name: str, path: Path) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise DataError(f"Reading {path} needs the package {name}. Install it with: pip install {name}") from error
