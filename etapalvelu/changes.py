"""What somebody changed: the fields that became different, as they were and as they are since."""

import msgspec

Differences = dict[str, tuple[object, object]]


def differences(before: msgspec.Struct | None, after: msgspec.Struct) -> Differences:
    """Nothing where nothing did; a new thing was nothing before."""
    old = {} if before is None else msgspec.to_builtins(before)
    new = msgspec.to_builtins(after)
    return {name: (old.get(name), new[name]) for name in new if old.get(name) != new[name]}
