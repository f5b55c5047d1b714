"""What exists in the virtual cloud before a station connects, and what tests and summaries read of it afterwards."""

from __future__ import annotations

import collections
import datetime
import secrets
from collections.abc import Iterable
from typing import Any

from drivers.clock import Clock
from drivers.identity import DeviceId, Iccid, Imei, MacAddress, MobileSecret, Secret, SerialNumber

from . import firmware, login, sims
from .devices import device_json
from .firmware import prefix_of
from .seen import SeenRequest, SeenRequests
from .sims import SimClass
from .store import Store, digest


class Registry:
    """Accounts, products, units and firmware of a virtual cloud. Thread-safe.

    What is there already stays as it is, so a cloud that continues from its file can be set up again.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._seen = SeenRequests(store, clock)
        self._first_seq = store.last_request

    # --- accounts ---

    def create_user(
        self, username: str, password: Secret | None = None, *, otp_secret: Secret | None = None,
        device_limit: int | None = None,
    ) -> None:  # fmt: skip
        """Create an account. With ``otp_secret`` (base32) its logins need a second factor.

        ``device_limit``: devices outside products that its plan allows.
        """
        hashed = None if password is None else digest(username, password.reveal())
        with self._store.transaction():
            self._store.run("INSERT OR IGNORE INTO users (username) VALUES (?)", username)
            self._store.run(
                "UPDATE users SET password = coalesce(?, password), otp_secret = coalesce(?, otp_secret),"
                " device_limit = coalesce(?, device_limit) WHERE username = ?",
                hashed, None if otp_secret is None else otp_secret.reveal(), device_limit, username,
            )  # fmt: skip

    def one_time_password(self, username: str) -> str:
        """Return what the authenticator app of an account shows now."""
        row = self._store.row("SELECT otp_secret FROM users WHERE username = ?", username)
        secret = None if row is None else row["otp_secret"]
        assert secret is not None, f"{username} has no second factor"
        return login.otp_of(secret, self._clock.utc())

    def create_token(
        self, username: str, *, scopes: Iterable[str] = (), is_api: bool = False, expires_in: float | None = None
    ) -> Secret:
        """Create a token of ``username``, and the user if necessary. ``scopes`` apply to API users only.

        ``expires_in``: seconds from now; None: it does not expire.
        """
        expires = None if expires_in is None else self._clock.utc() + datetime.timedelta(seconds=expires_in)
        with self._store.transaction():
            self._store.run("INSERT OR IGNORE INTO users (username, is_api) VALUES (?, ?)", username, int(is_api))
            text = login.issue(
                self._store,
                username,
                scopes=" ".join(scopes),
                expires_at=None if expires is None else expires.isoformat(),
            )
        return Secret(text)

    def revoke_tokens(self, username: str) -> None:
        """Revoke all tokens of ``username``; requests with one are answered 401 from now on."""
        self._store.run("DELETE FROM tokens WHERE username = ?", username)

    def create_client(
        self, name: str, username: str, product_id: int | None = None, known: Secret | None = None
    ) -> tuple[str, Secret]:
        """Create an OAuth client of a product or (None) of an account; return its id and secret, ``known`` or new."""
        secret = secrets.token_hex(20) if known is None else known.reveal()
        self._store.run(
            "INSERT OR REPLACE INTO clients (id, secret, name, type, username, product_id)"
            " VALUES (?, ?, ?, 'installed', ?, ?)",
            name, digest(name, secret), name, username, product_id,
        )  # fmt: skip
        return name, Secret(secret)

    # --- products and units ---

    def create_product(
        self, product_id: int, platform_id: int, *, slug: str, name: str, team: Iterable[str], quarantine: bool = True,
        org: str | None = None, device_limit: int | None = None,
    ) -> None:  # fmt: skip
        """Create a product, unless there is one with that number."""
        with self._store.transaction():
            self._store.run(
                "INSERT OR IGNORE INTO products (id, slug, name, platform_id, quarantine, org, device_limit)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                product_id, slug, name, platform_id, int(quarantine), org, device_limit,
            )  # fmt: skip
            for username in team:
                self._store.run("INSERT OR IGNORE INTO users (username) VALUES (?)", username)
                self._store.run("INSERT OR IGNORE INTO team (product_id, username) VALUES (?, ?)", product_id, username)

    def register_unit(
        self,
        device_id: DeviceId,
        platform_id: int,
        *,
        serial: SerialNumber | None = None,
        iccid: Iccid | None = None,
        imei: Imei | None = None,
        mac: MacAddress | None = None,
        secret: MobileSecret | None = None,
        is_plastic_sim: bool = False,
        sim_class: SimClass = SimClass.FAST,
    ) -> None:
        """Register a unit as its factory would have; one that is already registered stays as it is.

        The factory does not know which plastic SIM will be put into a unit (G3).
        """
        iccid = iccid and Iccid.told(str(iccid))  # the carrier's number of a SIM lacks the fillers its modem may add
        facts = [None if fact is None else str(fact) for fact in (serial, iccid, imei, mac)]
        if is_plastic_sim:
            facts[1] = None
        with self._store.transaction():
            self._store.run(
                "INSERT OR IGNORE INTO devices"
                " (id, platform_id, serial_number, iccid, imei, mac_wifi, mobile_secret) VALUES (?, ?, ?, ?, ?, ?, ?)",
                str(device_id), platform_id, *facts, None if secret is None else secret.reveal(),
            )  # fmt: skip
            if iccid is not None:
                self.register_sim(iccid, is_plastic=is_plastic_sim, sim_class=sim_class)

    def register_sim(self, iccid: Iccid, *, is_plastic: bool = True, sim_class: SimClass = SimClass.FAST) -> None:
        """Register a SIM card, by default one that is sold by itself."""
        self._store.run(
            "INSERT OR IGNORE INTO sims (iccid, is_plastic, speed) VALUES (?, ?, ?)",
            str(iccid), int(is_plastic), sim_class.word,
        )  # fmt: skip

    def create_firmware(self, product_id: int, version: int, data: bytes, *, has_run: bool = True) -> None:
        """Put a binary into a product as one version of its firmware, which some device of it has run."""
        assert prefix_of(data) is not None, "not a module of Device OS or an application"
        self._store.run(
            "INSERT OR IGNORE INTO firmware (product_id, version, name, data, uploaded_on, has_run)"
            " VALUES (?, ?, 'firmware.bin', ?, ?, ?)",
            product_id, version, data, self._clock.utc().isoformat(), int(has_run),
        )  # fmt: skip

    def release_firmware(self, product_id: int, version: int, *groups: str) -> None:
        """Release a version to ``groups``, or without any as the product's default; units get it as they connect."""
        firmware.release(self._store, product_id, version, groups, is_default=not groups)

    def edit_device(self, device_id: DeviceId, **columns: object) -> None:
        """Change columns of a device directly (owner, name, product_id, is_protected, ...)."""
        self._edit("devices", "id", str(device_id), columns)

    def edit_sim(self, iccid: Iccid, **columns: object) -> None:
        """Change columns of a SIM directly (status, username, product_id, activations, ...)."""
        self._edit("sims", "iccid", str(iccid), columns)

    def edit_product(self, product_id: int, **columns: object) -> None:
        """Change columns of a product directly (is_paused, quarantine, device_limit, ...)."""
        self._edit("products", "id", product_id, columns)

    def _edit(self, table: str, key: str, value: object, columns: dict[str, object]) -> None:
        for column, content in columns.items():
            assert column.isidentifier()
            self._store.run(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", content, value)

    def order_sim(self, iccid: Iccid, *, polls: int = 0, failures: int = 0) -> None:
        """Make the next activation of a SIM last at least ``polls`` polls, and fail ``failures`` times."""
        self._store.run("UPDATE sims SET polls_left = ?, will_fail = ? WHERE iccid = ?", polls, failures, str(iccid))

    def approve_transfer(self, transfer_id: str) -> None:
        """Agree to a transfer, as its owner does by e-mail."""
        row = self._store.row("SELECT * FROM transfers WHERE id = ?", transfer_id)
        assert row is not None, "no such transfer"
        with self._store.transaction():
            self._store.run("UPDATE devices SET owner = ? WHERE id = ?", row["username"], row["device_id"])
            self._store.run("DELETE FROM transfers WHERE id = ?", transfer_id)

    # --- for tests and summaries ---

    def device(self, device_id: DeviceId) -> dict[str, Any] | None:
        """Return the device object as the API would to its owner; None if there is none."""
        row = self._store.row("SELECT * FROM devices WHERE id = ?", str(device_id))
        return None if row is None else device_json(self._store, self._clock.utc(), row)

    def codes_used_by(self, device_id: DeviceId) -> int:
        """Return how many claim codes the unit has handed in that made somebody its owner, or met one."""
        row = self._store.row("SELECT count(*) AS n FROM claim_codes WHERE used_by = ?", str(device_id))
        return 0 if row is None else int(row["n"])

    def sim_status(self, iccid: Iccid) -> str:
        """Return the SIM's status now: ``inactive``, ``active``, or ``unknown`` if it is not registered."""
        sim = sims.settle(self._store, str(iccid), self._clock.utc())
        return "unknown" if sim is None else str(sim["status"])

    def requests(self, *, since_start: bool = True) -> list[SeenRequest]:
        """List the requests that reached this cloud, oldest first; by default since this object was created."""
        return self._seen.since(self._first_seq if since_start else 0)

    @property
    def writes(self) -> dict[str, int]:
        """Return the number of state-changing requests by route since this object was created, effective or not."""
        return dict(collections.Counter(r.route for r in self.requests() if r.is_write))

    @property
    def effects(self) -> dict[str, int]:
        """Return the number of requests by route that changed something, over the whole life of the file."""
        return dict(collections.Counter(r.route for r in self.requests(since_start=False) if r.had_effect))
