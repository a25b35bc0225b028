// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0
//! What the plugin is called and what it offers.

#[allow(dead_code)]
mod trove {
    include!(concat!(env!("TROVE_SDK"), "/rust/trove_plugin_kit.rs"));
}
mod datastore;
mod policy;
mod server;

use trove::{tables, *};

static DATASTORE: trove_datastore_1 = tables::datastore::<datastore::Instance>();
static POLICY: trove_datastore_policy_1 = tables::policy::<policy::Rules>();

trove_plugin! { "__ID__", "1.0.0", {
    TROVE_EXT_DATASTORE => DATASTORE,
    TROVE_EXT_DATASTORE_POLICY => POLICY,
} }
