# SPDX-License-Identifier: Apache-2.0
"""`openstack database …` and `openstack datastore …`: every entry point of the installed python-troveclient."""
import json
import subprocess

import ops_backups as backups
import ops_catalogue as catalogue
import ops_clusters as clusters
import ops_databases as databases
import ops_guest as guest
import ops_instances as instances
from client_session import ClientSession
from library_cases import workflow
from scene import Scene
from sheet import Sheet
from worker_client import python, version

GROUP = "openstack.database.v1"
NODE = "--instance flavor=1,volume=1 "

MEMBER = [
    ("datastore list", catalogue.datastores, "datastore list"),
    ("datastore show", catalogue.datastore, "datastore show {datastore}"),
    ("datastore version list", catalogue.versions, "datastore version list {datastore}"),
    ("datastore version show", catalogue.version, "datastore version show {version} --datastore {datastore}"),
    ("datastore version show (by id)", catalogue.version, "datastore version show {version_id}"),
    ("database flavor list", catalogue.flavors, "database flavor list"),
    ("database flavor list (of a version)", catalogue.version_flavors,
     "database flavor list --datastore-type {datastore} --datastore-version-id {version_id}"),
    ("database flavor show", catalogue.flavor, "database flavor show {flavor}"),
    ("database limit list", catalogue.limits, "database limit list"),
    ("database quota show", catalogue.quotas, "database quota show {project}"),
    ("database instance create", instances.create,
     "database instance create {name} --flavor 1 --size 1 --datastore mariadb --datastore-version 10.11 --databases {database} "
     "--users {user}:{password}"),
    ("database instance list", instances.listed, "database instance list"),
    ("database instance show", instances.shown, "database instance show {id}"),
    ("database instance update", instances.rename, "database instance update {id} --name {name}"),
    ("database root show (before)", databases.root_show, "database root show {id}"),
    ("database root enable", databases.root_enable, "database root enable {id}"),
    ("database root enable (with a password)", databases.root_password, "database root enable {id} --root_password {password}"),
    ("database root show", databases.root_show, "database root show {id}"),
    ("database instance restart", instances.restarted, "database instance restart {id}"),
    ("database db create", databases.database_create, "database db create {id} {name}"),
    ("database db list", databases.database_list, "database db list {id}"),
    ("database db delete", databases.database_delete, "database db delete {id} {name}"),
    ("database user create", databases.user_create, "database user create {id} {name} {password} --databases {database}"),
    ("database user list", databases.user_list, "database user list {id}"),
    ("database user show", databases.user_show, "database user show {id} {name}"),
    ("database user show access", databases.user_show_access, "database user show access {id} {name}"),
    ("database user revoke access", databases.user_revoke, "database user revoke access {id} {name} {database}"),
    ("database user grant access", databases.user_grant, "database user grant access {id} {name} {database}"),
    ("database user update attributes", databases.user_update,
     "database user update attributes {id} {name} --new_name {new_name} --new_password {password}"),
    ("database user delete", databases.user_delete, "database user delete {id} {name}"),
    ("database configuration create", backups.configuration_create,
     "database configuration create {name} '{values}' --datastore mariadb --datastore-version 10.11"),
    ("database configuration list", backups.configuration_list, "database configuration list"),
    ("database configuration show", backups.configuration_show, "database configuration show {configuration}"),
    ("database configuration attach", backups.configuration_attach, "database configuration attach {id} {configuration}"),
    ("database configuration instances", backups.configuration_instances, "database configuration instances {configuration}"),
    ("database configuration parameter set", backups.configuration_patch,
     "database configuration parameter set {configuration} '{values}'"),
    ("database configuration set", backups.configuration_update, "database configuration set {configuration} '{values}'"),
    ("database configuration delete", backups.configuration_delete, "database configuration delete {configuration}"),
    ("database configuration detach", backups.configuration_detach, "database configuration detach {id}"),
    ("database configuration default", backups.configuration_default, "database configuration default {id}"),
    ("database configuration parameter list", backups.parameters,
     "database configuration parameter list {version} --datastore {datastore}"),
    ("database configuration parameter show", backups.parameter,
     "database configuration parameter show {version} {name} --datastore {datastore}"),
    ("database backup create", backups.backup_create, "database backup create {name} --instance {id}"),
    ("database backup create (incremental)", backups.backup_incremental,
     "database backup create {name} --instance {id} --parent {parent} --incremental"),
    ("database backup list", backups.backup_list, "database backup list"),
    ("database backup list instance", backups.backup_list_instance, "database backup list instance {id}"),
    ("database backup show", backups.backup_show, "database backup show {backup}"),
    ("database instance create (from a backup)", backups.backup_restore,
     "database instance create {name} --flavor 1 --size 1 --datastore mariadb --datastore-version 10.11 --backup {backup}"),
    ("database backup delete", backups.backup_delete, "database backup delete {backup}"),
    ("database backup strategy create", backups.strategy_create,
     "database backup strategy create --instance-id {id} --swift-container {container}"),
    ("database backup strategy list", backups.strategy_list, "database backup strategy list"),
    ("database backup strategy delete", backups.strategy_delete, "database backup strategy delete --instance-id {id}"),
    ("database log list", guest.log_list, "database log list {id}"),
    ("database log show", guest.log_show, "database log show {id} {log}"),
    ("database log set", guest.log_enable, "database log set {id} {log} --enable"),
    ("database log set (publish)", guest.log_publish, "database log set {id} {log} --publish"),
    ("database log tail", guest.log_tail, "database log tail {id} {log} --lines 50"),
    ("database log save", guest.log_save, "database log save {id} {log} --file {file}"),
    ("database log set (discard)", guest.log_discard, "database log set {id} {log} --discard"),
    ("database log set (disable)", guest.log_disable, "database log set {id} {log} --disable"),
    ("database ssl show", guest.ssl_show, "database ssl show {id}"),
    ("database ssl enable", guest.ssl_enable, "database ssl enable {id} {container} --mode {mode}"),
    ("database ssl rollback", guest.ssl_rollback, "database ssl rollback {id}"),
    ("database ssl disable", guest.ssl_disable, "database ssl disable {id}"),
    ("database instance create (replica)", instances.create_replica, "database instance create {name} --replica-of {source}"),
    ("database instance promote", instances.promote, "database instance promote {id}"),
    ("database instance eject", instances.eject, "database instance eject {id}"),
    ("database instance detach", instances.detach, "database instance detach {id}"),
    ("database instance resize flavor", instances.resize_flavor, "database instance resize flavor {id} {flavor}"),
    ("database instance resize volume", instances.resize_volume, "database instance resize volume {id} {size}"),
    ("database instance upgrade", instances.upgrade, "database instance upgrade {id} {version}"),
    ("database instance update (access)", instances.access, "database instance update {id} --is-private --allowed-cidr {cidr}"),
    ("database instance update (public address)", instances.public_access, "database instance update {id} --is-public"),
    ("database root disable", databases.root_disable, "database root disable {id}"),
    ("database cluster create", clusters.cluster_create, "database cluster create {name} {datastore} {version} " + 3 * NODE),
    ("database cluster list", clusters.cluster_list, "database cluster list"),
    ("database cluster show", clusters.cluster_show, "database cluster show {cluster}"),
    ("database cluster list instances", clusters.cluster_instances, "database cluster list instances {cluster}"),
    ("database cluster modules", clusters.cluster_modules, "database cluster modules {cluster}"),
    ("database root enable (of a cluster)", clusters.cluster_root, "database root enable {cluster} --root_password {password}"),
    ("database cluster grow", clusters.cluster_grow, "database cluster grow {cluster} --instance flavor=1,volume=1,name={name}"),
    ("database cluster shrink", clusters.cluster_shrink, "database cluster shrink {cluster} {instance}"),
    ("database cluster upgrade", clusters.cluster_upgrade, "database cluster upgrade {cluster} {version}"),
    ("database cluster delete", clusters.cluster_delete, "database cluster delete {cluster}"),
    ("database instance delete", instances.delete, "database instance delete {id}"),
]

