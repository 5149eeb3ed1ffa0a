"""Reads pages as a person does: what stands under an id, what a form holds, what the body says of itself."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "use", "path", "rect", "circle", "line", "polyline"})


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    parts: list["Node | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its words, white space made single."""
        return " ".join(" ".join(part if isinstance(part, str) else part.text for part in self.parts).split())

    def all(self, tag: str) -> list["Node"]:
        """Every element of this kind below, in order."""
        found = []
        for part in self.parts:
            if isinstance(part, Node):
                found += [part] if part.tag == tag else []
                found += part.all(tag)
        return found

    def having(self, name: str, value: str) -> "Node":
        """The one element below with this attribute."""
        (found,) = [node for node in self._below() if node.attributes.get(name) == value]
        return found

    def by_id(self, id_: str) -> "Node":
        return self.having("id", id_)

    def options(self, id_: str) -> dict[str, str]:
        """What may be chosen in this select: values and their words."""
        return {option.attributes["value"]: option.text for option in self.by_id(id_).all("option")}

    def focused(self) -> str:
        """The name of the field that has the focus when the page is there: the first that asks for it."""
        return next((node.attributes["name"] for node in self._below() if "autofocus" in node.attributes), "")

    def hidden(self, action: str) -> dict[str, str]:
        """The hidden fields of the form that posts there."""
        form = self.having("action", action)
        return {
            node.attributes["name"]: node.attributes["value"]
            for node in form.all("input")
            if node.attributes.get("type") == "hidden"
        }

    def _below(self) -> list["Node"]:
        nodes = [part for part in self.parts if isinstance(part, Node)]
        return [below for node in nodes for below in (node, *node._below())]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("page", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].parts.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].parts.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            closed = self.open.pop()
            assert closed.tag == tag, f"<{closed.tag}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def read(html: str) -> Node:
    """The page as a tree. Fails on elements that are not closed in order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    (page,) = reader.open
    return page
