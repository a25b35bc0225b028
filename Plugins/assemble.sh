#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Puts the built plugins into the form that the host loads, and the kit into the form that vendors get.
#
#   Plugins/assemble.sh debug|release
#
# Reads  .build/CONFIG/lib<Product>.so (swift build makes them) and the manifests beside the plugins' sources.
# Writes .build/CONFIG/plugins/<name>/{plugin.json,<name>.so} and .build/CONFIG/sdk/. Running it again changes nothing
# that is already right; a mapped library is never overwritten, only replaced by name.
set -eu

config=${1:-}
case $config in
    debug | release) ;;
    *)
        echo "usage: Plugins/assemble.sh debug|release" >&2
        exit 64
        ;;
esac
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
build=.build/$config
umask 022

draft=
cleanup() { if [ -n "$draft" ]; then rm -rf -- "$draft"; fi; }
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# install_file SOURCE TARGET MODE: by rename, and only if the bytes differ.
install_file() {
    if [ -f "$2" ] && [ ! -L "$2" ] && cmp -s -- "$1" "$2"; then
        chmod "$3" "$2"
        return
    fi
    draft=$2.new.$$
    cp -- "$1" "$draft"
    chmod "$3" "$draft"
    mv -f -- "$draft" "$2"
    draft=
}

# assemble NAME PRODUCT SOURCES
assemble() {
    library=$build/lib$2.so
    if [ ! -f "$library" ]; then
        echo "$library is missing; run 'swift build -c $config --product $2' first" >&2
        exit 1
    fi
    directory=$build/plugins/$1
    mkdir -p "$directory"
    work=$build/plugins/.assemble.$$
    draft=$work
    rm -rf -- "$work"
    mkdir -p "$work"
    cp -- "$library" "$work/$1.so"
    if [ "$config" = release ] && command -v strip >/dev/null; then strip --strip-debug "$work/$1.so"; fi
    digest=$(sha256sum -- "$work/$1.so" | cut -c1-64)
    sed -e "s/\"sha256\": \"[0-9a-f]*\"/\"sha256\": \"$digest\"/" \
        -e "s/\"platform\": \"[^\"]*\"/\"platform\": \"linux-$(uname -m)-gnu\"/" "$3/plugin.json" >"$work/plugin.json"
    if ! grep -q "\"sha256\": \"$digest\"" "$work/plugin.json"; then
        echo "$3/plugin.json has no member \"sha256\" to fill" >&2
        exit 1
    fi
    # The library first: a manifest never names bytes that are not there yet.
    install_file "$work/$1.so" "$directory/$1.so" 644
    install_file "$work/plugin.json" "$directory/plugin.json" 644
    rm -rf -- "$work"
    draft=
}

assemble mariadb TroveMariaDB Plugins/Datastores/MariaDB
assemble mariabackup TroveMariaBackup Plugins/Backups/MariaBackup
assemble postgresql TrovePostgreSQL Plugins/Datastores/PostgreSQL
assemble pgbasebackup TrovePgBaseBackup Plugins/Backups/PgBaseBackup
assemble redis TroveRedis Plugins/Datastores/Redis
assemble redisrdb TroveRedisRDB Plugins/Backups/RedisRDB
assemble sqladmin TroveSQLAdmin Plugins/Extensions/SQLAdmin
chmod 755 "$build/plugins" "$build"/plugins/*/

Plugins/assemble-sdk.sh "$build/sdk"