ADMINISTRATOR = [
    ("database instance list (of all projects)", instances.managed_list, "database instance list --all-projects --limit 1000"),
    ("database quota update", catalogue.quota_update, "database quota update {project} {resource} {limit}"),
    ("database instance reboot", instances.restarted, "database instance reboot {id}"),
    ("database instance rebuild", instances.kept, "database instance rebuild {id} {image}"),
    ("database instance reset status", instances.reset_status, "database instance reset status {id}"),
    ("database instance force delete", instances.delete, "database instance force delete {id}"),
    ("database instance delete (by force)", instances.delete, "database instance delete {id} --force"),
    ("database cluster reset status", clusters.cluster_reset, "database cluster reset status {cluster}"),
    ("database cluster force delete", clusters.cluster_delete, "database cluster force delete {cluster}"),
    ("datastore version create", catalogue.version_create,
     "datastore version create {name} {datastore} mariadb {image} --active --version-number 1.0"),
    ("datastore version set", catalogue.version_set, "datastore version set {version} --disable"),
    ("datastore version delete", catalogue.version_delete, "datastore version delete {version}"),
    ("datastore delete", catalogue.datastore_delete, "datastore delete {datastore}"),
]

def entry_points(venv):
    """The commands, and whether each prints a document."""
    code = ("import json; from importlib.metadata import entry_points; from osc_lib.command import command; "
            "print(json.dumps({entry.name.replace('_', ' '): issubclass(entry.load(), (command.ShowOne, command.Lister)) "
            f"for entry in entry_points(group={GROUP!r})}}))")
    return json.loads(subprocess.run([python(venv), "-c", code], capture_output=True, check=True, text=True).stdout)


def ask(session, template, values, prints):
    """Runs a command, and asks for JSON where it prints a document.

    A client that reads commands from its input takes them apart twice, so quotation marks in a value are escaped.
    """
    line = template.format(**{name: str(value).replace('"', '\\"') for name, value in values.items()})
    answer = session.run(line + (" -f json" if prints else ""))
    return answer if isinstance(answer, str) else json.dumps(answer)


def run(world, venv, tell):
    commands = entry_points(venv)
    release = f"{version(venv, 'python-troveclient')} in python-openstackclient {version(venv, 'python-openstackclient')}"
    sheet = Sheet("`openstack database` and `openstack datastore`", release, commands, tell)
    scene = Scene(world, "osc")
    for session, cases in ((ClientSession(world.member_rc, 60), MEMBER), (ClientSession(world.admin_rc, 60), ADMINISTRATOR)):
        try:
            for call, operation, template in cases:
                prints = commands.get(call.partition(" (")[0], False)
                sheet.run(call, lambda: operation(scene, lambda **values: ask(session, template, values, prints)))
        finally:
            session.close()
    sheet.run("database backup execution delete", workflow)
    sheet.close()
    return sheet
