"""Where Prometheus' programs are."""
import pathlib
import shutil

UNPACKED = pathlib.Path(__file__).resolve().parent.parent / "third_party" / "debian" / "usr"


def program(name):
    """As tools/setup.sh unpacks it, else as it is installed."""
    unpacked = UNPACKED / "bin" / name
    found = str(unpacked) if unpacked.exists() else shutil.which(name)
    if not found:
        raise SystemExit(f"there is no {name}; `tools/setup.sh monitor` unpacks it")
    return found


def page_files():
    """Options that let an unpacked Prometheus find the files of its page."""
    files = UNPACKED / "share" / "prometheus" / "web"
    return [f"--web.local-assets={files}/"] if files.exists() else []
