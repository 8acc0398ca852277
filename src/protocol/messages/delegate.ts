import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, envelope, Key, MarketMember, UnixTime } from './members.ts'

/** Lets another key act for the account until `until`: trade, or only read; in one market, or in all. It can never withdraw or delegate. */
export const DelegateMessage = Type.Object(
  {
    action: Type.Literal('delegate'),
    ...envelope,
    key: Key,
    scope: Type.Union([Type.Literal('trade'), Type.Literal('read')]),
    market: Type.Union([MarketMember, Type.Literal('all')]),
    until: UnixTime,
  },
  closed,
)
export type DelegateMessage = Static<typeof DelegateMessage>
