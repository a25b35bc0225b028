# SPDX-License-Identifier: Apache-2.0
"""Go's gophercloud: the functions of its database packages, called by gophercloud/main.go."""
import glob
import os
import re
import subprocess

import ops_backups as backups
import ops_catalogue as catalogue
import ops_databases as databases
import ops_instances as instances
from plane import PlaneError
from scene import Scene
from sheet import Sheet
from worker_client import WorkerClient

PACKAGE = "golang-github-gophercloud-gophercloud-dev"
SOURCES = "/usr/share/gocode/src/github.com/gophercloud/gophercloud/openstack/db/v1"

CASES = [
    ("datastores.List", catalogue.datastores),
    ("datastores.Get", catalogue.datastore),
    ("datastores.ListVersions", catalogue.versions),
    ("datastores.GetVersion", catalogue.version),
    ("flavors.List", catalogue.flavors),
    ("flavors.Get", catalogue.flavor),
    ("instances.Create", instances.create),
    ("instances.List", instances.listed),
    ("instances.Get", instances.shown),
    ("instances.IsRootEnabled", databases.root_show),
    ("instances.EnableRootUser", databases.root_enable),
    ("instances.Restart", instances.restarted),
    ("databases.Create", databases.database_create),
    ("databases.List", databases.database_list),
    ("databases.Delete", databases.database_delete),
    ("users.Create", databases.user_create),
    ("users.List", databases.user_list),
    ("users.Delete", databases.user_delete),
    ("configurations.Create", backups.configuration_create),
    ("configurations.List", backups.configuration_list),
    ("configurations.Get", backups.configuration_show),
    ("instances.AttachConfigurationGroup", backups.configuration_attach),
    ("configurations.ListInstances", backups.configuration_instances),
    ("configurations.Update", backups.configuration_patch),
    ("configurations.Replace", backups.configuration_update),
    ("configurations.Delete", backups.configuration_delete),
    ("instances.DetachConfigurationGroup", backups.configuration_detach),
    ("configurations.ListDatastoreParams", backups.parameters),
    ("configurations.GetDatastoreParam", backups.parameter),
    ("configurations.ListGlobalParams", backups.parameters),
    ("configurations.GetGlobalParam", backups.parameter),
    ("instances.Resize", instances.resize_flavor),
    ("instances.ResizeVolume", instances.resize_volume),
    ("instances.Delete", instances.delete),
]


def functions():
    """The functions that take a client, as the package's sources have them."""
    found = []
    for path in glob.glob(os.path.join(SOURCES, "*", "requests.go")):
        with open(path) as file:
            names = re.findall(r"^func ([A-Z]\w*)\(client ", file.read(), re.MULTILINE)
        found += [f"{os.path.basename(os.path.dirname(path))}.{name}" for name in names]
    return sorted(found)


def run(world, binary, tell):
    if not os.path.exists(binary):
        raise PlaneError(f"no gophercloud program here: install golang and {PACKAGE}, and run scripts/clients")
    version = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", PACKAGE], capture_output=True, check=True, text=True).stdout
    sheet = Sheet("gophercloud `openstack/db/v1`, as Debian packages it,", version, functions(), tell)
    scene = Scene(world, "go")
    client = WorkerClient([binary], world)
    try:
        for call, operation in CASES:
            sheet.run(call, lambda: operation(scene, lambda **values: client.call(call, **values)))
    finally:
        client.close()
    sheet.close()
    return sheet
