"""Where the shipped facts lie: ``manifests/`` and ``vocoders/``, in a checkout or in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource_folder(name: str) -> Path:
    """Folder ``manifests`` or ``vocoders``: inside the package when installed, beside it in a checkout.

    Raises:
        FileNotFoundError: The installation is incomplete.
    """
    for folder in (_PACKAGE / "_resources" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"avfake's folder {name}/ is missing: reinstall avfake")
