"""What a product has released, as the cloud tells it (reference cloud-api 4.4, 6.3), asked of the virtual cloud."""

from __future__ import annotations

import pytest
from support.cloud_bench import PRODUCT, Bench

from drivers.virtual import synthetic
from station.cloud import firmware_api
from station.cloud.body import Answer
from station.cloud.errors import BadAnswer, CloudRefused, NotTheCloud
from station.cloud.firmware_api import FirmwareVersion, wanted_version
from station.cloud.virtual import Fault, FaultKind, Quirks

FILE = synthetic.application(13, "6.3.4", product_version=3).data


@pytest.mark.rule("D2")
@pytest.mark.parametrize("spelling", ["product_default", "current"])
def test_versions_and_to_whom_they_are_released_are_listed(spelling: str, bench: Bench) -> None:
    bench.cloud.quirks = Quirks(firmware_keys={"product_default": spelling})
    assert bench.client.run(firmware_api.firmware(PRODUCT)) == ()
    for version in (3, 4):
        bench.cloud.create_firmware(PRODUCT, version, FILE)
    bench.cloud.release_firmware(PRODUCT, 3)
    bench.cloud.release_firmware(PRODUCT, 4, "beta")
    listed = bench.client.run(firmware_api.firmware("widget-boron"))
    assert set(listed) == {
        FirmwareVersion(3, is_default=True), FirmwareVersion(4, groups=("beta",)),
    }  # fmt: skip


def test_the_file_of_a_version_comes_byte_by_byte(bench: Bench) -> None:
    bench.cloud.create_firmware(PRODUCT, 3, FILE)
    assert bench.client.run(firmware_api.firmware_binary(PRODUCT, 3)) == FILE
    with pytest.raises(CloudRefused, match="correct the value"):
        bench.client.run(firmware_api.firmware_binary(PRODUCT, 9))


def test_a_page_in_place_of_a_file_is_not_the_clouds(bench: Bench) -> None:
    bench.cloud.create_firmware(PRODUCT, 3, FILE)
    bench.cloud.order(Fault(FaultKind.HTML, "GET /v1/products/:p/firmware/:version/binary", status=200, times=20))
    with pytest.raises(NotTheCloud):
        bench.client.run(firmware_api.firmware_binary(PRODUCT, 3))


@pytest.mark.rule("D1")
@pytest.mark.parametrize("body", [{"firmware": []}, [{}], [{"version": 0}], [{"version": 65536}], [{"version": "3"}]])
def test_a_list_of_anything_else_is_refused(body: object) -> None:
    with pytest.raises(BadAnswer):
        firmware_api.firmware(PRODUCT).read(Answer(200, body, is_json=True))


ALL = (
    FirmwareVersion(3, is_default=True), FirmwareVersion(4, groups=("a",)), FirmwareVersion(5, groups=("b", "c")),
    FirmwareVersion(6),
)  # fmt: skip


@pytest.mark.rule("D2")
@pytest.mark.parametrize(
    ("lock", "groups", "expected"),
    [(None, (), 3), (None, ("x",), 3), (None, ("a",), 4), (None, ("a", "c"), 5), (6, ("a",), 6), (9, (), 9)],
)
def test_lock_then_the_highest_of_the_groups_then_the_default(
    lock: int | None, groups: tuple[str, ...], expected: int
) -> None:
    assert wanted_version(ALL, lock=lock, groups=groups) == expected
    assert wanted_version((FirmwareVersion(6),), groups=groups) is None
