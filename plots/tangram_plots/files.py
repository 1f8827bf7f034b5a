"""Output files that are complete or not there."""
import os
import tempfile

from tangram_plots.errors import InputError


def check_output(option, path, inputs):
    """Raises InputError when the file cannot be written, before any work is done."""
    place = f"{option} {path}"
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise InputError(f"{place}: is a folder")
    if not os.path.isdir(folder):
        raise InputError(f"{place}: there is no folder {folder}")
    if os.path.exists(path) and not os.path.isfile(path):
        return  # a device or a pipe
    if not os.access(folder, os.W_OK):
        raise InputError(f"{place}: the folder {folder} cannot be written")
    if any(os.path.exists(path) and os.path.exists(name) and os.path.samefile(path, name)
           for name in inputs):
        raise InputError(f"{place}: would overwrite the input")


def write_file(path, content):
    """Writes the bytes beside the target and renames; raises OSError, which names the file, and
    leaves what was there."""
    try:
        _write(path, content)
    except OSError as error:
        raise OSError(f"{path}: cannot be written: {error.strerror}") from error


def _write(path, content):
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as device:
            device.write(content)
        return
    mask = os.umask(0)
    os.umask(mask)
    descriptor, temporary = tempfile.mkstemp(prefix=os.path.basename(path) + ".tmp",
                                             dir=os.path.dirname(path) or ".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o666 & ~mask)  # mkstemp's files are the owner's alone
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
