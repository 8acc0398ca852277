import { nodeName } from '../protocol/subjects.ts'

/** One of the machines that a venue runs on, and where the nats-servers of the others reach its own. */
export interface NodePlace {
  readonly name: string
  readonly host: string
  readonly port: number
}

export interface Nodes {
  readonly own: NodePlace
  readonly all: readonly NodePlace[]
}

const PLACE = /^([^=]+)=([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?):([1-9][0-9]{0,4})$/
/** Fewer have no majority without one of them. */
const FEWEST = 3
const MOST = 9

/**
 * @param list every node of the venue as NAME=HOST:PORT, with commas between them @param own the name of this one
 * @throws Error with one clear sentence: what an operator types is not measured, and is believed nothing that is not looked at
 */
export function readNodes(list: string, own: string): Nodes {
  const all = list.split(',').map((text) => {
    const [, name = '', host = '', port = ''] = PLACE.exec(text.trim()) ?? []
    if (!nodeName.test(name) || Number(port) > 65_535) throw new Error(`--nodes: "${text.trim()}" is not NAME=HOST:PORT`)
    return { name, host, port: Number(port) }
  })
  if (all.length < FEWEST || all.length > MOST) throw new Error(`--nodes names ${all.length}: a venue of several nodes has ${FEWEST} to ${MOST}`)
  if (new Set(all.map(({ name }) => name)).size < all.length) throw new Error('--nodes has a name twice')
  if (new Set(all.map(({ host, port }) => `${host}:${port}`)).size < all.length) throw new Error('--nodes has a place twice')
  const place = all.find(({ name }) => name === own)
  if (place === undefined) throw new Error(`--node ${own} is none of --nodes`)
  return { own: place, all }
}
