#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes what vendors build against: Plugins/assemble-sdk.sh DIRECTORY
#
#   include/ schemas/   the boundary             c/ rust/           helpers for plugins in C and in Rust, Rust's binding
#   plugin.mk           how a plugin is built    TrovePluginKit/    helpers for plugins in Swift (Package.swift)
#   templates/          of 'trove plugin new'    exports.map        the one exported symbol
#
# The directory is a mirror: it is replaced whole, and only if it differs, so that builds against it stay up to date.
set -eu
target=${1:?directory}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
umask 022
draft=$target.new.$$
trap 'rm -rf -- "$draft"' EXIT
trap 'exit 1' HUP INT TERM

mkdir -p "$draft"
cp -pR "$root/Plugins/SDK/." "$draft/"
cp -pR "$root/Sources/CTrovePlugin/include" "$root/Sources/CTrovePlugin/schemas" "$root/Sources/TrovePluginKit" "$draft/"
cp -p "$root/Plugins/exports.map" "$draft/"
mkdir -p "$draft/docs"
cp -p "$root/docs/write-a-plugin.md" "$root/docs/plugin-abi.md" "$root/docs/compatibility.md" "$draft/docs/"
find "$draft" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +

[ -d "$target" ] && diff -rq "$draft" "$target" >/dev/null && exit 0
if [ -e "$target" ]; then
    mv -- "$target" "$target.old.$$"
    mv -- "$draft" "$target"
    rm -rf -- "$target.old.$$"
else
    mv -- "$draft" "$target"
fi
