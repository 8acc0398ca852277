import type { Machine } from '../../src/actors/runtime/machine.ts'

/** What changes a machine. */
const changes: ReadonlySet<PropertyKey> = new Set(['advance', 'command', 'message', 'local'] satisfies (keyof Machine)[])

/** A machine like the given one, made from its snapshot. */
export function resumed<M extends Machine<never, never, never, never>>(machine: M, make: () => M): M {
  const next = make()
  next.restore(machine.snapshot())
  return next
}

/** Stands for a machine that, after calls that `at` picks by number, is dropped and made anew from its snapshot. Nobody should notice. */
export function interrupted<M extends Machine<never, never, never, never>>(make: () => M, at: (call: number) => boolean): M {
  let machine = make()
  let calls = 0
  return new Proxy(machine, {
    get: (_, name) => {
      const member: unknown = Reflect.get(machine, name, machine)
      if (typeof member !== 'function') return member
      return (...values: unknown[]): unknown => {
        const result: unknown = Reflect.apply(member, machine, values)
        if (changes.has(name) && at(++calls)) machine = resumed(machine, make)
        return result
      }
    },
  })
}
