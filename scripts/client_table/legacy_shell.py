# SPDX-License-Identifier: Apache-2.0
"""The commands of the `trove` shell, which ships in python-troveclient."""
import ops_backups as backups
import ops_catalogue as catalogue
import ops_clusters as clusters
import ops_databases as databases
import ops_guest as guest
import ops_instances as instances
import ops_modules as modules
from library_cases import workflow
from scene import Scene, fails_inside
from sheet import Sheet
from worker_client import WORKER, WorkerClient, inventory, python, version

TITLE = "The `trove` shell of python-troveclient"
STORE = "--datastore mariadb --datastore_version 10.11"
NODE = " --instance flavor=1,volume=1"

MEMBER = [
    ("datastore-list", catalogue.datastores, ""),
    ("datastore-show", catalogue.datastore, "{datastore}"),
    ("datastore-version-list", catalogue.versions, "{datastore}"),
    ("datastore-version-show", catalogue.version, "{version} --datastore {datastore}"),
    ("flavor-list", catalogue.flavors, ""),
    ("flavor-list (of a version)", catalogue.version_flavors, "--datastore_type {datastore} --datastore_version_id {version_id}"),
    ("flavor-show", catalogue.flavor, "{flavor}"),
    ("volume-type-list (of a version)", catalogue.volume_types, "--datastore_type {datastore} --datastore_version_id {version_id}"),
    ("volume-type-list", catalogue.no_route, ""),
    ("volume-type-show", catalogue.no_route, "1"),
    ("limit-list", catalogue.limits, ""),
    ("create", instances.create, "{name} 1 --size 1 " + STORE + " --databases {database} --users {user}:{password}"),
    ("list", instances.listed, ""),
    ("show", instances.shown, "{id}"),
    ("update", instances.rename, "{id} --name {name}"),
    ("root-show (before)", databases.root_show, "{id}"),
    ("root-enable", databases.root_enable, "{id}"),
    ("root-enable (with a password)", databases.root_password, "{id} --root_password {password}"),
    ("root-show", databases.root_show, "{id}"),
    ("restart", instances.restarted, "{id}"),
    ("database-create", databases.database_create, "{id} {name}"),
    ("database-list", databases.database_list, "{id}"),
    ("database-delete", databases.database_delete, "{id} {name}"),
    ("user-create", databases.user_create, "{id} {name} {password} --databases {database}"),
    ("user-list", databases.user_list, "{id}"),
    ("user-show", databases.user_show, "{id} {name}"),
    ("user-show-access", databases.user_show_access, "{id} {name}"),
    ("user-revoke-access", databases.user_revoke, "{id} {name} {database}"),
    ("user-grant-access", databases.user_grant, "{id} {name} {database}"),
    ("user-update-attributes", databases.user_update, "{id} {name} --new_name {new_name} --new_password {password}"),
    ("user-delete", databases.user_delete, "{id} {name}"),
    ("configuration-create", backups.configuration_create, "{name} {values} " + STORE),
    ("configuration-list", backups.configuration_list, ""),
    ("configuration-show", backups.configuration_show, "{configuration}"),
    ("configuration-attach", backups.configuration_attach, "{id} {configuration}"),
    ("configuration-instances", backups.configuration_instances, "{configuration}"),
    ("configuration-patch", backups.configuration_patch, "{configuration} {values}"),
    ("configuration-update", backups.configuration_update, "{configuration} {values}"),
    ("configuration-delete", backups.configuration_delete, "{configuration}"),
    ("configuration-detach", backups.configuration_detach, "{id}"),
    ("configuration-default", backups.configuration_default, "{id}"),
    ("configuration-parameter-list", backups.parameters, "{version} --datastore {datastore}"),
    ("configuration-parameter-show", backups.parameter, "{version} {name} --datastore {datastore}"),
    ("backup-create", backups.backup_create, "{id} {name}"),
    ("backup-create (incremental)", backups.backup_incremental, "{id} {name} --parent {parent}"),
    ("backup-list", backups.backup_list, ""),
    ("backup-list-instance", backups.backup_list_instance, "{id}"),
    ("backup-show", backups.backup_show, "{backup}"),
    ("create (from a backup)", backups.backup_restore, "{name} 1 --size 1 " + STORE + " --backup {backup}"),
    ("backup-copy", backups.backup_copy, "{name} {backup} --region RegionOne"),
    ("backup-delete", backups.backup_delete, "{backup}"),
    ("log-list", guest.log_list, "{id}"),
    ("log-show", guest.log_show, "{id} {log}"),
    ("log-enable", guest.log_enable, "{id} {log}"),
    ("log-publish", guest.log_publish, "{id} {log}"),
    ("log-tail", guest.log_tail, "{id} {log}"),
    ("log-save", guest.log_save, "{id} {log} --file {file}"),
    ("log-discard", guest.log_discard, "{id} {log}"),
    ("log-disable", guest.log_disable, "{id} {log}"),
    ("module-create", modules.module_create, "{name} ping {file}"),
    ("module-list", modules.module_list, ""),
    ("module-show", modules.module_show, "{module}"),
    ("module-update", modules.module_update, "{module} --description {description}"),
    ("module-apply", modules.module_apply, "{id} {module}"),
    ("module-list-instance", modules.module_of_instance, "{id}"),
    ("module-query", modules.module_of_instance, "{id}"),
    ("module-retrieve", modules.module_retrieve, "{id} --directory {folder}"),
    ("module-instances", modules.module_instances, "{module}"),
    ("module-instance-count", modules.module_count, "{module}"),
    ("module-reapply", modules.module_reapply, "{module} --force"),
    ("module-remove", modules.module_remove, "{id} {module}"),
    ("module-delete", modules.module_delete, "{module}"),
    ("secgroup-list", guest.group_list, ""),
    ("secgroup-show", guest.group_show, "{group}"),
    ("secgroup-add-rule", guest.rule_add, "{group} {cidr}"),
    ("secgroup-list-rules", guest.group_rules, "{group}"),
    ("secgroup-delete-rule", guest.rule_delete, "{rule}"),
    ("metadata-list", catalogue.metadata, "{id}"),
    ("metadata-show", catalogue.metadata, "{id} key"),
    ("metadata-create", catalogue.metadata, "{id} key value"),
    ("metadata-update", catalogue.metadata, "{id} key other value"),
    ("metadata-edit", catalogue.metadata, "{id} key value"),
    ("metadata-delete", catalogue.metadata, "{id} key"),
    ("create (replica)", instances.create_replica, "{name} 1 --replica_of {source}"),
    ("promote-to-replica-source", instances.promote, "{id}"),
    ("eject-replica-source", instances.eject, "{id}"),
    ("detach-replica", instances.detach, "{id}"),
    ("resize-instance", instances.resize_flavor, "{id} {flavor}"),
    ("resize-volume", instances.resize_volume, "{id} {size}"),
    ("upgrade", instances.upgrade, "{id} {version}"),
    ("cluster-create", clusters.cluster_create, "{name} {datastore} {version}" + 3 * NODE),
    ("cluster-list", clusters.cluster_list, ""),
    ("cluster-show", clusters.cluster_show, "{cluster}"),
    ("cluster-instances", clusters.cluster_instances, "{cluster}"),
    ("cluster-modules", clusters.cluster_modules, "{cluster}"),
    ("root-enable (of a cluster)", clusters.cluster_root, "{cluster} --root_password {password}"),
    ("cluster-grow", clusters.cluster_grow, "{cluster} --instance name={name},flavor=1,volume=1"),
    ("cluster-shrink", clusters.cluster_shrink, "{cluster} {instance}"),
    ("cluster-upgrade", clusters.cluster_upgrade, "{cluster} {version}"),
    ("cluster-delete", clusters.cluster_delete, "{cluster}"),
    ("root-disable", databases.root_disable, "{id}"),
    ("delete", instances.delete, "{id}"),
]

