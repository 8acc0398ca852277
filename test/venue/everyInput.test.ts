import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { runCommand } from '../../scripts/setup/command.ts'
import { paths } from '../../scripts/setup/paths.ts'
import { pythonTool } from '../../scripts/setup/pythonTools.ts'
import { VenueUnderTest } from './venueUnderTest.ts'

// A property-based pass over the whole OpenAPI description, against a whole venue: damaged requests, and requests that are signed as a trader would (signedBodies.py).

t.setTimeout(900_000)
const under = await VenueUnderTest.start(1)
t.teardown(() => under.stop())
const { venue } = under
const carol = under.trader()
const folder = mkdtempSync(join(tmpdir(), 'darkpool-inputs-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

t.test('whatever the description lets one ask is answered as it says, and never with a failure', async (t) => {
  const client = await carol.client()
  const { network, vault, markets } = await client.markets()
  const market = markets.find(({ name }) => name === 'XLM-USDC')!
  const before = (await client.orders({ status: 'all' })).length
  const { code, output } = await runCommand(pythonTool('schemathesis'), [
    '--config-file', join(import.meta.dirname, 'schemathesis.toml'), 'run', `${venue.gatewayUrl}/api/v1/openapi.json`, '--url', venue.gatewayUrl, '--no-color', '--header', `Authorization: Bearer ${await client.login()}`,
  ], {
    cwd: folder,
    timeout_ms: 600_000,
    env: {
      // Tap asks its tests for colours: as on a terminal, which shows progress a thousand times.
      FORCE_COLOR: '',
      SCHEMATHESIS_HOOKS: join(import.meta.dirname, 'signedBodies.py'), EXAMPLES: join(paths.root, 'examples'), KEYFILE: venue.keyPath(carol.name),
      NETWORK: network, VAULT: vault, MARKET: market.name, BASE: market.base.contract, QUOTE: market.quote.contract,
    },
  })
  t.equal(code, 0, code === 0 ? 'nothing was found' : output)
  t.match(stripVTControlCharacters(output), / (\d+) selected \/ \1 total/, 'every route')
  t.ok((await client.orders({ status: 'all' })).length > before, 'some of it was taken')
  t.notMatch(readFileSync(join(venue.state.file('logs'), 'gateway.log'), 'utf8'), /"level":"(error|fatal)"/)
})
