import { Networks, StrKey } from '@stellar/stellar-sdk'
import { openVenue } from '../../configuration/venueFile.ts'
import type { ContractId } from '../../protocol/identity.ts'
import { rpcEndpoints } from '../../protocol/venue.ts'
import type { Venue } from '../../protocol/venue.ts'
import { VaultGovernance } from '../../settlement/governance/vaultGovernance.ts'
import { openRpc } from '../../settlement/stellarRpc.ts'
import type { Network } from '../../settlement/transaction.ts'
import type { Arguments } from '../arguments.ts'
import { Declined, UsageFault } from '../fault.ts'
import type { Place } from '../place.ts'

/** Networks that go by a name here; any other is named by its passphrase. Of the public network nobody gives an endpoint away. */
const networks: Readonly<Record<string, { readonly passphrase: string; readonly rpc?: string }>> = {
  public: { passphrase: Networks.PUBLIC },
  testnet: { passphrase: Networks.TESTNET, rpc: 'https://soroban-testnet.stellar.org' },
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

  /** @throws UsageFault, Declined where the endpoint is of another network */
  static async open({ options }: Arguments, place: Place): Promise<Ground> {
    const venue = options.venue !== undefined || options.network === undefined ? venueOf(options, place) : null
    const named = options.network === undefined ? undefined : (networks[options.network] ?? { passphrase: options.network })
    const passphrase = named?.passphrase ?? venue?.file.network.passphrase
    if (passphrase === undefined) throw new UsageFault('--network is missing: public, testnet, or a passphrase')
    if (venue !== null && venue.file.network.passphrase !== passphrase) throw new UsageFault(`--network ${options.network}: the venue file is for another network, ${venue.file.network.passphrase}`)
    const rpc = options.rpc ?? (venue === null ? named?.rpc : rpcEndpoints(venue.file.network)[0])
    if (rpc === undefined) throw new UsageFault('--rpc is missing: the URL of a Stellar RPC endpoint of that network')
    if (!URL.canParse(rpc)) throw new UsageFault(`--rpc ${rpc} is no URL`)
    const server = openRpc(rpc)
    const found = (await server.getNetwork()).passphrase
    if (found !== passphrase) throw new Declined(`the endpoint ${new URL(rpc).host} is of another network (${found}) than was named (${passphrase})`)
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

/** The venue file that `--venue` names, or the local venue's. @throws UsageFault */
export function venueOf({ venue }: Arguments['options'], place: Place): Venue {
  if (venue === undefined) return place.venue('--venue FILE, or --network')
  try {
    return openVenue(venue)
  } catch (error) {
    throw new UsageFault((error as Error).message, error)
  }
}
