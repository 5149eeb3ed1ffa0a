"""Where the files of web/ are, and the version in front of every static address.

The version is a digest of all static files, so an address never changes its meaning and may be kept for ever.
"""

import hashlib
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent

# Inside the installed package, or beside it in a checkout.
WEB = next(folder for folder in (_PACKAGE / "web", _PACKAGE.parent / "web") if folder.is_dir())
TEMPLATES = WEB / "templates"
LOCALE = WEB / "locale"
STATIC = WEB / "static"


def static_version(folder: Path = STATIC) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
