"""Can what packages come from be reached? All sources are asked at once, and one cause makes one finding."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...build.conda.condarc import read_condarc
from ...build.conda.failures import Kind
from ...errors import RefusedError
from ...models import Finding
from ..check import NotApplicable, note, problem, warning
from ..context import Context
from . import sources
from .sources import Answer

#: What stands between us and a source, and is the same for all of them.
_ON_THE_WAY = (Kind.PROXY, Kind.PROXY_LOGIN)

#: What is wrong, after the source; and what to do.
WORDS: dict[Kind, tuple[str, str]] = {
    Kind.FORBIDDEN: (
        "{host} refuses access to {source}",
        "Check the credentials that are configured for it, or ask whoever runs it for access.",
    ),
    Kind.MISSING: ("{host} does not have {source}", "Check its name and its address for typing errors."),
    Kind.OVERLOADED: ("{host} is in trouble", "Wait some minutes and try again, or use a mirror."),
    Kind.CERTIFICATE: (
        "The certificate of {host} is not trusted here",
        "Name the file with your organisation's certificates in SSL_CERT_FILE, as ssl_verify in .condarc, and as cert "
        "in pip's configuration.",
    ),
    Kind.ENCRYPTION: (
        "{host} does not speak encrypted HTTP there",
        "Check whether its address begins with http or https.",
    ),
    Kind.NAME: ("There is no host {host}", "Check the address for typing errors, and the network's name server."),
    Kind.REFUSED: ("{host} does not accept connections", "Try again later, or configure another mirror."),
    Kind.SLOW: ("{host} does not answer in time", "Try again later, or configure another mirror."),
    Kind.REDIRECT: ("{host} sends us in circles", "Check the address, and whether the network wants a login."),
    Kind.STRANGE: (
        "{host} answers with something else than packages",
        "Open the address in a browser: perhaps the network wants a login first, or the mirror is damaged.",
    ),
}


def look(context: Context) -> Iterator[Finding]:
    """Ask all conda channels and package indexes, of the configuration and of the environments."""
    condarc = read_condarc(context.environ)
    try:
        settings, owners = sources.settings_of(context, condarc)
    except RefusedError as error:
        yield problem(error.message, evidence=sources.files_of(condarc), cure=error.cure)
        return
    try:
        answers = sources.ask_all(context, settings, owners)
    except asyncio.TimeoutError:
        msg = "The network could not be asked in time."
        raise NotApplicable(msg) from None
    yield from findings(answers)


def findings(answers: Sequence[Answer]) -> Iterator[Finding]:
    """What follows from the answers: one finding for each cause."""
    answers = [_blamed(answer, answers) for answer in answers]
    failed = [answer for answer in answers if answer.kind is not None]
    if len(failed) > 1 and len(failed) == len(answers) and all(answer.silent for answer in failed):
        yield problem(
            "Nothing that packages come from can be reached: this machine has no network, or is cut off from it.",
            evidence=map(_fact, failed),
            cure="Check the connection. Kernels that are there work without it; nothing can be built or rebuilt.",
        )
        return
    causes: defaultdict[tuple[Kind, str], list[Answer]] = defaultdict(list)
    for answer in failed:
        assert answer.kind is not None
        if answer.kind in _ON_THE_WAY:
            causes[Kind.PROXY, answer.proxy].append(answer)
        else:
            causes[answer.kind, answer.host or _reason(answer)].append(answer)
    for (kind, key), same in causes.items():
        if kind is Kind.PROXY:
            yield _proxy(key, same)
        else:
            yield _source(kind, same, elsewhere=len(failed) < len(answers))


def _blamed(answer: Answer, answers: Sequence[Answer]) -> Answer:
    """An answer that did not come; if none came through its proxy, it is the proxy's doing."""
    same = [other for other in answers if answer.proxy and other.proxy == answer.proxy]
    if answer.kind is Kind.SLOW and all(other.kind in (Kind.SLOW, *_ON_THE_WAY) for other in same) and same:
        return replace(answer, kind=Kind.PROXY)
    return answer


def _source(kind: Kind, same: Sequence[Answer], *, elsewhere: bool) -> Finding:
    """The finding of a server that does not answer as it should."""
    first = same[0]
    words, cure = WORDS.get(kind, ("{host} does not answer as it should", "Read the evidence, then try again."))
    names = " and ".join(answer.source for answer in same)
    if not first.host:
        # Only the tool that asked knows where the default is.
        said = f"{names} cannot be used: {_reason(first)}"
    elif "{source}" in words:
        said = words.format(host=first.host, source=names)
    else:
        said = f"{words.format(host=first.host)}: {names} cannot be used"
    # Nobody there is somebody else's weather, as long as there are other sources; all else is somebody's to mend.
    finding = warning if elsewhere and first.silent else problem
    if finding is warning and all(answer.said == sources.DEFAULT for answer in same):
        # Nor is it missed where nobody has asked for it.
        finding, cure = (
            note,
            "Nothing needs to be done: what is not asked for by name is taken from where it can be had.",
        )
    return finding(f"{_began(said, first)}.", evidence=map(_fact, same), cure=cure)


def _proxy(proxy: str, same: Sequence[Answer]) -> Finding:
    """The finding of a proxy that does not let us through."""
    name = proxy or "in between"
    near = [answer.host for answer in same if _near(answer.host)]
    if any(answer.kind is Kind.PROXY_LOGIN for answer in same):
        return problem(
            f"The proxy {name} wants a login.",
            evidence=map(_fact, same),
            cure="Put user and password into the proxy's address, in https_proxy or as proxy_servers in .condarc.",
        )
    cure = "Check https_proxy and http_proxy, proxy_servers in .condarc and proxy in pip's configuration."
    if near:
        cure += f" If {near[0]} is in your own network, add it to no_proxy."
    return problem(f"The proxy {name} does not let us through.", evidence=map(_fact, same), cure=cure)


def _reason(answer: Answer) -> str:
    """Why a source cannot be used, in the tool's words, half a sentence."""
    return (answer.words.partition(": ")[2] or answer.words).rstrip(".")


def _began(said: str, answer: Answer) -> str:
    """A sentence; the names of hosts stay as they are."""
    return said if answer.host and said.startswith(answer.host) else f"{said[0].upper()}{said[1:]}"


def _near(host: str) -> bool:
    """Whether a host is probably in one's own network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return bool(host) and ("." not in host or host.endswith((".local", ".lan", ".internal")))


def _fact(answer: Answer) -> str:
    """What one source said, and who names it."""
    return f"{answer.source} ({answer.said}): {answer.words}" if answer.said else f"{answer.source}: {answer.words}"
