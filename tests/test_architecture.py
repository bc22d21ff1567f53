"""Imports go down only, rooms on one floor do not know each other, and ``--help`` stays light."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "avfake"
GROUND = {"accelerator", "cache", "errors", "fetch", "files", "media", "progress", "resources", "weights"}
MAY_IMPORT = {
    "audio": set(),
    "manifest": set(),
    "video": set(),
    "models": set(),
    "corpora": {"manifest"},
    "vocoders": {"audio"},
    "faces": {"video"},
    "dataset": {"audio", "video", "manifest"},
    "reporting": {"manifest", "audio"},
    "curate": {"corpora", "vocoders", "faces", "audio", "video", "manifest"},
    "evaluation": {"reporting", "dataset", "models", "faces", "audio", "video", "manifest"},
    "training": {"evaluation", "dataset", "models", "manifest"},
    "reproduction": {
        "training",
        "evaluation",
        "curate",
        "vocoders",
        "dataset",
        "models",
        "audio",
        "manifest",
    },
    "demo": {"curate", "reporting", "corpora", "vocoders", "faces", "audio", "video", "manifest"},
    "cli": {"demo", "reproduction", "training", "evaluation", "curate"},
    "__main__": {"cli"},
    **{room: set() for room in GROUND},
}


def rooms_imported(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [
        f"{node.module}.{node.names[0].name}" if node.module == "avfake" else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    ]
    rooms = {name.split(".")[1] for name in names if name.startswith("avfake.")}
    return rooms - {"__version__"}


def test_imports_go_down_only() -> None:
    wrong = []
    for file in PACKAGE.rglob("*.py"):
        room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        allowed = MAY_IMPORT[room] | GROUND | {room}
        wrong += [f"{file.relative_to(PACKAGE)} imports {name}" for name in rooms_imported(file) - allowed]
    assert not wrong


def test_every_room_has_its_floor() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert rooms - {"__init__", "__pycache__", "py", "_resources"} == set(MAY_IMPORT)


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from avfake.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print(*{name.split('.')[0] for name in sys.modules})\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"torch", "numpy", "pyarrow", "duckdb", "sklearn", "matplotlib", "av", "scipy"}
    assert not heavy & set(result.stdout.split())


def test_no_room_is_a_shed() -> None:
    assert not [
        path for path in PACKAGE.rglob("*.py") if path.stem in {"utils", "util", "helpers", "misc", "common"}
    ]
