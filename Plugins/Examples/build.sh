#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds every example as a vendor would, with the assembled SDK alone: Plugins/Examples/build.sh debug|release
# Results: .build/CONFIG/examples/<library name>/. Only what changed is built again.
set -eu
cd "$(dirname "$0")/../.."
config=${1:?debug or release}
build=$PWD/.build/$config
[ -f "$build/sdk/plugin.mk" ] || { echo "build.sh: $build/sdk is missing; run 'scripts/build $config' first" >&2; exit 1; }
umask 022
for example in Plugins/Examples/*/Makefile; do
    name=$(sed -n 's/^NAME = //p' "$example")
    make -s -C "$(dirname "$example")" SDK="$build/sdk" OUT="$build/examples/$name" SCRATCH="$build/examples/.scratch/$name"
done
