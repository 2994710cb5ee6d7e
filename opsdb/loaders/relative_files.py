"""Files that another file refers to: always in its folder or below, never elsewhere."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from .errors import shown


class WrongReference(ValueError):
    """A reference to a file that is missing or outside the folder; ``args`` are the message and what is expected."""


def resolve_reference(referring: str | Path, given: str) -> Path:
    """Return the path of a file or folder that another file refers to.

    Args:
        referring: the file that refers.
        given: the reference, relative to its folder, with ``/`` between folders.

    Raises:
        WrongReference: it is absolute, leads out of the folder, by ``..`` or by a link, or does not exist.
    """
    folder = Path(referring).parent
    inside = "a path below the folder of the file that names it"
    if PurePosixPath(given).is_absolute() or PureWindowsPath(given).drive or "\\" in given:
        raise WrongReference(f"{shown(given)} is not a relative path", f"{inside}, with '/' between folders")
    if ".." in PurePosixPath(given).parts:
        raise WrongReference(f"{shown(given)} leads out of the folder", inside)
    path = folder / given
    _check_place(path, folder, given)
    return path


def referenced_files(referring: str | Path, given: str, suffix: str) -> list[Path]:
    """Return the files of a reference: the file itself, or all files of a folder, sorted by name.

    Args:
        referring: the file that refers.
        given: the reference, see :func:`resolve_reference`.
        suffix: of every file in the folder; hidden files are left out.

    Raises:
        WrongReference: as :func:`resolve_reference`; a folder is empty or holds other files, or
            something is not a regular file.
    """
    path = resolve_reference(referring, given)
    if not path.is_dir():
        _check_regular(path, given)
        return [path]
    try:
        found = sorted(one for one in path.iterdir() if not one.name.startswith("."))
    except OSError as error:
        raise WrongReference(
            f"folder {shown(given)} can't be read: {error.strerror}", "permission to read it"
        ) from None
    for one in found:
        name = f"{given.rstrip('/')}/{one.name}"
        if one.suffix != suffix:
            raise WrongReference(f"{shown(name)} is not a {suffix} file", f"a folder of {suffix} files only")
        _check_place(one, Path(referring).parent, name)
        _check_regular(one, name)
    if not found:
        raise WrongReference(f"folder {shown(given)} is empty", f"at least one {suffix} file in it")
    return found


def _check_place(path, folder, given):
    try:
        place = path.resolve(strict=True)
    except FileNotFoundError:
        raise WrongReference(f"{shown(given)} does not exist", f"a file or folder in {folder}") from None
    except (OSError, RuntimeError, ValueError) as error:
        raise WrongReference(f"{shown(given)} can't be read: {error}", "a file or folder") from None
    if not place.is_relative_to(folder.resolve()):
        raise WrongReference(f"{shown(given)} is a link that leads out of the folder", f"a file below {folder}")


def _check_regular(path, given):
    # Opening a pipe would wait for a writer.
    if not path.is_file():
        raise WrongReference(f"{shown(given)} is not a regular file", "a file")
