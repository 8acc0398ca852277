import { join, relative } from 'node:path'
import { paths } from '../setup/paths.ts'

/** A command and its first arguments; what follows are the program's own. */
export type Start = readonly [command: string, ...first: string[]]

/** What starts the programs of a venue. */
export interface Programs {
  /** One of the venue's own, by its file in this checkout. */
  venue(file: string): Start
  readonly natsServer: Start
}

/** As they are in this checkout. */
export const checkout: Programs = { venue: (file) => [process.execPath, file], natsServer: [paths.natsServer] }

/** nats-server started by another command, whose last arguments are the program and its own: for a test that gives it a small disk. */
export const natsWithin = (within: Start): Programs => ({ ...checkout, natsServer: [...within, paths.natsServer] })

/** $1: the image's root; $2: the venue's folder; then the command. What is mounted is gone with the process. */
const ENTER = `
set -eu
# What Node.js is told to load on this machine (by a test runner), and what it keeps of it, is not there.
unset NODE_OPTIONS NODE_COMPILE_CACHE
root=$1; state=$2; shift 2
mount --bind "$root" "$root"
mkdir -p "$root$state" "$root/dev" "$root/proc"
mount --bind "$state" "$root$state"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
mount -o remount,bind,ro "$root"
exec chroot "$root" "$@"
`

/** As they are in a built image whose root is a folder: in a mount namespace of their own, where they see the image, which they cannot write, and the venue's folder. */
export function inImage(root: string, state: string): Programs {
  const within = ['unshare', '--map-root-user', '--mount', '--propagation', 'private', 'sh', '-c', ENTER, 'enter', root, state] as const
  return { venue: (file) => [...within, '/usr/local/bin/node', join('/app', relative(paths.root, file))], natsServer: [...within, '/usr/local/bin/nats-server'] }
}
