import { isoTime } from '../../../protocol/view.ts'
import { CHANNELS } from '../../../protocol/subjects.ts'
import { ISSUER_POWERS } from '../../../settlement/issuer.ts'
import { changeText } from '../../../settlement/vaultChange.ts'
import { facts, table } from '../../table.ts'
import { exactly } from '../../vault/errand.ts'
import type { Errand } from '../../vault/errand.ts'
import { Ground } from '../../vault/ground.ts'

/** `darkpool vault show`: who may do what to the vault, what it admits, and what is announced. Anybody can look. */
export const show: Errand = async (surroundings, words) => {
  exactly(words, 'show')
  const ground = await Ground.open(surroundings)
  const vault = ground.theVault
  const [version, admin, pauser, treasury, feeCap_ppm, changeDelay_s, accounts, paused] = await Promise.all([vault.version(), vault.admin(), vault.pauser(), vault.treasury(), vault.feeCap_ppm(), vault.changeDelay_s(), vault.accounts(), vault.paused(null)])
  const engines: { channel: number; engine: string }[] = []
  for (let channel = 0; channel < CHANNELS; channel++) {
    const engine = await vault.engine(channel)
    if (engine !== null) engines.push({ channel, engine })
  }
  const assets: { index: number; token: string; paused: boolean; issuerFlags: number | null }[] = []
  for (const [index, token] of (await vault.assets()).entries()) assets.push({ index, token, paused: await vault.paused(token), issuerFlags: await vault.issuerFlags(token) })
  const changes = (await vault.changes()).map(({ change, due }) => ({ change, due: isoTime(due * 1_000) }))
  const rows: readonly (readonly [string, string])[] = [
    ['vault', vault.id],
    ['network', ground.network.passphrase],
    ['version', String(version)],
    ['administrator', admin],
    ['pauser', pauser],
    ['treasury', treasury ?? 'nobody'],
    ...engines.map(({ channel, engine }) => [`engine of channel ${channel}`, engine] as const),
    ['fee cap', `${feeCap_ppm} ppm`],
    ['notice of changes', `${changeDelay_s} s`],
    ['accounts', String(accounts)],
    ['deposits and settlement', paused ? 'PAUSED' : 'go on'],
  ]
  const text = [
    facts(rows),
    '',
    table(['asset', 'token', 'issuer may', 'state'], assets.map(({ index, token, paused, issuerFlags }) => [String(index), token, powers(issuerFlags), paused ? 'PAUSED' : 'open'])),
    '',
    changes.length === 0 ? 'no change is announced' : table(['due', 'change'], changes.map(({ change, due }) => [due, changeText(change)])),
  ].join('\n')
  return { text, json: { vault: vault.id, network: ground.network.passphrase, version, admin, pauser, treasury, engines, feeCap_ppm, changeDelay_s, accounts, paused, assets, changes } }
}

function powers(flags: number | null): string {
  if (flags === null) return 'not on record'
  const held = Object.entries(ISSUER_POWERS).filter(([, bit]) => (flags & bit) !== 0)
  return held.length === 0 ? 'nothing' : held.map(([power]) => power).join(', ')
}
