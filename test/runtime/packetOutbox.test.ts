import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { PacketOutbox } from '../../src/actors/runtime/packetOutbox.ts'

/** The packets one by one, and what of them is acknowledged: found by looking at all. */
class SlowOutbox {
  packets: { first: number; last: number; bytes: Uint8Array }[] = []
  trimmed = 0
  get last(): number {
    return this.packets.at(-1)?.last ?? this.trimmed
  }
  at(position: number) {
    return this.packets.find(({ first, last }) => first <= position && position <= last)
  }
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('push' as const), count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('trim' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const) }) },
)

t.test('positions lead to the packets that hold them, whatever was trimmed and however it was restored', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      let outbox = new PacketOutbox()
      const slow = new SlowOutbox()
      for (const step of steps) {
        if (step.do === 'push') {
          const packet = { first: slow.last + 1, last: slow.last + step.count, bytes: new Uint8Array([step.count]) }
          outbox.push(packet)
          slow.packets.push(packet)
        } else if (step.do === 'trim') {
          const position = slow.trimmed + Math.floor(step.part * (slow.last - slow.trimmed))
          outbox.trim(position)
          slow.trimmed = position
        } else outbox = new PacketOutbox(outbox.trimmed, outbox.packets)
        assert.equal(outbox.last, slow.last)
        assert.equal(outbox.trimmed, slow.trimmed)
        assert.equal(outbox.size, slow.last - slow.trimmed)
        assert.deepEqual(outbox.packets, slow.packets.filter(({ last }) => last > slow.trimmed))
        for (let position = slow.trimmed + 1; position <= slow.last; position++) assert.equal(outbox.at(position), slow.at(position))
      }
    }),
  )
})

t.test('what does not follow is refused', async (t) => {
  const bytes = new Uint8Array(1)
  const outbox = new PacketOutbox()
  outbox.push({ first: 1, last: 4, bytes })
  t.throws(() => outbox.push({ first: 6, last: 7, bytes }))
  t.throws(() => outbox.push({ first: 5, last: 4, bytes }))
  t.throws(() => outbox.trim(5))
  t.throws(() => outbox.at(5))
  outbox.trim(4)
  t.throws(() => outbox.at(4))
  t.throws(() => new PacketOutbox(4, [{ first: 1, last: 4, bytes }]), 'a packet that is done')
  t.throws(() => new PacketOutbox(4, [{ first: 6, last: 7, bytes }]), 'a gap')
})
