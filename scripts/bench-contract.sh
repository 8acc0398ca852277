#!/usr/bin/env bash
# What the vault's calls cost on the network, as JSON lines: a line with machine and versions, then one per figure. Also builds and
# measures the contract with other page sizes, which docs/decisions/0001-balance-pages.md compares.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
built=wasm32v1-none/release/vault.wasm
variants=()

"$root/scripts/build-contract.sh"
for accounts in 1 16 64; do
  "$root/scripts/build-contract.sh" --accounts-per-page "$accounts"
  variants+=("$accounts=$root/contract/target/accounts-per-page-$accounts/$built")
done

cargo build --quiet --manifest-path "$root/contract/Cargo.toml" --profile localnet --package contract-bench
exec "${CARGO_TARGET_DIR:-$root/contract/target}/localnet/contract-bench" "$root/contract/target/$built" "${variants[@]}"
