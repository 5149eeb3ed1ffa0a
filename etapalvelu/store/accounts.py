"""Staff accounts, logins of every kind, and pairing codes. Secrets are kept as digests only."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.domain.errors import InvalidFieldError
from etapalvelu.domain.people import Role, Staff
from etapalvelu.ports import Account, Login, Pairing
from etapalvelu.store import rows, tables
from etapalvelu.store.engine import reading, writing
from etapalvelu.store.gathered import Gathered


class SqlAccounts:
    """`ports.AccountStore` on SQLAlchemy Core."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._logins = Gathered(self._read_logins)
        self._staff = Gathered(self._read_staff)

    async def account(self, name: str) -> Account | None:
        query = select(tables.account).where(tables.account.c.name == name)
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else rows.to_account(dict(row))

    async def accounts(self) -> list[Account]:
        async with reading(self._engine) as connection:
            found = await connection.execute(select(tables.account).order_by(tables.account.c.name))
            return [rows.to_account(dict(row)) for row in found.mappings()]

    async def staff(self, names: Iterable[str]) -> Mapping[str, Staff]:
        wanted = set(names)
        if len(wanted) != 1:
            return await self._read_staff(wanted)
        staff = await self._staff.ask(*wanted)
        return {} if staff is None else {staff.account: staff}

    async def add_account(self, account: Account) -> None:
        try:
            async with writing(self._engine) as connection:
                await connection.execute(insert(tables.account).values(rows.account_row(account)))
        except IntegrityError as error:
            raise InvalidFieldError("account", "taken") from error

    async def change_account(self, account: Account) -> None:
        row = rows.account_row(account)
        async with writing(self._engine) as connection:
            await connection.execute(update(tables.account).where(tables.account.c.name == row["name"]).values(row))

    async def signed_in(self, role: Role, now: datetime) -> list[Staff]:
        account, login = tables.account.c, tables.login.c
        good = (login.account == account.name, login.role == role, login.revoked.is_(False))
        lasting = or_(login.expires_at.is_(None), login.expires_at > rows.ms(now))
        there = select(login.id).where(*good, lasting).exists()
        query = select(tables.account).where(account.role == role, account.active.is_(True), there).order_by(account.name)
        async with reading(self._engine) as connection:
            return [rows.to_account(dict(row)).staff for row in (await connection.execute(query)).mappings()]

    async def login(self, login_id: str, now: datetime) -> Login | None:
        login = await self._logins.ask(login_id)
        return None if login is None or (login.expires_at is not None and login.expires_at <= now) else login

    async def logins(self, *, account: str | None = None, room: str | None = None) -> list[Login]:
        """Those not revoked, newest first."""
        c = tables.login.c
        query = select(tables.login).where(c.revoked.is_(False)).order_by(c.created_at.desc())
        if account is not None:
            query = query.where(c.account == account)
        if room is not None:
            query = query.where(c.room == room)
        async with reading(self._engine) as connection:
            return [rows.to_login(dict(row)) for row in (await connection.execute(query)).mappings()]

    async def add_login(self, login: Login) -> None:
        async with writing(self._engine) as connection:
            await connection.execute(insert(tables.login).values(rows.login_row(login)))

    async def revoke_login(self, login_id: str) -> None:
        async with writing(self._engine) as connection:
            await connection.execute(update(tables.login).where(tables.login.c.id == login_id).values(revoked=True))

    async def replace_device(self, login: Login) -> list[str]:
        c = tables.login.c
        older = (c.room == login.room) & (c.role == login.role) & c.revoked.is_(False)
        async with writing(self._engine) as connection:
            ids = list(await connection.scalars(select(c.id).where(older)))
            await connection.execute(update(tables.login).where(older).values(revoked=True))
            await connection.execute(insert(tables.login).values(rows.login_row(login)))
        return ids

    async def add_pairing(self, pairing: Pairing) -> None:
        """A code that is there already (the demo's own) is renewed."""
        row = rows.pairing_row(pairing)
        async with writing(self._engine) as connection:
            same = tables.pairing.c.code_digest == pairing.code_digest
            changed = await connection.execute(update(tables.pairing).where(same).values(row))
            if changed.rowcount == 0:
                await connection.execute(insert(tables.pairing).values(row))

    async def use_pairing(self, code_digest: str, now: datetime) -> Pairing | None:
        c = tables.pairing.c
        good = (c.code_digest == code_digest) & c.used.is_(False) & (c.expires_at > rows.ms(now))
        async with writing(self._engine) as connection:
            row = (await connection.execute(select(tables.pairing).where(good))).mappings().one_or_none()
            if row is None:
                return None
            used = update(tables.pairing).where(good, c.reusable.is_(False)).values(used=True)
            await connection.execute(used)
        return rows.to_pairing(dict(row))

    async def _read_staff(self, names: Collection[str]) -> dict[str, Staff]:
        query = select(tables.account).where(tables.account.c.name.in_(names))
        async with reading(self._engine) as connection:
            found = [rows.to_account(dict(row)).staff for row in (await connection.execute(query)).mappings()]
        return {staff.account: staff for staff in found}

    async def _read_logins(self, ids: Collection[str]) -> dict[str, Login]:
        c = tables.login.c
        query = select(tables.login).where(c.id.in_(ids), c.revoked.is_(False))
        async with reading(self._engine) as connection:
            found = [rows.to_login(dict(row)) for row in (await connection.execute(query)).mappings()]
        return {login.id: login for login in found}
