/** A refusal by the contract or the host, as a simulation tells it. */
export class ContractRefusal extends Error {
  /** The contract's own error number (docs/contract.md), or null where the host refused. */
  readonly number: number | null
  /** The call exceeds what one transaction may use. */
  readonly overLimit: boolean

  constructor(text: string) {
    const number = /Error\(Contract, #(\d+)\)/.exec(text)?.[1]
    const host = /Error\((\w+, \w+)\)/.exec(text)?.[1]
    // Never the text itself: it carries the arguments of the call.
    super(number === undefined ? `host error (${host ?? 'unnamed'})` : `contract error ${number}`)
    this.name = 'ContractRefusal'
    this.number = number === undefined ? null : Number(number)
    this.overLimit = /Error\((Budget|Storage), ExceededLimit\)/.test(text)
  }
}
