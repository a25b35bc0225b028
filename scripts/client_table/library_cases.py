# SPDX-License-Identifier: Apache-2.0
"""Calls of python-troveclient's managers: (method, operation, arguments as the method takes them)."""
import base64

import known
import ops_backups as backups
import ops_catalogue as catalogue
import ops_clusters as clusters
import ops_databases as databases
import ops_guest as guest
import ops_instances as instances
import ops_modules as modules
from table import NotApplicable, expect

STORE = {"datastore": "mariadb", "datastore_version": "10.11"}
ONE = {"size": 1}


def at(*names, **fixed):
    """The named values by position, the fixed ones by keyword."""
    return lambda values: ([values[name] for name in names], fixed)


def made(build):
    """What `build` makes of the values: (list, dict)."""
    return lambda values: build(**values)


def parts(count, **more):
    return [dict({"flavorRef": "1", "volume": dict(ONE)}, **more) for _ in range(count)]


def encoded(text):
    return base64.b64encode(text.encode()).decode()


MEMBER = [
    ("Datastores.list", catalogue.datastores, at()),
    ("Datastores.get", catalogue.datastore, at("datastore")),
    ("DatastoreVersions.list", catalogue.versions, at("datastore")),
    ("DatastoreVersions.get", catalogue.version, at("datastore", "version")),
    ("DatastoreVersions.get_by_uuid", catalogue.version, at("version_id")),
    ("Flavors.list", catalogue.flavors, at()),
    ("Flavors.list_datastore_version_associated_flavors", catalogue.version_flavors, at("datastore", "version_id")),
    ("Flavors.get", catalogue.flavor, at("flavor")),
    ("VolumeTypes.list_datastore_version_associated_volume_types", catalogue.volume_types, at("datastore", "version_id")),
    ("VolumeTypes.list", catalogue.no_route, at()),
    ("VolumeTypes.get", catalogue.no_route, lambda values: (["1"], {})),
    ("Limits.list", catalogue.limits, at()),
    ("Instances.create", instances.create, made(lambda name, database, user, password: (
        [name, "1"], dict(STORE, volume=ONE, databases=[{"name": database}],
                          users=[{"name": user, "password": password, "databases": [{"name": database}]}])))),
    ("Instances.list", instances.listed, at()),
    ("Instances.get", instances.shown, at("id")),
    ("Instances.update", instances.rename, made(lambda id, name: ([id], {"name": name}))),
    ("Instances.edit", instances.rename, made(lambda id, name: ([id], {"name": name}))),
    ("Root.is_root_enabled", databases.root_show, at("id")),
    ("Root.create", databases.root_enable, at("id")),
    ("Root.create_instance_root", databases.root_password, at("id", "password")),
    ("Root.is_instance_root_enabled", databases.root_show, at("id")),
    ("Instances.restart", instances.restarted, at("id")),
    ("Databases.create", databases.database_create, made(lambda id, name: ([id, [{"name": name}]], {}))),
    ("Databases.list", databases.database_list, at("id")),
    ("Databases.delete", databases.database_delete, at("id", "name")),
    ("Users.create", databases.user_create, made(lambda id, name, password, database: (
        [id, [{"name": name, "password": password, "databases": [{"name": database}]}]], {}))),
    ("Users.list", databases.user_list, at("id")),
    ("Users.list (a page)", databases.paged_users, made(lambda id, limit: ([id], {"limit": limit}))),
    ("Users.get", databases.user_show, at("id", "name")),
    ("Users.list_access", databases.user_show_access, at("id", "name")),
    ("Users.revoke", databases.user_revoke, at("id", "name", "database")),
    ("Users.grant", databases.user_grant, made(lambda id, name, database: ([id, name, [database]], {}))),
    ("Users.update_attributes", databases.user_update, made(lambda id, name, new_name, password: (
        [id, name], {"newuserattr": {"name": new_name, "password": password}}))),
    ("Users.change_passwords", databases.user_passwords, made(lambda id, name, password: (
        [id, [{"name": name, "password": password}]], {}))),
    ("Users.delete", databases.user_delete, at("id", "name")),
    ("Configurations.create", backups.configuration_create, made(lambda name, values: ([name, values], dict(STORE)))),
    ("Configurations.list", backups.configuration_list, at()),
    ("Configurations.get", backups.configuration_show, at("configuration")),
    ("Instances.modify", backups.configuration_attach, at("id", "configuration")),
    ("Configurations.instances", backups.configuration_instances, at("configuration")),
    ("Configurations.edit", backups.configuration_patch, at("configuration", "values")),
    ("Configurations.update", backups.configuration_update, at("configuration", "values")),
    ("Configurations.delete", backups.configuration_delete, at("configuration")),
    ("Instances.modify (detach)", backups.configuration_detach, at("id")),
    ("Instances.configuration", backups.configuration_default, at("id")),
    ("ConfigurationParameters.parameters", backups.parameters, at("datastore", "version")),
    ("ConfigurationParameters.get_parameter", backups.parameter, at("datastore", "version", "name")),
    ("ConfigurationParameters.parameters_by_version", backups.parameters, at("version_id")),
    ("ConfigurationParameters.get_parameter_by_version", backups.parameter, at("version_id", "name")),
    ("Backups.create", backups.backup_create, at("name", "id")),
    ("Backups.create (incremental)", backups.backup_incremental, made(lambda id, name, parent: ([name, id], {"parent_id": parent}))),
    ("Backups.list", backups.backup_list, at()),
    ("Instances.backups", backups.backup_list_instance, at("id")),
    ("Backups.get", backups.backup_show, at("backup")),
    ("Instances.create (from a backup)", backups.backup_restore, made(lambda name, backup: (
        [name, "1"], dict(STORE, volume=ONE, restorePoint={"backupRef": backup})))),
    ("Backups.delete", backups.backup_delete, at("backup")),
    ("BackupStrategiesManager.create", backups.strategy_create, made(lambda id, container: (
        [], {"instance_id": id, "swift_container": container}))),
    ("BackupStrategiesManager.list", backups.strategy_list, at()),
    ("BackupStrategiesManager.delete", backups.strategy_delete, made(lambda id: ([], {"instance_id": id}))),
    ("Instances.log_list", guest.log_list, at("id")),
    ("Instances.log_show", guest.log_show, at("id", "log")),
    ("Instances.log_action", guest.log_enable, at("id", "log", enable=True)),
    ("Instances.log_action (publish)", guest.log_publish, at("id", "log", publish=True)),
    ("Instances.log_generator", guest.log_tail, at("id", "log")),
    ("Instances.log_save", guest.log_save, at("id", "log", "file")),
    ("Instances.log_action (discard)", guest.log_discard, at("id", "log", discard=True)),
    ("Instances.log_action (disable)", guest.log_disable, at("id", "log", disable=True)),
    ("Instances.ssl_show", guest.ssl_show, at("id")),
    ("Instances.ssl_enable", guest.ssl_enable, at("id", "mode", "container")),
    ("Instances.ssl_rollback", guest.ssl_rollback, at("id")),
    ("Instances.ssl_disable", guest.ssl_disable, at("id")),
    ("Modules.create", modules.module_create, made(lambda name, file, contents: ([name, "ping", contents], {}))),
    ("Modules.list", modules.module_list, at()),
    ("Modules.get", modules.module_show, at("module")),
    ("Modules.update", modules.module_update, made(lambda module, description: ([module], {"description": description}))),
    ("Instances.module_apply", modules.module_apply, made(lambda id, module: ([id, [module]], {}))),
    ("Instances.modules", modules.module_of_instance, at("id")),
    ("Instances.module_query", modules.module_of_instance, at("id")),
    ("Instances.module_retrieve", modules.module_retrieve, made(lambda id, folder: ([id], {"directory": folder}))),
    ("Modules.instances", modules.module_instances, at("module")),
    ("Modules.instances (count)", modules.module_count, at("module", count_only=True)),
    ("Modules.reapply", modules.module_reapply, at("module", force=True)),
    ("Instances.module_remove", modules.module_remove, at("id", "module")),
    ("Modules.delete", modules.module_delete, at("module")),
    ("SecurityGroups.list", guest.group_list, at()),
    ("SecurityGroups.get", guest.group_show, at("group")),
    ("SecurityGroupRules.create", guest.rule_add, at("group", "cidr")),
    ("SecurityGroupRules.delete", guest.rule_delete, at("rule")),
    ("Metadata.list", catalogue.metadata, at("id")),
    ("Metadata.show", catalogue.metadata, made(lambda id: ([id, "key"], {}))),
    ("Metadata.create", catalogue.metadata, made(lambda id: ([id, "key", "value"], {}))),
    ("Metadata.update", catalogue.metadata, made(lambda id: ([id, "key", "other", "value"], {}))),
    ("Metadata.edit", catalogue.metadata, made(lambda id: ([id, "key", "value"], {}))),
    ("Metadata.delete", catalogue.metadata, made(lambda id: ([id, "key"], {}))),
    ("Instances.create (replica)", instances.create_replica, made(lambda name, source: ([name, None], {"replica_of": source}))),
    ("Instances.promote_to_replica_source", instances.promote, at("id")),
    ("Instances.eject_replica_source", instances.eject, at("id")),
    ("Instances.update (detach)", instances.detach, at("id", detach_replica_source=True)),
    ("Instances.edit (detach)", instances.detach, at("id", detach_replica_source=True)),
    ("Instances.resize_instance", instances.resize_flavor, at("id", "flavor")),
    ("Instances.resize_volume", instances.resize_volume, at("id", "size")),
    ("Instances.upgrade", instances.upgrade, at("id", "version")),
    ("Instances.update (access)", instances.access, made(lambda id, cidr: ([id], {"is_public": False, "allowed_cidrs": [cidr]}))),
    ("Instances.update (public address)", instances.public_access, at("id", is_public=True)),
    ("Clusters.create", clusters.cluster_create, made(lambda name, datastore, version: ([name, datastore, version], {"instances": parts(3)}))),
    ("Clusters.list", clusters.cluster_list, at()),
    ("Clusters.get", clusters.cluster_show, at("cluster")),
    ("Root.create_cluster_root", clusters.cluster_root, at("cluster", "password")),
    ("Root.is_cluster_root_enabled", clusters.cluster_root_show, at("cluster")),
    ("Clusters.grow", clusters.cluster_grow, made(lambda cluster, name: ([cluster, parts(1, name=name)], {}))),
    ("Clusters.shrink", clusters.cluster_shrink, made(lambda cluster, instance: ([cluster, [{"id": instance}]], {}))),
    ("Clusters.upgrade", clusters.cluster_upgrade, at("cluster", "version")),
    ("Clusters.add_shard", clusters.add_shard, at("cluster")),
    ("Clusters.delete", clusters.cluster_delete, at("cluster")),
    ("Root.delete", databases.root_disable, at("id")),
    ("Root.disable_instance_root", databases.root_disable, at("id")),
    ("Instances.delete", instances.delete, at("id")),
    ("DatastoreVersions.update", catalogue.no_route, lambda values: (["mariadb", "10.11", "public"], {})),
]

