import { Compile } from 'typebox/compile'
import { Type } from 'typebox'
import type { TSchema } from 'typebox'
import { Refusal } from '../errors.ts'
import { AmendMessage } from './amend.ts'
import { CancelMessage } from './cancel.ts'
import { CancelAllMessage } from './cancelAll.ts'
import { DeadManMessage } from './deadMan.ts'
import { DelegateMessage } from './delegate.ts'
import { LoginMessage } from './login.ts'
import { OrderMessage } from './order.ts'
import { RevokeMessage } from './revoke.ts'
import { SessionMessage } from './session.ts'
import { WithdrawMessage } from './withdraw.ts'

/** Everything a trader can sign, by its `action`. */
export interface Messages {
  order: OrderMessage
  amend: AmendMessage
  cancel: CancelMessage
  cancelAll: CancelAllMessage
  deadMan: DeadManMessage
  withdraw: WithdrawMessage
  delegate: DelegateMessage
  revoke: RevokeMessage
  login: LoginMessage
  session: SessionMessage
}
export type Action = keyof Messages
export type Message = Messages[Action]

/** What each is made of. */
export const messageSchemas = {
  order: OrderMessage,
  amend: AmendMessage,
  cancel: CancelMessage,
  cancelAll: CancelAllMessage,
  deadMan: DeadManMessage,
  withdraw: WithdrawMessage,
  delegate: DelegateMessage,
  revoke: RevokeMessage,
  login: LoginMessage,
  session: SessionMessage,
} as const satisfies Record<Action, TSchema>

const validators = {
  order: Compile(OrderMessage),
  amend: Compile(AmendMessage),
  cancel: Compile(CancelMessage),
  cancelAll: Compile(CancelAllMessage),
  deadMan: Compile(DeadManMessage),
  withdraw: Compile(WithdrawMessage),
  delegate: Compile(DelegateMessage),
  revoke: Compile(RevokeMessage),
  login: Compile(LoginMessage),
  session: Compile(SessionMessage),
}

/** A request that carries a signed message. `signer` is the key that signed where it is not the account itself. */
export const SignedRequest = Type.Object(
  {
    message: Type.Record(Type.String({ maxLength: 32 }), Type.String({ maxLength: 128 }), { maxProperties: 24, description: 'One of the signed messages' }),
    signature: Type.String({ pattern: '^[A-Za-z0-9+/]{86}==$', description: 'Base64 ed25519 signature over the SEP-53 digest' }),
    signer: Type.Optional(Type.String({ pattern: '^G[A-Z2-7]{55}$', description: 'Delegated or trading key, where it is not the account itself' })),
  },
  { additionalProperties: false },
)

/**
 * Checks that an object is a message with the given action, with exactly its members.
 * @throws Refusal message_malformed (naming the first member at fault), action_unsupported
 */
export function readMessage<A extends Action>(action: A, members: Readonly<Record<string, unknown>>): Messages[A] {
  if (members.action !== action) throw new Refusal(typeof members.action === 'string' && members.action in validators ? 'action_unsupported' : 'message_malformed', 'action')
  const validator = validators[action]
  if (validator.Check(members)) return members as Messages[A]
  throw new Refusal('message_malformed', memberAtFault(validator.Errors(members)))
}

/** The name of a member is public knowledge; its value is not, and stays out. */
function memberAtFault(errors: readonly { instancePath: string }[]): string | undefined {
  const named = errors.find((error) => error.instancePath.length > 1)
  return named?.instancePath.slice(1)
}
