"""Pages rendered on the server: the start page and a slot's gallery. No script, no outside resource."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import Response

from photochanger_gateway.adapters.http.models import GalleryBody
from photochanger_gateway.adapters.http.texts import Texts, texts_for

_PAGE_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Vary": "Accept, Accept-Language",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
}


@dataclass(frozen=True, slots=True)
class Pages:
    """Renders pages in the reader's language."""

    environment: Environment
    stylesheet: bytes
    stylesheet_name: str

    @classmethod
    def load(cls) -> "Pages":
        """Reads templates and stylesheet from the package."""
        package = "photochanger_gateway.adapters.http"
        stylesheet = (files(package) / "templates" / "style.css").read_bytes()
        digest = hashlib.sha256(stylesheet).hexdigest()[:12]
        environment = Environment(
            loader=PackageLoader(package, "templates"), autoescape=select_autoescape(), trim_blocks=True
        )
        return cls(environment, stylesheet, f"style-{digest}.css")

    def gallery(self, gallery: GalleryBody, request: Request) -> Response:
        """A slot's gallery."""
        return self._page("gallery.html", request, gallery=gallery)

    def shared(self, galleries: Sequence[GalleryBody] | None, request: Request) -> Response:
        """All galleries while they are shared; None says that they are not."""
        page = self._page("shared.html", request, galleries=galleries)
        if galleries is None:
            page.status_code = 403
        return page

    def start(self, request: Request) -> Response:
        """The start page: where things are."""
        return self._page("start.html", request)

    def not_built(self, request: Request) -> Response:
        """What stands in for the admins' app where it has not been built."""
        page = self._page("not_built.html", request)
        page.status_code = 503
        page.headers["Retry-After"] = "60"
        return page

    def docs(self, document: Mapping[str, object], request: Request) -> Response:
        """The API's description, from its OpenAPI document."""
        return self._page("docs.html", request, document=document)

    def style(self) -> Response:
        """The stylesheet. Its name changes with its content, so it may be kept for ever."""
        return Response(
            self.stylesheet,
            media_type="text/css",
            headers={"Cache-Control": "public, max-age=31536000, immutable"},
        )

    def _page(self, name: str, request: Request, **context: object) -> Response:
        texts: Texts = texts_for(request.headers.get("accept-language", ""))
        html = self.environment.get_template(name).render(
            texts=texts, stylesheet=f"/static/{self.stylesheet_name}", **context
        )
        return Response(html, media_type="text/html", headers=_PAGE_HEADERS)
