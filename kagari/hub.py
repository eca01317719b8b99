"""Weights from the network: downloaded once, checked, kept in a folder."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from kagari._absent import absent

__all__ = [
    "download_url_to_file",
    "get_dir",
    "help",
    "list",
    "load",
    "load_state_dict_from_url",
    "set_dir",
]

# resnet18-bfd8deac.pth holds the beginning of its content's SHA-256
HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")

ENV_TORCH_HOME = "TORCH_HOME"
_REASON = (
    "kagari does not run code from the network; clone the repository, look at it, import its "
    "module and load the weights with load_state_dict_from_url"
)

_chosen: str | None = None

help = absent("kagari.hub.help", _REASON)
list = absent("kagari.hub.list", _REASON)
load = absent("kagari.hub.load", _REASON)


def _get_torch_home() -> str:
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.environ.get(ENV_TORCH_HOME, os.path.join(cache, "torch")))


def get_dir() -> str:
    """The folder of downloads: ``set_dir``'s, or ``hub`` below ``$TORCH_HOME`` or the cache's."""
    return _chosen if _chosen is not None else os.path.join(_get_torch_home(), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Chooses the folder of downloads.

    Args:
        d (str): the folder; made when first needed.
    """
    global _chosen
    _chosen = os.path.expanduser(d)


def download_url_to_file(
    url: str, dst: str, hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Downloads a file; it appears under its name only when it is whole and its hash is right.

    Args:
        url (str): where from.
        dst (str): where to.
        hash_prefix (str, optional): the beginning of its SHA-256, in hexadecimal digits.
        progress (bool): tell on the standard error stream how far it is.

    Raises:
        RuntimeError: the hash is another.

    Reference: https://pytorch.org/docs/stable/hub.html
    """
    target = Path(dst).expanduser()
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex}.partial")
    digest = hashlib.sha256()
    try:
        with (
            urlopen(Request(url, headers={"User-Agent": "kagari.hub"})) as source,
            part.open("wb") as out,
        ):
            total = int(source.headers.get("Content-Length") or 0)
            done = 0
            while block := source.read(1 << 17):
                out.write(block)
                digest.update(block)
                done += len(block)
                if progress:
                    share = f"{100 * done / total:.0f} %" if total else f"{done >> 20} MiB"
                    sys.stderr.write(f"\r{target.name}: {share}")
        if progress:
            sys.stderr.write("\n")
        found = digest.hexdigest()
        if hash_prefix is not None and not found.startswith(hash_prefix):
            raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{found}")')
        shutil.move(part, target)
    finally:
        part.unlink(missing_ok=True)


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> Any:
    """Loads what a file on the network holds; it is downloaded unless it is there already.

    Args:
        url (str): where from.
        model_dir (str, optional): the folder; ``checkpoints`` in ``get_dir()`` by default.
        map_location: see ``kagari.load``.
        progress (bool): tell how far the download is.
        check_hash (bool): the file's name ends in the beginning of its SHA-256, as in
            ``resnet18-bfd8deac.pth``: check it.
        file_name (str, optional): the name to keep it under.
        weights_only (bool): see ``kagari.load``; no code is run either way.

    Returns:
        The object, mostly a state_dict.

    Reference: https://pytorch.org/docs/stable/hub.html
    """
    import kagari

    folder = Path(model_dir if model_dir is not None else os.path.join(get_dir(), "checkpoints"))
    folder.mkdir(parents=True, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    path = folder / name
    if not path.exists():
        match = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, str(path), match.group(1) if match else None, progress)
    return kagari.load(str(path), map_location=map_location, weights_only=weights_only)
