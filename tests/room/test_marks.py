import pytest

from etapalvelu.room.marks import KEPT_SECONDS, SheetMarks
from signaling.document import MAX_ALL_POINTS, MAX_MARKS, MAX_POINTS, AddMark, Mark, Marks, Point, PointAt

ZIGZAG: tuple[Point, ...] = ((0.1, 0.1), (0.2, 0.3), (0.3, 0.1))


@pytest.fixture
def marks() -> SheetMarks:
    """Marks on sheet 1."""
    marks = SheetMarks()
    marks.turn_to(1, 0)
    return marks


def stroke(mark_id: str = "m1", page: int = 1, points: tuple[Point, ...] = ZIGZAG) -> AddMark:
    return AddMark(page=page, id=mark_id, points=points)


def test_marks_and_pointer_are_told_as_one_state(marks: SheetMarks) -> None:
    said = [marks.add(stroke("a")), marks.add(stroke("b", points=((0.5, 0.5),))), marks.point(PointAt(page=1, point=(0.25, 1)))]

    both = (Mark(id="a", points=ZIGZAG), Mark(id="b", points=((0.5, 0.5),)))
    assert (said, marks.state) == ([None] * 3, Marks(page=1, marks=both, pointer=(0.25, 1)))


def test_the_newest_mark_is_undone_and_all_are_cleared_but_the_pointer_stays(marks: SheetMarks) -> None:
    for mark_id in ("a", "b", "c"):
        marks.add(stroke(mark_id))
    marks.point(PointAt(page=1, point=(0.5, 0.5)))

    marks.undo()
    after_undo = [mark.id for mark in marks.state.marks]
    marks.clear()
    marks.undo()

    assert (after_undo, marks.state) == (["a", "b"], Marks(page=1, marks=(), pointer=(0.5, 0.5)))


def test_a_mark_sent_again_under_its_id_is_drawn_anew(marks: SheetMarks) -> None:
    marks.add(stroke("a"))

    marks.add(stroke("a", points=((0.4, 0.4), (0.5, 0.5))))

    assert marks.state.marks == (Mark(id="a", points=((0.4, 0.4), (0.5, 0.5))),)


def test_the_pointer_goes_away_when_nobody_points(marks: SheetMarks) -> None:
    marks.point(PointAt(page=1, point=(0.5, 0.5)))

    marks.point_end()

    assert marks.state.pointer is None


@pytest.mark.parametrize("point", [(-0.001, 0.5), (1.001, 0.5), (0.5, -0.2), (0.5, 7.0)])
def test_what_lies_outside_the_page_is_refused_and_changes_nothing(marks: SheetMarks, point: Point) -> None:
    before = marks.state

    refusals = [marks.point(PointAt(page=1, point=point)), marks.add(stroke(points=((0.5, 0.5), point)))]

    assert (refusals, marks.state) == (["outside_page"] * 2, before)


@pytest.mark.parametrize("page", [0, 2, 7])
def test_on_another_sheet_nothing_is_drawn(marks: SheetMarks, page: int) -> None:
    refusals = [marks.point(PointAt(page=page, point=(0.5, 0.5))), marks.add(stroke(page=page))]

    assert (refusals, marks.state) == (["page_gone"] * 2, Marks(page=1, marks=(), pointer=None))


def test_without_a_sheet_nothing_is_drawn() -> None:
    marks = SheetMarks()

    assert [marks.add(stroke(page=0)), marks.state] == ["page_gone", Marks(page=0, marks=(), pointer=None)]


def test_more_marks_than_the_limit_are_refused_but_one_of_them_may_still_grow(marks: SheetMarks) -> None:
    said = [marks.add(stroke(f"m{number}")) for number in range(MAX_MARKS)]

    refusals = [marks.add(stroke("one-more")), marks.add(stroke("m7", points=((0.9, 0.9),)))]

    assert (said, refusals, len(marks.state.marks)) == ([None] * MAX_MARKS, ["too_many", None], MAX_MARKS)


def test_a_stroke_longer_than_the_limit_is_refused(marks: SheetMarks) -> None:
    longest = ((0.1, 0.1), (0.9, 0.9)) * (MAX_POINTS // 2)

    assert [marks.add(stroke("a", points=longest)), marks.add(stroke("b", points=(*longest, (0.5, 0.5))))] == [None, "too_many"]


def test_all_marks_together_have_a_limit_too(marks: SheetMarks) -> None:
    longest = tuple((number / MAX_POINTS, 0.1 + 0.8 * (number % 2)) for number in range(MAX_POINTS))

    said = [marks.add(stroke(f"m{number}", points=longest)) for number in range(MAX_ALL_POINTS // MAX_POINTS + 1)]

    assert said == [*[None] * (MAX_ALL_POINTS // MAX_POINTS), "too_many"]


def test_a_stroke_keeps_only_the_points_where_it_bends(marks: SheetMarks) -> None:
    line = tuple((0.1 + number * 0.002, 0.5) for number in range(300))

    marks.add(stroke("line", points=(*line, (0.698, 0.9))))

    assert marks.state.marks == (Mark(id="line", points=((0.1, 0.5), (0.698, 0.5), (0.698, 0.9))),)


def test_marks_go_with_their_sheet(marks: SheetMarks) -> None:
    marks.add(stroke())
    marks.point(PointAt(page=1, point=(0.5, 0.5)))

    changed = [marks.turn_to(1, 1), marks.turn_to(2, 1)]

    assert (changed, marks.state) == ([False, True], Marks(page=2, marks=(), pointer=None))


def test_marks_are_there_again_when_their_sheet_is_soon_back(marks: SheetMarks) -> None:
    marks.add(stroke())
    drawn = marks.state
    marks.turn_to(0, 5)
    without = marks.state

    marks.turn_to(1, 5 + KEPT_SECONDS)

    assert (without, marks.state) == (Marks(page=0, marks=(), pointer=None), drawn)


@pytest.mark.parametrize(("page", "after"), [(1, KEPT_SECONDS + 0.1), (2, 0.1)])
def test_marks_are_not_put_on_another_sheet_nor_back_after_long(marks: SheetMarks, page: int, after: float) -> None:
    marks.add(stroke())
    marks.turn_to(0, 5)

    marks.turn_to(page, 5 + after)
    marks.turn_to(0, 6 + after)
    marks.turn_to(1, 6 + after)

    assert marks.state == Marks(page=1, marks=(), pointer=None)
