"""One unit's cloud work as one value without secrets: kept in the outbox, it outlives the unit's stay at the bench."""

from __future__ import annotations

import dataclasses
import datetime
import json
from dataclasses import dataclass

from drivers.identity import DeviceId

from ...cloud.answers import CloudDevice
from ...errors import BadInput, UnitRejected
from ...firmware.sections import DeviceOs
from ...settings.profile import Profile
from ...words.say import Say
from .allowed import Allowed
from .claim_by import ClaimBy
from .cloud_sections import Cloud, FirmwareLock, Groups, NameTemplate, Notes, Release
from .customer_section import Customer
from .unit import Unit


@dataclass(frozen=True, slots=True)
class CloudJob:
    """One unit's cloud work: identities as canonical text, product by number (None: developer device).

    ``name`` is empty where the profile names nobody.
    """

    device_id: str
    platform_id: int
    product_id: int | None
    name: str
    serial: str = ""
    iccid: str = ""
    imei: str = ""
    claims: bool = False
    claim_user: str = ""  # who owns it then; "": the account of the token
    claims_by_code: bool = False
    customer: str | None = None  # who is to own it in place of the station's account; "": not known yet
    unclaim_from: tuple[str, ...] = ()  # accounts that lose it to the customer
    notes: str = ""
    groups: tuple[str, ...] = ()
    development: bool = False
    firmware_lock: int | None = None
    awaits_release: bool = False
    queues: bool = False  # cloud down: queue the work (else hold the unit)
    was_member: bool = False  # it was in the product before this walk: nothing of that is on its way any more
    cures: tuple[str, ...] = ()  # what a supervisor's list allows to be done to it, by the names of `allowed.Cure`
    allowed_by: str = ""  # whose list that is: a badge
    has_external_sim: bool = False  # it uses the SIM in its holder, not the one soldered in
    awaits_online: bool = False  # it must come online at the bench
    device_os: str = ""  # what it runs then; "": whatever it has
    since: str = ""  # the cloud's own time when the walk began, in ISO 8601: what is older tells of no session of it
    checks_sim: bool = False  # the walk brings its SIM to life
    tried: tuple[tuple[str, str], ...] = ()  # as `CloudRecord.tried`

    @property
    def device(self) -> DeviceId:
        return DeviceId(self.device_id)

    @classmethod
    def of(
        cls,
        unit: Unit,
        profile: Profile,
        product_id: int | None,
        *,
        is_named: bool,
        awaits_online: bool,
        checks_sim: bool = False,
        since: datetime.datetime | None = None,
        allowed: Allowed | None = None,
        tried: tuple[tuple[str, str], ...] = (),
    ) -> CloudJob:  # fmt: skip
        """What is owed for an identified ``unit``; one in DFU has shown its Device ID only."""
        who = unit.known
        assert who.device_id is not None
        serial = str(who.serial) if who.serial else None
        template, cloud = profile.section(NameTemplate), profile.section(Cloud)
        notes, groups, lock = profile.section(Notes), profile.section(Groups), profile.section(FirmwareLock)
        customer, device_os = profile.section(Customer), profile.section(DeviceOs)
        slug, device_id = who.platform.slug, str(who.device_id)
        return cls(
            device_id=device_id, platform_id=who.platform.id, product_id=product_id,
            name=template.render(slug, device_id, serial) if is_named else "",
            serial=serial or "", iccid=str(who.iccid or ""), imei=str(who.imei or ""),
            claims=cloud.claim or customer is not None, claim_user=cloud.claim_user or "",
            claims_by_code=(customer or cloud).claim_by is ClaimBy.CODE,
            customer=customer.address(slug, device_id, serial) if customer else None,
            unclaim_from=customer.unclaim_from if customer else (), development=cloud.development,
            notes=notes.text if notes else "", groups=groups.names if groups else (),
            firmware_lock=lock.version if lock else None, queues=cloud.queues(profile.context),
            cures=allowed.cures_of(device_id, serial or "") if allowed else (),
            allowed_by=allowed.by if allowed else "",
            has_external_sim=who.fact("active_sim") == "external",
            awaits_online=awaits_online, checks_sim=checks_sim, since=since.isoformat() if since else "",
            device_os=str(device_os.version) if device_os is not None else "",
            awaits_release=profile.section(Release) is not None, tried=tried,
        )  # fmt: skip

    @property
    def label(self) -> str:
        """What a person calls the unit."""
        return self.serial or self.device_id

    def compare(self, record: CloudDevice) -> None:
        """The cloud's record must be of this very unit, and of no other product; raises `UnitRejected`."""
        for name, ours, theirs in (
            ("platform", str(self.platform_id), str(record.platform_id or "")),
            ("serial number", self.serial, record.serial_number),
            ("IMEI", self.imei, record.imei),
        ):
            if ours and theirs and ours != theirs:
                raise UnitRejected(
                    f"the cloud knows {self.device_id} with {name} {theirs}, the unit says {ours}; technician",
                    say=Say("record_differs"),
                )
        if self.product_id is not None and record.is_product_device and record.product_id != self.product_id:
            raise UnitRejected(
                f"{self.device_id} is already in product {record.product_id}, this batch wants {self.product_id};"
                f" remove it there first: station rework remove {self.device_id} --product {record.product_id}",
                say=Say("already_elsewhere", product=str(record.product_id)),
            )  # fmt: skip

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> CloudJob:
        """Read an outbox body back, one of another version too; raises `BadInput` when it is not one of ours."""
        known = {field.name for field in dataclasses.fields(cls)}
        try:
            told = {name: value for name, value in json.loads(text).items() if name in known}
            tried = tuple((str(what), str(at)) for what, at in told.get("tried", ()))
            lists = {name: tuple(told.get(name, ())) for name in ("groups", "cures", "unclaim_from")}
            return cls(**told | lists | {"tried": tried})
        except (AttributeError, TypeError, ValueError) as error:
            raise BadInput(f"outbox item is no cloud job: {error}; export the journal and call support") from error
