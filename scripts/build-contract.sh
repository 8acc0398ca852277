#!/usr/bin/env bash
# Builds the vault contract to contract/target/wasm32v1-none/release/vault.wasm. Safe to repeat: cargo builds only what changed.
#
#   scripts/build-contract.sh                            the contract
#   scripts/build-contract.sh --accounts-per-page 16     a variant for the bench, in contract/target/accounts-per-page-16/
#
# Takes rustup's toolchain where its wasm32v1-none target is there or can be added, and otherwise Debian's, which has no built
# core library for that target and so builds it from source. VAULT_TOOLCHAIN=rustup or =debian takes one of them only.
set -euo pipefail

readonly TARGET=wasm32v1-none
# soroban-sdk 27 needs it.
readonly MIN_RUST_MINOR=91
readonly DEBIAN_PACKAGES="rustc-web cargo-web rust-web-src lld"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target_dir="$root/contract/target"
build=(build --manifest-path "$root/contract/Cargo.toml" --package vault --lib --release --target "$TARGET" --locked)

case "${1:-}" in
  "") ;;
  --accounts-per-page)
    variant="accounts-per-page-${2:?--accounts-per-page needs a number}"
    target_dir="$target_dir/$variant"
    build+=(--features "$variant")
    ;;
  *)
    echo "build-contract: unknown argument $1" >&2
    exit 2
    ;;
esac
build+=(--target-dir "$target_dir")
wasm="$target_dir/$TARGET/release/vault.wasm"

# rustc's minor version (1.N.x), or nothing when it can't be run.
rust_minor() { "$1" --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p'; }

recent() { [ -n "$1" ] && [ "$1" -ge "$MIN_RUST_MINOR" ]; }

rustup_ready() {
  command -v rustup >/dev/null && command -v cargo >/dev/null || return 1
  recent "$(rust_minor rustc)" || { echo "build-contract: rustup's rustc is missing or older than 1.$MIN_RUST_MINOR" >&2; return 1; }
  rustup target list --installed 2>/dev/null | grep -qx "$TARGET" && return 0
  echo "build-contract: adding the target $TARGET with rustup" >&2
  rustup target add "$TARGET" >&2
}

debian_linker() { command -v wasm-ld || compgen -c wasm-ld- | sort -V | tail -n 1; }

debian_ready() {
  [ -x /usr/bin/cargo ] && recent "$(rust_minor /usr/bin/rustc)" || return 1
  [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/core" ] && [ -n "$(debian_linker)" ]
}

# The stack: 64 KiB instead of 1 MiB, because every call pays for the memory it starts with; a page and a chunk of a batch, the
# largest things on it, take 3 KiB. Paths: the wasm must not depend on where it was built.
flags=(-C link-arg=-zstack-size=65536
  --remap-path-prefix="${CARGO_HOME:-$HOME/.cargo}=/cargo" --remap-path-prefix="$root=/source")
export CARGO_TARGET_WASM32V1_NONE_RUSTFLAGS="${flags[*]}"
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR

toolchain=${VAULT_TOOLCHAIN:-any}
if [ "$toolchain" != debian ] && rustup_ready; then
  echo "build-contract: rustup's $(rustc --version)" >&2
  cargo "${build[@]}" >&2
elif [ "$toolchain" != rustup ] && debian_ready; then
  echo "build-contract: Debian's $(/usr/bin/rustc --version), core from source, linked by $(debian_linker)" >&2
  # Building core is behind an unstable flag, which a released compiler accepts only with RUSTC_BOOTSTRAP.
  RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32V1_NONE_LINKER="$(debian_linker)" \
    /usr/bin/cargo "${build[@]}" -Zbuild-std=core,alloc >&2
else
  cat >&2 <<END
build-contract: no compiler for $TARGET. Either
  - install rustup (https://rustup.rs) with a stable toolchain, 1.$MIN_RUST_MINOR or later, and let it add the target:
      rustup target add $TARGET
  - or, on Debian: apt-get install $DEBIAN_PACKAGES
END
  exit 1
fi

# Newer than every source, whatever cargo did: the tests take an older wasm for a stale one.
touch "$wasm"
echo "build-contract: $wasm, $(wc -c <"$wasm") bytes" >&2
