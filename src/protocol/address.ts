import { StrKey } from '@stellar/stellar-sdk/base'

/** Whether a text is a Stellar address that can have an account with the venue: a key's (G…), or a contract's (C…), check digits included. */
export const isAddress = (text: string): boolean => StrKey.isValidEd25519PublicKey(text) || StrKey.isValidContract(text)
