#!/bin/sh
# Runs one of this project's TypeScript programs on a machine that has nothing but a system Node and npm: installs the packages when
# package-lock.json is not what is installed, then hands over to the Node that comes with them.
#   sh scripts/bootstrap.sh scripts/start.ts [arguments]
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
installed="$root/node_modules/.installed-lock.json"
runtime="$root/node_modules/.bin/node"

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

if ! cmp -s "$root/package-lock.json" "$installed" || ! [ -x "$runtime" ]; then
  command -v node >/dev/null 2>&1 || fail 'Node.js is not installed. Install version 20 or newer (https://nodejs.org), then run this again.'
  command -v npm >/dev/null 2>&1 || fail 'npm is not installed. It comes with Node.js (https://nodejs.org): install version 20 or newer, then run this again.'
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || fail "Node.js $(node -v) is too old: install version 20 or newer (https://nodejs.org), then run this again."
  started=$(date +%s)
  log=$(mktemp)
  printf '  packages: npm ci …\n'
  # Quiet unless it fails: what npm says of a good installation is of no use to the person who waits for a venue.
  if ! (cd "$root" && npm ci --no-audit --no-fund --loglevel=error >"$log" 2>&1); then
    cat "$log" >&2
    rm -f "$log"
    fail 'npm ci failed (its output is above). A network connection to the npm registry is needed once.'
  fi
  rm -f "$log"
  [ -x "$runtime" ] || fail 'npm did not install the Node.js package: its install script must be allowed to run (npm config get ignore-scripts says whether it is).'
  # Last, so that an installation that was cut short is done again.
  cp "$root/package-lock.json" "$installed"
  printf '✓ packages  %s s\n' "$(($(date +%s) - started))"
fi

# The package's Node first, so that everything started from here runs on it.
PATH="$root/node_modules/.bin:$PATH"
export PATH
# What was compiled is kept for the next process: all of a venue's load much the same. Emptied with each installation.
NODE_COMPILE_CACHE="$root/node_modules/.cache/node"
export NODE_COMPILE_CACHE
mkdir -p "$NODE_COMPILE_CACHE"
cd "$root"
# A core of a venue's process would leave its keys and orders on the disk.
ulimit -c 0
exec "$runtime" "$@"
