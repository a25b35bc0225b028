# SPDX-License-Identifier: Apache-2.0
"""A Barbican on SQLite behind a private Keystone, its payloads encrypted with a key of its own."""
import base64
import os

from node_files import NodeError, write_private


def make_barbican(path, peers, url, keystone):
    """Writes configuration and pipeline of a Barbican that serves at `url`; returns the pipeline's file.

    `keystone` has `url`, the file of the service user's password and, with TLS, `ca_file`. The tables are made at the first start.
    """
    home, state = os.path.join(path, "home"), os.path.join(path, "state")
    # Barbican finds its configuration below the home directory; there is no option that names one.
    os.makedirs(os.path.join(home, ".barbican"), mode=0o700)
    os.makedirs(state, mode=0o700)
    with open(keystone["password_file"]) as file:
        password = file.read().strip()
    kek = base64.urlsafe_b64encode(os.urandom(32)).decode()
    authority = f"cafile = {keystone['ca_file']}\n" if keystone.get("ca_file") else ""
    write_private(os.path.join(home, ".barbican", "barbican.conf"), f"""
[DEFAULT]
log_file = {path}/barbican.log
host_href = {url}
db_auto_create = True
[database]
connection = sqlite:///{state}/barbican.db
[secretstore]
enabled_secretstore_plugins = store_crypto
[crypto]
enabled_crypto_plugins = simple_crypto
[simple_crypto_plugin]
kek = {kek}
[keystone_authtoken]
auth_type = password
auth_url = {keystone['url']}
www_authenticate_uri = {keystone['url']}
username = trove
password = {password}
project_name = service
user_domain_name = Default
project_domain_name = Default
{authority}""".lstrip())
    sample = os.path.join(peers, "..", "etc", "barbican", "barbican-api-paste.ini")
    if not os.path.exists(sample):
        raise NodeError("no Barbican here; make it with scripts/peers")
    with open(sample) as file:
        pipeline = file.read().replace("/etc/barbican/", path + "/")
    return write_private(os.path.join(path, "paste.ini"), pipeline)
