"""Serving our style sheets and scripts from where they are installed, without a step that collects them."""

import gzip
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]
from whitenoise.responders import StaticFile  # type: ignore[import-untyped]

KEPT: Final = "public, max-age=31536000, immutable"
PACKED: Final = ("text/css", "text/javascript", "image/svg+xml")


class VersionedFiles(StaticFilesStorage):
    """Gives each file an address that changes with what is in it, so that browsers keep it and never use an old one."""

    def url(self, name: str | None) -> str:
        """Return where a file is, with its version."""
        address: str = super().url(name)
        return f"{address}?v={version}" if name and (version := _version(name)) else address


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, answering with whole files: under ASGI Django cannot stream from a file without a warning."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """Answer with a file, or with "not modified"; text goes compressed to who understands that."""
        found = static_file.get_response(request.method, request.META)
        response = HttpResponse(found.file.read() if found.file else b"", status=int(found.status))
        del response["content-type"]
        for name, value in found.headers:
            response[name] = value
        if "v" in request.GET:
            response["Cache-Control"] = KEPT
        if response.get("Content-Type", "").startswith(PACKED):
            patch_vary_headers(response, ("Accept-Encoding",))
            if response.status_code == 200 and "gzip" in request.headers.get("accept-encoding", ""):
                response.content = _packed(response.content)
                response["Content-Encoding"], response["Content-Length"] = "gzip", str(len(response.content))
        return response


@cache
def _version(name: str) -> str:
    found = finders.find(name)
    return sha256(Path(found).read_bytes()).hexdigest()[:10] if found else ""


@lru_cache(maxsize=64)
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