ADMINISTRATOR = [
    ("quota-show", catalogue.quotas, "{project}"),
    ("quota-update", catalogue.quota_update, "{project} {resource} {limit}"),
    ("reset-status", instances.reset_status, "{id}"),
    ("force-delete", instances.delete, "{id}"),
    ("cluster-reset-status", clusters.cluster_reset, "{cluster}"),
    ("cluster-force-delete", clusters.cluster_delete, "{cluster}"),
]

WORKFLOW = ["schedule-create", "schedule-list", "schedule-show", "schedule-delete", "execution-list", "execution-delete"]


def run(world, venv, tell, prefix="shell", title=TITLE):
    found = inventory(venv)
    commands = found["commands"]
    sheet = Sheet(title, version(venv, "python-troveclient"), commands, tell)
    scene = Scene(world, prefix)
    client = WorkerClient([python(venv), "-B", WORKER], world)
    lost = () if "Instances.edit" in found["methods"] else ("update", "detach-replica")

    def bound(who, call, template):
        return lambda **values: client.shell(
            [call.partition(" (")[0]] + [word.format(**values) for word in template.split()], who=who)

    try:
        for who, listed in (("member", MEMBER), ("administrator", ADMINISTRATOR)):
            for call, operation, template in listed:
                if call.partition(" (")[0] not in commands:
                    continue
                do = bound(who, call, template)
                sheet.run(call, lambda: (fails_inside if call in lost else operation)(scene, do))
        for call in filter(commands.__contains__, WORKFLOW):
            sheet.run(call, workflow)
    finally:
        client.close()
    sheet.close()
    return sheet
