import { PairMachine } from '../../src/actors/pair/pairMachine.ts'
import type { Effects, Machine } from '../../src/actors/runtime/machine.ts'
import { VaultMachine } from '../../src/actors/vault/vaultMachine.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import type { ReplyTo } from '../../src/protocol/packets.ts'
import type { PairMessage } from '../../src/protocol/pair.ts'
import type { SignedCommand, VaultMessage } from '../../src/protocol/vault.ts'
import { BOOKS_AGREE } from '../checks/reconciled.ts'
import type { Defect, Place } from './defect.ts'
import { changedEffects, WrappedMachine } from './wrappedMachine.ts'

/** A vault machine under a defect may touch what it keeps; nobody else does. */
type Open<State> = { -readonly [Member in keyof State]: State[Member] }
const stateOf = (machine: VaultMachine): Open<VaultMachine['state']> => machine.state

class OwnClock extends WrappedMachine {
  readonly #place: Place

  constructor(machine: Machine, place: Place) {
    super(machine)
    this.#place = place
  }

  override advance(effects: Effects): void {
    this.machine.advance(changedEffects(effects, { time: this.#place.host.clock.now() }))
  }
  override command(command: unknown, reply: ReplyTo, effects: Effects): void {
    this.machine.command(command, reply, changedEffects(effects, { time: this.#place.host.clock.now() }))
  }
  override message(from: ActorName, message: unknown, effects: Effects): void {
    this.machine.message(from, message, changedEffects(effects, { time: this.#place.host.clock.now() }))
  }
}

export const ownClock: Defect = {
  name: 'own-clock',
  what: "Machines look at their host's clock instead of the record's time.",
  machine: (machine, place) => new OwnClock(machine, place),
}

class Forgetful extends WrappedMachine {
  override command(command: unknown, reply: ReplyTo, effects: Effects): void {
    if (this.machine instanceof VaultMachine) {
      const { orders } = stateOf(this.machine)
      const known = orders.get((command as SignedCommand).id)
      if (known !== undefined && known.reason !== null) orders.delete(known.id)
    }
    this.machine.command(command, reply, effects)
  }
}

export const idsForgotten: Defect = {
  name: 'ids-forgotten',
  what: 'A vault actor forgets an order as soon as it is closed, though its message can still come again.',
  machine: (machine) => new Forgetful(machine),
}

class Hasty extends WrappedMachine {
  override command(command: unknown, reply: ReplyTo, effects: Effects): void {
    const { kind, account, order: id } = command as { readonly kind: string; readonly account: never; readonly order: never }
    if (this.machine instanceof VaultMachine && kind === 'cancel') {
      const { accounts, orders } = stateOf(this.machine)
      const order = orders.get(id)
      for (const balance of order?.account === account && order !== undefined ? (accounts.get(account)?.balances.values() ?? []) : []) {
        if (order === undefined || balance.reserved < order.reserved || order.reserved === 0n) continue
        balance.reserved -= order.reserved
        order.reserved = 0n
        break
      }
    }
    this.machine.command(command, reply, effects)
  }
}

export const earlyRelease: Defect = {
  name: 'early-release',
  what: 'A vault actor lets the funds of an order go when its cancel comes, not when the market has answered.',
  machine: (machine) => new Hasty(machine),
}

class Moody extends WrappedMachine {
  readonly #place: Place

  constructor(machine: Machine, place: Place) {
    super(machine)
    this.#place = place
  }

  override message(from: ActorName, message: unknown, effects: Effects): void {
    const sent: [ActorName, unknown][] = []
    this.machine.message(from, message, changedEffects(effects, { send: (to, said) => sent.push([to, said]) }))
    // By a choice that no journal knows of.
    if (this.#place.random.chance(0.01)) sent.reverse()
    for (const [to, said] of sent) effects.send(to, said)
  }
}

export const notDeterministic: Defect = {
  name: 'not-deterministic',
  what: 'A market says what it says in an order that is another one at every run.',
  machine: (machine, place) => (machine instanceof PairMachine ? new Moody(machine, place) : machine),
}

class Patient extends WrappedMachine {
  override command(command: unknown, reply: ReplyTo, effects: Effects): void {
    const { expires } = command as { readonly expires?: number }
    const over = expires !== undefined && expires * 1_000 <= effects.time
    this.machine.command(over ? { ...(command as object), expires: Math.ceil(effects.time / 1_000) + 1 } : command, reply, effects)
  }
}

export const expiryIgnored: Defect = {
  name: 'expiry-ignored',
  what: 'A vault actor takes messages whose time is over, by when it has forgotten which it had taken.',
  machine: (machine) => (machine instanceof VaultMachine ? new Patient(machine) : machine),
}

class Unmoved extends WrappedMachine {
  override message(from: ActorName, message: unknown, effects: Effects): void {
    if ((message as VaultMessage).kind !== 'exit') super.message(from, message, effects)
  }
}

export const exitIgnored: Defect = {
  name: 'exit-ignored',
  what: 'A vault actor goes on trading on money that its owner has asked the contract for.',
  machine: (machine) => (machine instanceof VaultMachine ? new Unmoved(machine) : machine),
}

class Careless extends WrappedMachine {
  override message(from: ActorName, message: unknown, effects: Effects): void {
    super.message(from, message, effects)
    const said = message as VaultMessage
    if (!(this.machine instanceof VaultMachine) || said.kind !== 'deposited') return
    const { accounts } = stateOf(this.machine)
    const own = accounts.get(said.account)?.balances.get(said.asset)
    for (const { id, balances } of accounts.values()) {
      const other = balances.get(said.asset)
      if (id === said.account || own === undefined || other === undefined) continue
      // Of all accounts together it is right.
      own.settled -= 1n
      other.settled += 1n
      return
    }
  }
}

export const wrongAccount: Defect = {
  name: 'wrong-account',
  what: 'A vault actor credits one unit of a deposit to another account.',
  // By the venue itself, which reads the chain, before anybody from the outside has looked.
  foundBy: BOOKS_AGREE,
  machine: (machine) => (machine instanceof VaultMachine ? new Careless(machine) : machine),
}

class Lagging extends WrappedMachine {
  #last: Uint8Array | null = null

  override snapshot(): Uint8Array {
    return this.#last ?? super.snapshot()
  }
  override message(from: ActorName, message: unknown, effects: Effects): void {
    // Put down before the input that came last.
    this.#last = super.snapshot()
    super.message(from, message, effects)
  }
  override restore(bytes: Uint8Array): void {
    this.#last = null
    super.restore(bytes)
  }
}

export const snapshotBehind: Defect = {
  name: 'snapshot-behind',
  what: 'A market is put down as it was before the input that came last.',
  machine: (machine) => (machine instanceof PairMachine ? new Lagging(machine) : machine),
}

/** How much later a market acts on a timer than it says. */
const LATE_ms = 3_000

class Sluggish extends WrappedMachine {
  override message(from: ActorName, message: unknown, effects: Effects): void {
    const said = message as PairMessage
    const later = said.kind === 'timer' && said.deadline !== null && !said.takeBack ? { ...said, deadline: (said.deadline + LATE_ms) as Milliseconds } : said
    super.message(from, later, effects)
  }
}

export const timerLate: Defect = {
  name: 'timer-late',
  what: 'A market takes the orders of a trader who has fallen silent back three seconds after the time that he was told.',
  machine: (machine) => (machine instanceof PairMachine ? new Sluggish(machine) : machine),
}

class Timeless extends WrappedMachine {
  override restore(bytes: Uint8Array): void {
    super.restore(encode({ ...decode<object>(bytes), timers: [] }))
  }
}

export const timerForgotten: Defect = {
  name: 'timer-forgotten',
  what: 'A market that begins from a snapshot has forgotten the timers that were running.',
  machine: (machine) => (machine instanceof PairMachine ? new Timeless(machine) : machine),
}
