"""The descriptions of the API as files: what --print-openapi says of an installation whose schema nobody has changed yet.

    /usr/bin/python3 tests/support/documents.py     # writes them anew: make openapi

They are kept in the tree because the console's client is generated from them, and no database runs while that is built. A test
compares them with what the daemons say.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from clusters import ROOT

FOLDER = ROOT / "shared" / "openapi"
DAEMONS = ("core", "sandbox")


def path_of(daemon):
    return FOLDER / f"{daemon}.json"


def write():
    from product import Product     # which reads these files

    product = Product().start()
    try:
        for daemon in (product.core, product.sandbox):
            path_of(daemon.name).write_text(daemon.command("--print-openapi"))
            print(f"wrote {path_of(daemon.name).relative_to(ROOT)}")
    finally:
        product.stop()


if __name__ == "__main__":
    write()
