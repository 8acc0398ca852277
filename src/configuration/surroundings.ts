import { Contract } from '@stellar/stellar-sdk'
import type { ContractId } from '../protocol/identity.ts'
import { DEFAULT_CHANNEL } from '../protocol/subjects.ts'
import { rpcEndpoints } from '../protocol/venue.ts'
import type { Venue } from '../protocol/venue.ts'
import { ContractRefusal } from '../settlement/contractRefusal.ts'
import { contractView } from '../settlement/contractView.ts'
import { VaultGovernance } from '../settlement/governance/vaultGovernance.ts'
import { chainHead, faultOf, openRpc } from '../settlement/stellarRpc.ts'
import type { Network } from '../settlement/transaction.ts'
import { natsGreeting } from './natsGreeting.ts'

/** Whether something outside fits a configuration. `unasked`: it could not be asked, so nothing is known. */
export interface Finding {
  readonly subject: string
  readonly state: 'fits' | 'contradicts' | 'unasked'
  readonly found: string
}

/** Asks what a configuration speaks of whether it is so: every endpoint, the contract by one that answers, every nats-server. Changes nothing, and needs no key. */
export async function findings(venue: Venue): Promise<readonly Finding[]> {
  const { network, nats } = venue.file
  const endpoints = await Promise.all(rpcEndpoints(network).map((url) => endpoint(url, venue)))
  const answering = endpoints.find(({ finding }) => finding.state === 'fits')
  const contract: readonly Finding[] = answering === undefined ? [{ subject: 'vault', state: 'unasked', found: 'no endpoint to ask' }] : await vault({ server: answering.server, passphrase: network.passphrase }, venue)
  const servers = await Promise.all(nats.servers.map((server) => natsServer(server, nats.tls !== undefined)))
  return [...endpoints.map(({ finding }) => finding), ...contract, ...servers]
}

async function endpoint(url: string, { file }: Venue): Promise<{ readonly finding: Finding; readonly server: Network['server'] }> {
  const server = openRpc(url)
  const finding = (state: Finding['state'], found: string): { finding: Finding; server: Network['server'] } => ({ finding: { subject: `endpoint ${new URL(url).host}`, state, found }, server })
  try {
    const { passphrase } = await server.getNetwork()
    if (passphrase !== file.network.passphrase) return finding('contradicts', `is of another network: ${passphrase}`)
    const { ledger, oldestLedger } = await chainHead(server)
    const gone = oldestLedger > file.vault.fromLedger ? `; it has nothing before ledger ${oldestLedger}: a venue that begins anew needs one that has ledger ${file.vault.fromLedger}` : ''
    return file.vault.fromLedger > ledger ? finding('contradicts', `is at ledger ${ledger}, before /vault/fromLedger`) : finding('fits', `ledger ${ledger}${gone}`)
  } catch (error) {
    return finding('unasked', `does not answer (${faultOf(error)})`)
  }
}

async function vault(network: Network, venue: Venue): Promise<readonly Finding[]> {
  const governance = new VaultGovernance(network, venue.file.vault.contract as ContractId)
  const found: Finding[] = []
  const say = (subject: string, state: Finding['state'], text: string): void => void found.push({ subject, state, found: text })
  try {
    const [version, paused, engine] = [await governance.version(), await governance.paused(null), await governance.engine(venue.channel)]
    say('vault', 'fits', `version ${version}${paused ? ', PAUSED' : ''}`)
    if (engine === null) say('engine', 'contradicts', `channel ${venue.channel} has none: nothing settles before \`darkpool vault register-engine\``)
    else say('engine', 'fits', engine)
    // Who co-signs is the default channel's, whatever channel a venue settles on.
    if (venue.channel !== DEFAULT_CHANNEL) {
      const cosigner = await governance.engine(DEFAULT_CHANNEL)
      say('withdrawals', cosigner === engine ? 'fits' : 'contradicts', cosigner === engine ? 'the same engine co-signs' : `channel ${DEFAULT_CHANNEL} has ${cosigner === null ? 'no engine' : 'another engine'}: this venue co-signs none, and its traders leave by the contract's own way out`)
    }
    for (const { code, contract, index, decimals } of venue.assets) {
      const known = await governance.assetIndex(contract)
      const says = Number((await contractView(network.server, network.passphrase, new Contract(contract), 'decimals')).value)
      if (known === null) say(`asset ${code}`, 'contradicts', 'the vault does not admit it')
      else if (known !== index) say(`asset ${code}`, 'contradicts', `is asset ${known} in the vault, and ${index} in the file`)
      else if (says !== decimals) say(`asset ${code}`, 'contradicts', `has ${says} decimals, and ${decimals} in the file`)
      else say(`asset ${code}`, 'fits', `asset ${known}, ${says} decimals${(await governance.paused(contract)) ? ', PAUSED' : ''}`)
    }
    await fees(governance, venue, say)
  } catch (error) {
    if (error instanceof ContractRefusal) say('vault', 'contradicts', `a contract there does not answer as a vault, or a token not as one: ${error.message}`)
    else say('vault', 'unasked', `could not be asked (${faultOf(error)})`)
  }
  return found
}

async function fees(governance: VaultGovernance, { markets }: Venue, say: (subject: string, state: Finding['state'], text: string) => void): Promise<void> {
  const charging = [...markets.values()].map(({ name, rules }) => ({ name, most_ppm: Math.max(rules.fees.maker_ppm, rules.fees.taker_ppm) })).filter(({ most_ppm }) => most_ppm > 0)
  if (charging.length === 0) return
  const cap_ppm = await governance.feeCap_ppm()
  for (const { name, most_ppm } of charging) say(`market ${name}`, most_ppm > cap_ppm ? 'contradicts' : 'fits', `charges up to ${most_ppm} parts per million, and the vault lets it take ${cap_ppm}`)
}

async function natsServer(server: string, tls: boolean): Promise<Finding> {
  // Whatever stands before the host is no business of a report.
  const subject = `nats ${server.replace(/^[a-z]+:\/\//, '').replace(/^.*@/, '')}`
  try {
    const { version, jetstream, auth_required } = await natsGreeting(server, tls)
    if (!jetstream) return { subject, state: 'contradicts', found: 'has no JetStream: nothing would be kept' }
    if (!auth_required) return { subject, state: 'contradicts', found: 'asks nobody who they are' }
    return { subject, state: 'fits', found: `nats-server ${version}` }
  } catch (error) {
    return { subject, state: 'unasked', found: `does not answer (${reasonOf(error)})` }
  }
}

/** Where a name has several addresses, the failure of all has no message of its own. */
const reasonOf = (error: unknown): string => (error as Error).message || ((error as NodeJS.ErrnoException).code ?? 'no reason given')
