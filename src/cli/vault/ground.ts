import { Networks, StrKey } from '@stellar/stellar-sdk'
import { openVenue } from '../../configuration/venueFile.ts'
import type { ContractId } from '../../protocol/identity.ts'
import { rpcEndpoints } from '../../protocol/venue.ts'
import type { Venue } from '../../protocol/venue.ts'
import { VaultGovernance } from '../../settlement/governance/vaultGovernance.ts'
import type { Log } from '../../actors/runtime/log.ts'
import { NoQuorum } from '../../settlement/endpoints/panel.ts'
import { QuorumRpc } from '../../settlement/endpoints/quorumRpc.ts'
import { openRpc } from '../../settlement/stellarRpc.ts'
import type { Network } from '../../settlement/transaction.ts'
import type { Arguments } from '../arguments.ts'
import type { Surroundings } from '../command.ts'
import { Declined, UsageFault } from '../fault.ts'
import type { Place } from '../place.ts'

/** Networks that go by a name here; any other is named by its passphrase. Of the public network nobody gives an endpoint away. */
const networks: Readonly<Record<string, { readonly passphrase: string; readonly rpc?: readonly string[] }>> = {
  public: { passphrase: Networks.PUBLIC },
  testnet: { passphrase: Networks.TESTNET, rpc: ['https://soroban-testnet.stellar.org'] },
}

/** The network, and the vault on it, that a command is about: named by a venue file, by options, or both. */
export class Ground {
  readonly network: Network
  /** null where none is named: on a network without any, yet. */
  readonly vault: VaultGovernance | null

  private constructor(network: Network, vault: ContractId | null) {
    this.network = network
    this.vault = vault === null ? null : new VaultGovernance(network, vault)
  }

  /** @throws UsageFault, Declined where an endpoint is of another network */
  static async open({ args: { options }, place, say }: Pick<Surroundings, 'args' | 'place' | 'say'>): Promise<Ground> {
    const venue = options.venue !== undefined || options.network === undefined ? venueOf(options, place) : null
    const named = options.network === undefined ? undefined : (networks[options.network] ?? { passphrase: options.network })
    const passphrase = named?.passphrase ?? venue?.file.network.passphrase
    if (passphrase === undefined) throw new UsageFault('--network is missing: public, testnet, or a passphrase')
    if (venue !== null && venue.file.network.passphrase !== passphrase) throw new UsageFault(`--network ${options.network}: the venue file is for another network, ${venue.file.network.passphrase}`)
    const urls = options.rpc?.split(',') ?? (venue === null ? named?.rpc : rpcEndpoints(venue.file.network))
    if (urls === undefined) throw new UsageFault('--rpc is missing: the URL of a Stellar RPC endpoint of that network')
    // What the venue believes it believes by so many of the endpoints that its file names, not of others.
    const quorum = options.rpc === undefined ? venue?.file.network.rpcQuorum : undefined
    const server = await endpoints(urls, passphrase, quorum, say)
    const vault = options.vault ?? venue?.file.vault.contract ?? null
    if (vault !== null && !StrKey.isValidContract(vault)) throw new UsageFault(`--vault ${vault} is no contract address (C…)`)
    return new Ground({ server, passphrase }, vault as ContractId | null)
  }

  /** The vault, which has to have been named. @throws UsageFault */
  get theVault(): VaultGovernance {
    if (this.vault === null) throw new UsageFault('say which vault: --vault C…, or --venue FILE')
    return this.vault
  }
}

/** The endpoints as one, of which a quorum says that it is of that network, and none says another. @throws UsageFault, Declined, NoQuorum, or what the only endpoint threw */
async function endpoints(urls: readonly string[], passphrase: string, quorum: number | undefined, say: Surroundings['say']): Promise<QuorumRpc> {
  for (const url of urls) if (!URL.canParse(url)) throw new UsageFault(`--rpc ${url} is no URL`)
  const opened = urls.map((url) => ({ name: new URL(url).host, server: openRpc(url) }))
  const needed = Math.min(quorum ?? 2, opened.length)
  // One that is down is not waited for: a vault may have to be paused.
  await new Promise<void>((resolve, reject) => {
    let [right, left] = [0, opened.length]
    const tooFew = (cause?: unknown): NoQuorum => new NoQuorum(`only ${right} of ${opened.length} RPC endpoints answer, and ${needed} have to agree`, { cause })
    for (const { name, server } of opened)
      void server.getNetwork().then(
        ({ passphrase: found }) => {
          if (found !== passphrase) reject(new Declined(`the endpoint ${name} is of another network (${found}) than was named (${passphrase})`))
          else if (++right === needed) resolve()
          if (--left === 0) reject(tooFew())
        },
        (error: unknown) => {
          if (--left === 0) reject(opened.length === 1 ? (error as Error) : tooFew(error))
        },
      )
  })
  return new QuorumRpc({ endpoints: opened, quorum, log: sayingLog(say) })
}

/** Which endpoint does not answer, or contradicts the others: for whoever waits at the command line. */
function sayingLog(say: Surroundings['say']): Log {
  const line: Log['warn'] = (_at, message, ids = {}) => say(`${message} (${Object.values(ids).join(', ')})`)
  return { info: line, warn: line, error: line }
}

/** The venue file that `--venue` names, or the local venue's. @throws UsageFault */
export function venueOf({ venue }: Arguments['options'], place: Place): Venue {
  if (venue === undefined) return place.venue('--venue FILE, or --network')
  try {
    return openVenue(venue)
  } catch (error) {
    throw new UsageFault((error as Error).message, error)
  }
}
