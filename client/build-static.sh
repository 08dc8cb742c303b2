#!/bin/sh
# Builds the client as it is shipped: statically linked, position-independent, and small. The two linker
# options pack relocations and fold identical functions; together they are 57 kB of what is at most 1.5 MB.
set -eu
cd "$(dirname "$0")/.."
cargo rustc --quiet --locked --package jumpgate --profile client --bin jumpgate -- \
    -C target-feature=+crt-static \
    -C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--icf=all
program=${CARGO_TARGET_DIR:-target}/client/jumpgate
size=$(wc -c <"$program")
echo "$program: $size bytes"
[ "$size" -le 1500000 ] || { echo "$program is larger than 1500000 bytes" >&2; exit 1; }
