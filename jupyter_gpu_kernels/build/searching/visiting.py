"""Reading pages of package indexes the way uv would: same proxies, certificates and credentials."""

from __future__ import annotations

import contextlib
import netrc
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ...errors import ChannelError
from ..tools.redaction import redact
from ..wheels import web
from .pages import ACCEPT, File, read_html, read_json

#: Seconds without a byte after which an index counts as out of reach.
PATIENCE = 10.0

#: Bytes of a page; the longest known ones have a fourth of that.
LONGEST = 64 << 20


class Visitor:
    """Reads pages.

    Args:
        environ: The environment that uv runs in.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        https = urllib.request.HTTPSHandler(context=web.trust(environ))
        self._through_proxy = urllib.request.build_opener(urllib.request.ProxyHandler(web.proxies(environ)), https)
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)

    def project(self, index: str, project: str) -> list[File]:
        """The files that an index has of a project; none if it has no such project. Blocks on the net.

        Raises:
            ChannelError: It does not answer as it should.
        """
        if index.startswith(("http://", "https://")):
            return self.page(f"{index.rstrip('/')}/{project}/")
        folder = _local(index) / project
        page = folder / "index.html"
        return read_html(page.read_text("utf-8", "replace")) if page.is_file() else _listed(folder)

    def links(self, place: str) -> list[File]:
        """The files in a directory, or that a page links to; raises as :meth:`project`."""
        return self.page(place) if place.startswith(("http://", "https://")) else _listed(_local(place))

    def page(self, url: str) -> list[File]:
        """The files that a page lists; raises as :meth:`project`."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        bare = urlunsplit(parts._replace(netloc=host))
        request = urllib.request.Request(bare, headers={"Accept": ACCEPT})
        if login := self._login(url):
            # Not for the host that it may redirect to.
            request.add_unredirected_header("Authorization", web.authorization(login))
        opener = self._direct if web.unproxied(url, self._environ) else self._through_proxy
        try:
            with opener.open(request, timeout=PATIENCE) as reply:
                body, kind = reply.read(LONGEST), reply.headers.get_content_type()
            return read_json(body) if kind.endswith("json") else read_html(body.decode("utf-8", "replace"))
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (404, 410):
                return []
            raise _unwilling(host, error.code) from None
        # Also what is no HTTP, no page, or no end of one.
        except Exception as error:
            reason = getattr(error, "reason", None) or error
            msg = f"The package index at {host} cannot be read: {redact(str(reason)).rstrip('.') or 'no reason'}."
            raise ChannelError(
                msg, cure="Check the connection, and the index in pip's or uv's configuration."
            ) from None

    def _login(self, url: str) -> str:
        """User and password for a URL."""
        if named := web.login(url):
            return named
        with contextlib.suppress(OSError, netrc.NetrcParseError):
            found = netrc.netrc(self._environ.get("NETRC")).authenticators(urlsplit(url).hostname or "")
            if found is not None:
                return f"{found[0]}:{found[2] or ''}"
        return ""


def _unwilling(host: str, status: int) -> ChannelError:
    """The error of an index that answers, and not with a page."""
    if status in (401, 403, 407):
        msg = f"The package index at {host} refuses access (HTTP {status})."
        return ChannelError(msg, cure="Check the credentials in pip's or uv's configuration.")
    msg = f"The package index at {host} does not answer as it should (HTTP {status})."
    return ChannelError(msg, cure="Try again later; if it stays so, tell whoever runs the index.")


def _local(place: str) -> Path:
    """The directory that a ``file:`` URL or a path means."""
    return Path(urllib.request.url2pathname(urlsplit(place).path) if place.startswith("file:") else place).expanduser()


def _listed(folder: Path) -> list[File]:
    try:
        return [File(path.name) for path in folder.iterdir()]
    except OSError:
        return []
