import { StrKey } from '@stellar/stellar-sdk/base'
import { ChainAway } from '../../client/errors.ts'
import type { ContractId } from '../../protocol/identity.ts'
import { auditVault, AuditInconclusive } from '../../settlement/audit.ts'
import type { Audit } from '../../settlement/audit.ts'
import { plain } from '../../settlement/governance/envelope.ts'
import { openRpc } from '../../settlement/stellarRpc.ts'
import { words } from '../arguments.ts'
import type { Command, Outcome } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { table } from '../table.ts'

/** `darkpool audit [--rpc URL] [--vault C…]`: whether the vault holds what it owes, by public data alone. */
export const audit: Command = async ({ args, place }) => {
  words(args, [])
  const vault = args.options.vault ?? place.venue('--vault').file.vault.contract
  if (!StrKey.isValidContract(vault)) throw new UsageFault(`--vault ${vault} is no contract (C…)`)
  const server = openRpc(place.rpc)
  try {
    const { passphrase } = await server.getNetwork()
    return shown(await auditVault(server, vault as ContractId, passphrase))
  } catch (error) {
    if (error instanceof AuditInconclusive) return { text: `INCONCLUSIVE: ${error.message}`, json: { conclusive: false, reason: error.message }, failed: true }
    throw new ChainAway(error)
  }
}

function shown(audit: Audit): Outcome {
  const { solvent, vault, ledger, accounts, assets, channels, paused, admin, pauser, announced } = audit
  const rows = assets.map(({ asset, contract, held, balances, exits, fees, surplus, paused }) => [
    String(asset), contract, ...[held, balances, exits, fees].map(String), surplus < 0n ? `SHORT OF ${-surplus}` : String(surplus), paused ? 'paused' : '',
  ])
  const text = [
    `${solvent ? 'SOLVENT' : 'NOT SOLVENT'}: vault ${vault} at ledger ${ledger}, ${accounts} accounts, amounts in smallest units`,
    table(['asset', 'contract', 'held', 'owed to accounts', 'of it asked for', 'fees', 'surplus', ''], rows),
    table(['channel', 'engine', 'epoch', 'sequence', 'state root', 'trades root'], channels.map(({ channel, engine, epoch, sequence, stateRoot, tradesRoot }) => [String(channel), engine ?? 'none', String(epoch), String(sequence), stateRoot, tradesRoot])),
    `administrator ${admin ?? 'none'}, pauser ${pauser ?? 'the administrator'}${paused ? '; EVERYTHING IS PAUSED' : ''}`,
    ...(announced.length === 0 ? ['no change is announced'] : announced.map(({ change, due }) => `announced, from ${new Date(due * 1000).toISOString()} on: ${change.map(String).join(' ')}`)),
  ].join('\n')
  return { text, json: plain({ conclusive: true, ...audit }), failed: !solvent }
}
