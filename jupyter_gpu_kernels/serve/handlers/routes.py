"""Who answers where."""

from __future__ import annotations

import re
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado import web

from ..openapi import document, operation
from .base import NAMESPACE, GpuKernelsHandler, NowhereHandler
from .catalogue import FrameworksHandler, LogoHandler, PlansHandler
from .channels import ChannelsHandler
from .copies import CloneHandler, RenameHandler
from .diagnosis import DiagnosisHandler
from .environments import (
    BenchmarkHandler,
    EnvironmentHandler,
    EnvironmentsHandler,
    NotebookHandler,
    RebuildHandler,
    SizeHandler,
    VerifyHandler,
)
from .foreign import ForeignHandler
from .gpus import GpusHandler, GpuUsageHandler
from .jobs import JobHandler, JobLogHandler, JobsHandler
from .names import NameHandler, NamesHandler
from .packages import PackagePlansHandler, PackagesHandler
from .packing import PackHandler
from .recipes import RecipeHandler, RecipePlansHandler
from .search import FoundPackageHandler, FoundPackagesHandler
from .sharing import ExportHandler, ImportPlansHandler, ImportsHandler


class OpenApiHandler(GpuKernelsHandler):
    """The description of all this."""

    @web.authenticated
    @authorized
    @operation("Give this document.", answer=dict[str, Any])
    async def get(self) -> None:
        """Give the OpenAPI document."""
        self.answer(document(ROUTES, url_path_join(self.base_url, NAMESPACE)))


#: Path templates below the namespace, and who answers there.
ROUTES: tuple[tuple[str, type[GpuKernelsHandler]], ...] = (
    ("/frameworks", FrameworksHandler),
    ("/frameworks/{id}/logo", LogoHandler),
    ("/gpus", GpusHandler),
    ("/gpus/usage", GpuUsageHandler),
    ("/diagnosis", DiagnosisHandler),
    ("/names", NamesHandler),
    ("/names/{name}", NameHandler),
    ("/plans", PlansHandler),
    ("/environments", EnvironmentsHandler),
    ("/environments/{name}", EnvironmentHandler),
    ("/environments/{name}/size", SizeHandler),
    ("/environments/{name}/notebook", NotebookHandler),
    ("/environments/{name}/verify", VerifyHandler),
    ("/environments/{name}/benchmark", BenchmarkHandler),
    ("/environments/{name}/rebuild", RebuildHandler),
    ("/environments/{name}/clone", CloneHandler),
    ("/environments/{name}/pack", PackHandler),
    ("/environments/{name}/rename", RenameHandler),
    ("/environments/{name}/recipe", RecipeHandler),
    ("/recipes/plan", RecipePlansHandler),
    ("/environments/{name}/export", ExportHandler),
    ("/imports", ImportsHandler),
    ("/imports/plan", ImportPlansHandler),
    ("/environments/{name}/packages", PackagesHandler),
    ("/environments/{name}/packages/plan", PackagePlansHandler),
    ("/packages", FoundPackagesHandler),
    ("/packages/{package}", FoundPackageHandler),
    ("/channels", ChannelsHandler),
    ("/foreign", ForeignHandler),
    ("/jobs", JobsHandler),
    ("/jobs/{id}", JobHandler),
    ("/jobs/{id}/log", JobLogHandler),
    ("/openapi.json", OpenApiHandler),
)

#: What the extension registers: regular expressions after the server's base URL.
default_handlers: list[tuple[str, type[GpuKernelsHandler]]] = [
    *((re.sub(r"{\w+}", "([^/]+)", f"{NAMESPACE}{path}".replace(".", r"\.")), handler) for path, handler in ROUTES),
    (f"{NAMESPACE}(?:/.*)?", NowhereHandler),
]
