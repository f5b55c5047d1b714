"""The routes of the virtual cloud: one table, one row a route.

They answer as reference cloud-api describes; where that is silent, they do the least surprising thing.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import accounts, claims, devices, firmware, groups, login, membership, products, releases, sims, streams
from .ask import Auth, Route

_PRODUCT = "/v1/products/<p>"


def _both(method: str, tail: str, *rest: object, **more: object) -> Iterable[Route]:
    """Yield a route outside products and the same one inside."""
    for head in ("/v1", _PRODUCT):
        yield Route(method, head + tail, *rest, **more)  # type: ignore[arg-type]


ROUTES: tuple[Route, ...] = (
    # 2: tokens and accounts
    Route("POST", "/oauth/token", login.create_token, auth=Auth.ANYBODY, is_form=True),
    Route("GET", "/v1/access_tokens", login.list_tokens, auth=Auth.BASIC),
    Route("GET", "/v1/access_tokens/current", login.token_info),
    Route("DELETE", "/v1/access_tokens", login.revoke_all),
    Route("DELETE", "/v1/access_tokens/current", login.revoke_current),
    Route("DELETE", "/v1/access_tokens/<token>", login.revoke_token, auth=Auth.OPTIONAL),
    Route("GET", "/v1/user", login.user),
    Route("POST", "/v1/users", login.create_user, auth=Auth.ANYBODY),
    Route("GET", f"{_PRODUCT}/team", accounts.list_team, "teams.users:list"),
    Route("POST", f"{_PRODUCT}/team", accounts.add_to_team, "teams.users:invite"),
    Route("PUT", f"{_PRODUCT}/team/<username>", accounts.change_api_user, "teams.users:update"),
    Route("PUT", f"{_PRODUCT}/team/<username>/token", accounts.change_api_user, "teams.users:update"),
    Route("DELETE", f"{_PRODUCT}/team/<username>", accounts.remove_from_team, "teams.users:remove"),
    *_both("GET", "/clients", accounts.list_clients, "clients:list"),
    *_both("POST", "/clients", accounts.create_client, "clients:create"),
    *_both("PUT", "/clients/<client>", accounts.change_client, "clients:update"),
    *_both("DELETE", "/clients/<client>", accounts.remove_client, "clients:remove"),
    Route("GET", f"{_PRODUCT}/customers", accounts.list_customers, "customers:list"),
    Route("POST", f"{_PRODUCT}/customers", accounts.create_customer, auth=Auth.ANYBODY),
    Route("DELETE", f"{_PRODUCT}/customers/<email>", accounts.remove_customer, "customers:remove"),
    # 3: products
    Route("GET", "/v1/products", products.list_products, "products:list"),
    Route("GET", "/v1/user/products", products.list_sandbox_products, "products:list"),
    Route("GET", "/v1/orgs", products.list_orgs, "organization:get"),
    Route("GET", "/v1/orgs/<org>/products", products.list_org_products, "products:list"),
    Route("GET", _PRODUCT, products.get_product, "products:get"),
    Route("GET", f"{_PRODUCT}/config", products.get_configuration, "configuration:get"),
    Route("PUT", f"{_PRODUCT}/config", products.put_configuration, "configuration:update"),
    Route("GET", f"{_PRODUCT}/config/<id>", products.get_configuration, "configuration:get"),
    Route("PUT", f"{_PRODUCT}/config/<id>", products.put_configuration, "configuration:update"),
    Route("GET", "/v1/user/search", products.search, "devices:list"),
    Route("GET", "/v1/orgs/<org>/search", products.search, "devices:list"),
    # 4: devices
    Route("GET", f"{_PRODUCT}/devices", devices.list_members, "devices:list"),
    Route("POST", f"{_PRODUCT}/devices", membership.import_devices, "devices:import"),
    Route("PUT", f"{_PRODUCT}/devices", devices.change_groups, "devices:update"),
    Route("GET", "/v1/devices", devices.list_mine, "devices:list"),
    *_both("GET", "/devices/<id>", devices.get_device, "devices:get"),
    *_both("PUT", "/devices/<id>", devices.change_device, "devices:update"),
    *_both("PUT", "/devices/<id>/ping", devices.ping, "devices:ping", changes_nothing=True),
    Route("DELETE", "/v1/devices/<id>", devices.unclaim_mine),
    Route("DELETE", f"{_PRODUCT}/devices/<id>", devices.remove_member, "devices:remove"),
    Route("DELETE", f"{_PRODUCT}/devices/<id>/owner", devices.unclaim_member, "devices:release"),
    Route("GET", f"{_PRODUCT}/groups", groups.list_groups, "groups:list"),
    Route("POST", f"{_PRODUCT}/groups", groups.create_group, "groups:create"),
    Route("GET", f"{_PRODUCT}/groups/<group>", groups.get_group, "groups:get"),
    Route("PUT", f"{_PRODUCT}/groups/<group>", groups.change_group, "groups:update"),
    Route("DELETE", f"{_PRODUCT}/groups/<group>", groups.remove_group, "groups:remove"),
    # 5, 6: claiming, looking up
    Route("POST", "/v1/devices", claims.claim),
    *_both("POST", "/device_claims", claims.create_claim_code),
    Route("GET", "/v1/serial_numbers/<serial>", claims.serial_lookup),
    Route("GET", "/v1/device-os/versions", releases.list_device_os),
    Route("GET", "/v1/device-os/versions/<version>", releases.get_device_os),
    Route("GET", "/v1/firmware/device-os/<version>/<file>", releases.get_device_os_file, auth=Auth.ANYBODY),
    Route("GET", "/v1/build_targets", releases.list_build_targets, auth=Auth.ANYBODY),
    Route("GET", f"{_PRODUCT}/firmware", firmware.list_firmware, "firmware:list"),
    Route("POST", f"{_PRODUCT}/firmware", firmware.upload_firmware, "firmware:create"),
    Route("PUT", f"{_PRODUCT}/firmware/release", firmware.release_firmware, "firmware:release"),
    Route("GET", f"{_PRODUCT}/firmware/<version>", firmware.get_firmware, "firmware:get"),
    Route("PUT", f"{_PRODUCT}/firmware/<version>", firmware.change_firmware, "firmware:update"),
    Route("DELETE", f"{_PRODUCT}/firmware/<version>", firmware.remove_firmware, "firmware:remove"),
    Route("GET", f"{_PRODUCT}/firmware/<version>/binary", firmware.get_binary, "firmware.binary:get"),
    # 7: vitals and events
    *_both("POST", "/diagnostics/<id>/update", devices.ask_vitals, "devices.diagnostics:update", changes_nothing=True),
    *_both("GET", "/diagnostics/<id>/last", devices.last_vitals, "devices.diagnostics:get"),
    *(
        Route("GET", head + tail, streams.open_stream, "events:get")
        for head in (
            "/v1/events",
            "/v1/devices/events",
            f"{_PRODUCT}/events",
            "/v1/devices/<id>/events",
            f"{_PRODUCT}/devices/<id>/events",
        )
        for tail in ("", "/", "/<path:prefix>")
    ),
    Route("POST", "/v1/devices/events", streams.publish, changes_nothing=True),
    Route("POST", f"{_PRODUCT}/events", streams.publish, "events:send", changes_nothing=True),
    # 8: SIM cards
    *_both("GET", "/sims", sims.list_sims, "sims:list"),
    Route("POST", f"{_PRODUCT}/sims", sims.import_sims, "sims:import"),
    Route("GET", f"{_PRODUCT}/sims/data_usage", sims.get_fleet_usage, "sims.usage:get"),
    *_both("GET", "/sims/<iccid>", sims.get_sim, "sims:get"),
    Route("HEAD", "/v1/sims/<iccid>", sims.check_sim, "sims:get"),
    Route("PUT", "/v1/sims/<iccid>", sims.change_sim),
    Route("PUT", f"{_PRODUCT}/sims/<iccid>", sims.change_sim, "sims:update"),
    *_both("DELETE", "/sims/<iccid>", sims.release_sim, "sims:remove"),
    *_both("GET", "/sims/<iccid>/status", sims.network_status, "sims.status:get"),
    *_both("GET", "/sims/<iccid>/data_usage", sims.get_usage, "sims.usage:get"),
)
