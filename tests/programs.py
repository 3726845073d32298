"""Peer programs the tests speak to. Locally a missing one skips its tests; in CI it fails them."""

from __future__ import annotations

import os
import shutil

import pytest

_PACKAGES = {
    "str2str": "rtklib", "rtkrcv": "rtklib", "rnx2rtkp": "rtklib", "convbin": "rtklib", "gpsd": "gpsd",
    "gpspipe": "gpsd-clients", "gpsdecode": "gpsd-clients", "GeoidEval": "geographiclib-tools",
    "gdallocationinfo": "gdal-bin", "gdal_translate": "gdal-bin", "cct": "proj-bin", "curl": "curl",
    "faketime": "faketime", "openssl": "openssl",
}  # fmt: skip


def program(name: str) -> str:
    """Path of a peer program; where it is missing the test is skipped, or failed in CI."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        reason = f"needs the program {name} (apt-get install {_PACKAGES[name]})"
        if os.environ.get("CORSNET_CI"):
            pytest.fail(reason)
        pytest.skip(reason, allow_module_level=True)
    return path
