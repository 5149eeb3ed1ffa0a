"""The advisor's pages: the point with its open form, and one session."""

from etapalvelu.domain.codes import Language as ServiceLanguage
from etapalvelu.domain.codes import Reason
from etapalvelu.pages.advisor_views import AdvisorView, RoomTile, ThemeChoice
from etapalvelu.pages.forms import Choice, codes
from etapalvelu.pages.language import Language


def open_choices(view: AdvisorView, language: Language) -> dict[str, tuple[Choice, ...]]:
    """What may be chosen in the open form just now; what may not is shown with the reason."""
    return {
        "theme": tuple(_theme(theme, language) for theme in view.themes),
        "room": tuple(_room(room, language) for room in view.rooms),
        "language": codes(ServiceLanguage, "language", language.text),
        "reason": codes(Reason, "reason", language.text),
    }


def _theme(theme: ThemeChoice, language: Language) -> Choice:
    name = language.text(f"theme.{theme.key}")
    if not theme.offered:
        return theme.key, language.text("advisor.theme_not_offered", theme=name), True
    if theme.open_now or theme.opens_at is None:
        return theme.key, name, not theme.open_now
    return theme.key, language.text("advisor.theme_opens", theme=name, opens_at=language.day_moment(theme.opens_at)), True


def _room(room: RoomTile, language: Language) -> Choice:
    if not room.is_free:
        return room.id, language.text("advisor.room_in_use", room=room.name), True
    return room.id, language.text("advisor.room_state", room=room.name, state=language.text(f"readiness.{room.readiness}"))
