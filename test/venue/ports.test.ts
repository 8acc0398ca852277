import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { freePort } from '../../scripts/venue/ports.ts'

const portsModule = new URL('../../scripts/venue/ports.ts', import.meta.url).href

/** More than one block of them, in a process of its own, which goes on holding them until its input ends. */
function otherProcess() {
  const program = `const { freePort } = await import(${JSON.stringify(portsModule)})
    const ports = await Promise.all(Array.from({ length: 120 }, freePort))
    console.log(JSON.stringify(ports))
    process.stdin.resume()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
  return { ports: once(child.stdout, 'data').then(([chunk]) => JSON.parse(String(chunk)) as number[]), end: async () => (child.stdin.end(), await text(child.stdout)) }
}

t.test('a port is given once, among all processes that ask', async (t) => {
  const others = Array.from({ length: 3 }, otherProcess)
  const given = [...(await Promise.all(others.map(({ ports }) => ports))), await Promise.all(Array.from({ length: 120 }, freePort))].flat()
  t.equal(given.length, 480)
  t.equal(new Set(given).size, given.length)
  await Promise.all(others.map(({ end }) => end()))
})

t.test('one that somebody listens on is passed over', async (t) => {
  const [first, busy] = [await freePort(), createServer()]
  // Given in turn: the next one, unless a block ends there.
  busy.listen(first + 1, '127.0.0.1')
  await once(busy, 'listening')
  t.not(await freePort(), first + 1)
  busy.close()
})

const rangeFile = '/proc/sys/net/ipv4/ip_local_port_range'
const lowest = existsSync(rangeFile) ? Number(readFileSync(rangeFile, 'utf8').split(/\s+/)[0]) : 0
t.test('none is taken by a connection while a server that has it is down', { skip: lowest < 32_768 && 'the system connects from other ports than most' }, async (t) => {
  for (const port of await Promise.all(Array.from({ length: 60 }, freePort))) t.ok(port < lowest, `${port} is below ${lowest}`)
})
