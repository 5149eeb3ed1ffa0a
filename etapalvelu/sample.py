"""The sample service point of the demo: places and people that stand for nobody."""

from datetime import date

from etapalvelu.domain.codes import Language
from etapalvelu.domain.people import Role, StaffRequest
from etapalvelu.domain.places import Room, ServicePoint
from etapalvelu.domain.themes import ALL_WEEK, THEMES

PASSWORD = "etapalvelu-demo"  # noqa: S105 - the demo's own, told on its first page; loopback only

POINT = ServicePoint(
    id="rantala",
    name="Rantalan yhteispalvelupiste",
    municipality="Rantala",
    hours=ALL_WEEK,
    opens_on=date(2026, 1, 1),
    phone="020 000 0000",
)


def rooms(count: int) -> list[Room]:
    """The demo's rooms; the first is the one with an agent."""
    return [
        Room(id=f"rantala-{number}", name=f"Huone {number}", point=POINT.id, fit_from=POINT.opens_on)
        for number in range(1, count + 1)
    ]


def staff() -> list[StaffRequest]:
    """One account for each role, and a second expert."""
    themes = tuple(theme.key for theme in THEMES if theme.offered)
    languages = (Language.FI, Language.SV, Language.EN)

    def expert(account: str, name: str) -> StaffRequest:
        return StaffRequest(
            account=account,
            role=Role.EXPERT,
            password=PASSWORD,
            name=name,
            title="asiantuntija",
            themes=themes,
            languages=languages,
        )

    def other(role: Role, name: str, title: str, point: str | None = None) -> StaffRequest:
        return StaffRequest(account=role.value, role=role, password=PASSWORD, name=name, title=title, point=point)

    return [
        other(Role.ADVISOR, "Aino Esimerkki", "palveluneuvoja", POINT.id),
        expert("expert", "Eeva Esimerkki"),
        expert("expert2", "Eero Mallikas"),
        other(Role.SUPERVISOR, "Sirpa Mallikas", "palvelupäällikkö"),
        other(Role.ADMIN, "Antti Esimerkki", "pääkäyttäjä"),
    ]
