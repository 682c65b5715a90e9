"""Extracts the files of a wheel whose names begin with one of the prefixes: extract-wheel.py WHEEL FOLDER PREFIX..."""

import sys
import zipfile

wheel, folder, *prefixes = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    names = [name for name in archive.namelist() if name.startswith(tuple(prefixes))]
    for prefix in prefixes:
        if not any(name.startswith(prefix) for name in names):
            sys.exit(f"{wheel}: expected files under {prefix}, found none")
    archive.extractall(folder, names)
