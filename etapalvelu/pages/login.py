"""Signing in and out. One browser may hold one login for each role."""

from aiohttp import web

from etapalvelu.access import visitor_of
from etapalvelu.cookies import forget_cookie, set_cookie
from etapalvelu.domain.errors import RefusalError
from etapalvelu.domain.people import Role
from etapalvelu.pages.failures import problem_words, words
from etapalvelu.pages.forms import Fields, FormError, FormView
from etapalvelu.pages.frame import HOMES
from etapalvelu.pages.site import language_of, site_of
from etapalvelu.statuses import status_of


async def show(request: web.Request) -> web.StreamResponse:
    return await _form(request, FormView(), request.query.get("next", ""))


async def sign_in(request: web.Request) -> web.StreamResponse:
    site, language = site_of(request), language_of(request)
    fields = Fields(await request.post())
    wanted = fields.text("next", required=False)
    account, password = fields.text("account"), fields.raw("password")
    try:
        if not password:
            fields.problems["password"] = "required"  # noqa: S105 - the name of a problem
        fields.check()
        signed_in = await site.access.sign_in(account, password, request.remote)
    except FormError as error:
        form = FormView(values_by_name=fields.kept(), errors=problem_words(error.problems, language))
        return await _form(request, form, wanted, status=422)
    except RefusalError as refusal:
        form = FormView(values_by_name=fields.kept(), refusal=words(refusal, language))
        response = await _form(request, form, wanted, status=status_of(refusal))
        if "retry_after" in refusal.facts:
            response.headers["Retry-After"] = str(refusal.facts["retry_after"])
        return response
    answer = web.Response(status=303, headers={"Location": _onward(wanted, signed_in.visitor.role)})
    set_cookie(request, answer, signed_in.visitor.role, signed_in.secret)
    return answer


async def sign_out(request: web.Request) -> web.StreamResponse:
    visitor = visitor_of(request)
    await site_of(request).access.sign_out(visitor)
    answer = web.Response(status=303, headers={"Location": "/login?out=1"})
    forget_cookie(request, answer, visitor.role)
    return answer


async def front(request: web.Request) -> web.StreamResponse:
    """The bare address leads to the page of whoever is signed in."""
    site = site_of(request)
    for role, home in HOMES.items():
        if await site.access.by_cookie(request, role) is not None:
            raise web.HTTPSeeOther(home)
    raise web.HTTPSeeOther("/login")


async def _form(request: web.Request, form: FormView, wanted: str, status: int = 200) -> web.Response:
    values = {"form": form, "next": wanted, "signed_out": "out" in request.query}
    return await site_of(request).page(request, "login.html", values, status)


def _onward(wanted: str, role: Role) -> str:
    """Where the person was going, if that is a page of theirs; else the role's own."""
    home = HOMES[role]
    path = local_path(wanted)
    return path if path is not None and (path == home or path.startswith((home + "/", home + "?"))) else home


def local_path(text: str) -> str | None:
    """The address within this server to go on to after signing in; None for anything that would lead elsewhere."""
    if not text.startswith("/") or text.startswith(("//", "/\\")) or any(ord(sign) < 0x20 or sign == "\\" for sign in text):
        return None
    return text
