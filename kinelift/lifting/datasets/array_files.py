"""Reads named arrays from MATLAB, HDF5 and NASA CDF files, without executing anything in them."""

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
    """Read arrays from a file, whose kind is detected by its first bytes.

    HDF5 needs the package h5py, CDF the package cdflib.

    Args:
        path: The file.
        *names: Names of the arrays.

    Returns:
        The arrays by name. Axes from HDF5, which includes MATLAB -v7.3, are in the reverse of MATLAB's order.

    Raises:
        DataError: The file cannot be read, lacks an array, or needs a package that is not installed.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}. Name one that exists.")
    try:
        arrays = _reader(path)(path, names)
    except KineliftError:
        raise
    except (OSError, ValueError, TypeError, LookupError, NotImplementedError, MatReadError, zlib.error) as error:
        raise DataError(f"{path} cannot be read; it may be damaged ({error}). Download or convert it again.") from error
    if missing := [name for name in names if name not in arrays]:
        raise DataError(f"{path} has no {', '.join(missing)}. Expected arrays: {', '.join(names)}.")
    return arrays


def is_hdf5(path: Path) -> bool:
    """Tell whether a file is HDF5, also inside a MATLAB file, where a header of 512 bytes precedes it."""
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
    raise DataError(f"{path} is not a MATLAB, HDF5 or CDF file. Give an original file of the data set.")


def _matlab(path: Path, names: tuple[str, ...]) -> Arrays:
    variables = loadmat(path, variable_names=list(names))
    return {name: array for name, array in variables.items() if name in names}


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