ADMINISTRATOR = [
    ("Quotas.show", catalogue.quotas, at("project")),
    ("Quotas.update", catalogue.quota_update, made(lambda project, resource, limit: ([project, {resource: limit}], {}))),
    ("Management.list", instances.managed_list, at(limit=1000)),
    ("Management.index", instances.managed_list, at()),
    ("Management.show", instances.shown, at("id")),
    ("Management.root_enabled_history", instances.root_history, at("id")),
    ("Management.reboot", instances.restarted, at("id")),
    ("Management.stop", instances.stop, at("id")),
    ("Management.migrate", instances.kept, at("id")),
    ("Management.rebuild", instances.kept, at("id", "image")),
    ("Management.reset_task_status", instances.reset_task, at("id")),
    ("Management.update", instances.refused_update, at("id")),
    ("DiagnosticsInterrogator.get", catalogue.diagnostics, at("id")),
    ("HwInfoInterrogator.get", catalogue.hwinfo, at("id")),
    ("Accounts.index", catalogue.accounts, at()),
    ("Accounts.show", catalogue.account, at("project")),
    ("Hosts.index", catalogue.hosts, at()),
    ("Hosts.get", catalogue.host, at("host")),
    ("Hosts.update_all", catalogue.hosts_update, at("host")),
    ("StorageInfo.index", catalogue.storage, at()),
    ("MgmtFlavors.create", catalogue.no_route, lambda values: (["f", 512, 1, 1, "99"], {})),
    ("MgmtConfigurationParameters.create", backups.managed_parameter_create, made(lambda version, name: (
        [version, name, 0, "integer"], {"max_size": 9, "min_size": 1}))),
    ("MgmtConfigurationParameters.list_all_parameter_by_version", backups.managed_parameters, at("version")),
    ("MgmtConfigurationParameters.get_any_parameter_by_version", backups.managed_parameter, at("version", "name")),
    ("MgmtConfigurationParameters.modify", backups.managed_parameter_modify, made(lambda version, name, maximum: (
        [version, name, 0, "integer"], {"max_size": maximum, "min_size": 1}))),
    ("MgmtConfigurationParameters.delete", backups.managed_parameter_delete, at("version", "name")),
    ("MgmtDatastoreVersions.create", catalogue.version_create, made(lambda name, datastore, image: (
        [name, datastore, "mariadb", image], {"active": "true"}))),
    ("MgmtDatastoreVersions.list", catalogue.managed_versions, at()),
    ("MgmtDatastoreVersions.get", catalogue.managed_version, at("version")),
    ("MgmtDatastoreVersions.edit", catalogue.version_set, at("version", active="false")),
    ("MgmtDatastoreVersions.delete", catalogue.version_delete, at("version")),
    ("Datastores.delete", catalogue.datastore_delete, at("datastore")),
    ("Instances.reset_status", instances.reset_status, at("id")),
    ("Instances.force_delete", instances.delete, at("id")),
    ("Clusters.reset_status", clusters.cluster_reset, at("cluster")),
    ("MgmtClusters.index", clusters.cluster_list, at()),
    ("MgmtClusters.show", clusters.cluster_show, at("cluster")),
    ("MgmtClusters.reset_task", clusters.cluster_reset, at("cluster")),
]

