"""The whole server on a real store, and browsers to look at its pages with."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import ClientResponse

from etapalvelu.domain.people import Person
from tests.doorstep import Doorstep
from tests.pages.reading import Node, read


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An answer that was read."""

    status: int
    location: str
    page: Node

    @property
    def body(self) -> dict[str, str]:
        """What the body says of itself."""
        (body,) = self.page.all("body")
        return body.attributes

    @property
    def title(self) -> str:
        (title,) = self.page.all("h1")
        return title.text


@dataclass(frozen=True, kw_only=True)
class Browser:
    """One browser in which some people have signed in, reading English unless told otherwise."""

    doorstep: Doorstep
    people: tuple[Person, ...]
    language: str = "en"

    async def get(self, path: str) -> Seen:
        answer = await self.doorstep.client.get(path, headers=await self.headers(), allow_redirects=False)
        return await _seen(answer)

    async def post(self, path: str, fields: Mapping[str, str | list[str]]) -> Seen:
        """Post a form as a browser does, with the token that proves it was meant."""
        token = {"csrf": (await self.doorstep.login(self.people[0])).visitor.csrf_token} if self.people else {}
        pairs = [
            (name, one) for name, value in {**token, **fields}.items() for one in ([value] if isinstance(value, str) else value)
        ]
        answer = await self.doorstep.client.post(path, data=pairs, headers=await self.headers(), allow_redirects=False)
        return await _seen(answer)

    async def headers(self) -> dict[str, str]:
        cookies = (await self.doorstep.cookies(*self.people)).get("Cookie", "")
        return {"Cookie": f"etapalvelu-language={self.language}; {cookies}"}


async def _seen(answer: ClientResponse) -> Seen:
    text = await answer.text()
    page = read(text) if answer.content_type == "text/html" else Node("text", {}, [text])
    return Seen(status=answer.status, location=answer.headers.get("Location", ""), page=page)
