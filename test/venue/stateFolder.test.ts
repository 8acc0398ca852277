import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LocalVenue } from '../../scripts/venue/localVenue.ts'
import { StateFolder } from '../../scripts/venue/stateFolder.ts'

t.test('what was started is noted; where that cannot be written it is said, and nothing ends for it', async (t) => {
  const folder = new StateFolder(t.testdir())
  const said: string[] = []
  const say = (text: string): void => void said.push(text)
  await folder.hold(say)
  folder.recordProcesses({ shard: process.pid, gateway: undefined }, say)
  t.same(Object.keys(JSON.parse(readFileSync(folder.file('processes.json'), 'utf8')) as object), ['shard'])
  t.same(said, [])

  mkdirSync(folder.file('processes.json.new'))
  folder.recordProcesses({ shard: process.pid, gateway: process.pid }, say)
  t.match(said.join(), /processes\.json cannot be written .*EISDIR/)
  t.same(Object.keys(JSON.parse(readFileSync(folder.file('processes.json'), 'utf8')) as object), ['shard'], 'the last note stands')
})

t.test('one process holds a folder', async (t) => {
  const path = t.testdir()
  const folder = new StateFolder(path)
  await folder.hold(() => undefined)
  await t.rejects(new StateFolder(path).hold(() => undefined), { name: 'Fault', message: /running in .* already/ })
  folder.release()
  t.notOk(existsSync(join(path, 'lock')))
  await new StateFolder(path).hold(() => undefined)
})

t.test('a venue that was founded with other keys is not gone on with', async (t) => {
  const path = t.testdir()
  writeFileSync(join(path, 'deployment.json'), JSON.stringify({ vault: 'C', engine: 'G' }))
  const venue = await LocalVenue.open({ state: path, ledgerTime_s: 1 })
  await t.rejects(venue.startChain(), { name: 'Fault', message: /founded with other keys.*--fresh/ })
  await venue.stop()
})