# Liberty's client has this as a placeholder too, and must send a flavor with a replica.
OLD_EMPTY = ["Management.list"]
OLD_ARGUMENTS = {"Instances.create (replica)": made(lambda name, source: ([name, "1"], {"replica_of": source}))}

# Methods that the client has and cannot use: they raise inside it, before or instead of a request.
EMPTY = ["Accounts.list", "ConfigurationParameters.list", "DiagnosticsInterrogator.list", "HwInfoInterrogator.list", "Hosts.list",
         "MgmtClusters.list", "MgmtFlavors.list", "Quotas.list", "Root.list", "SecurityGroupRules.list", "StorageInfo.list"]
MEMBERS = {"DatastoreVersionMembers.add": ["mariadb", "10.11", "x"], "DatastoreVersionMembers.delete": ["mariadb", "10.11", "x"],
           "DatastoreVersionMembers.list": ["mariadb", "10.11"], "DatastoreVersionMembers.get": ["mariadb", "10.11", "x"],
           "DatastoreVersionMembers.get_by_tenant": ["mariadb", "x"]}
WORKFLOW = ["Backups." + name for name in (
    "schedule_create", "schedule_list", "schedule_show", "schedule_delete", "execution_list", "execution_delete")]


def empty(client, call):
    """Placeholders: `pass`, which asks nobody."""
    expect(client.call(call) is None, "a placeholder returns nothing")
    raise NotApplicable(known.PLACEHOLDER)


def workflow():
    raise NotApplicable(known.WORKFLOW)
