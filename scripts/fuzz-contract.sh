#!/usr/bin/env bash
# The vault's property test at length: random operations by random callers, right and wrong ones, on the built contract, each compared
# with a slow model (contract/vault/tests/contract/property), and after each somebody leaves; on every core. Says every ten seconds how far it is; ends with the number
# of operations, or with how to repeat the run that failed.
#
# What has passed is kept in contract/target/fuzz-contract.progress: interrupted, it goes on where it was, and begins anew only when the
# contract, its tests or their crates have changed. A run that failed is tried before anything else until it passes.
#
#   scripts/fuzz-contract.sh                        until ten million operations have passed
#   scripts/fuzz-contract.sh --operations 10000     until as many as these have
#   scripts/fuzz-contract.sh --fresh                whatever has passed before, from other seeds
#   scripts/fuzz-contract.sh --steps 1000           operations of a run; each begins with a new vault and ends with everybody leaving
#   scripts/fuzz-contract.sh --seed 7 --steps 1000  one run again
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
operations=10000000
steps=1000
while [ $# -gt 0 ]; do
  if [ "$1" = --fresh ]; then
    export VAULT_PROPERTY_FRESH=1
    shift
    continue
  fi
  value=${2:-}
  [[ "$value" =~ ^[1-9][0-9]*$ ]] || { echo "fuzz-contract: $1 needs a number above 0" >&2; exit 2; }
  case "$1" in
    --operations) operations=$value ;;
    --steps) steps=$value ;;
    --seed) export VAULT_PROPERTY_SEED=$value ;;
    *)
      echo "fuzz-contract: unknown argument $1" >&2
      exit 2
      ;;
  esac
  shift 2
done
export VAULT_PROPERTY_OPERATIONS=$operations VAULT_PROPERTY_STEPS=$steps

"$root/scripts/build-contract.sh"
exec cargo test --quiet --locked --manifest-path "$root/contract/Cargo.toml" --profile localnet --package vault --test contract -- \
  --nocapture --exact property::random_operations
