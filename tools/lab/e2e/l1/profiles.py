# SPDX-License-Identifier: GPL-2.0
"""Managing controllers of nvme_cf: the identity of a guest's controller, which is the same in whatever NVM subsystem it is."""

from controlling import CONFIGFS, mount_configfs

DRIVER = "vpv_nvme_ctrl"
MODEL = "nvme_ctrl"
PROFILE = {"subnqn": "nqn.2022-12.org.example:guest-disk", "serial": "GUEST-0001", "model": "disk of a guest", "firmware": "7.1"}
NAMESPACES = {
    1: {"disk": "1", "eui64": "525400fffe000101", "nguid": "52540000000000000000000000000101",
        "uuid": "8a1c52ce-3f00-4b5e-9d9b-000000000101"},
    2: {"disk": "2", "eui64": "525400fffe000102", "nguid": "52540000000000000000000000000102",
        "uuid": "8a1c52ce-3f00-4b5e-9d9b-000000000102"},
}


def provision(managing, functions, driver):
    """Give those of FUNCTIONS that the controller MANAGING has the identity, for DRIVER alone: {PCI address: folder of its profile}."""
    mount_configfs(DRIVER)
    places = {item.bdf: item for item in functions}
    found = {}
    for controller in (CONFIGFS / DRIVER / managing.bdf).iterdir():
        address = (controller / "address").read_text().strip()
        if address not in places:
            continue
        places[address].reserve(driver)
        found[address] = controller
        if (controller / "enable").read_text().strip() == "1":      # it kept what another driver gave it
            continue
        for name, value in PROFILE.items():
            (controller / name).write_text(value)
        for number, values in NAMESPACES.items():
            for name, value in values.items():
                (controller / f"namespace{number}" / name).write_text(value)
        (controller / "enable").write_text("1")
    return found
