import { Address, xdr } from '@stellar/stellar-sdk'

// Values as contracts take them.

export const u32 = (value: number): xdr.ScVal => xdr.ScVal.scvU32(value)
export const u64 = (value: number): xdr.ScVal => xdr.ScVal.scvU64(BigInt(value))
export const symbol = (value: string): xdr.ScVal => xdr.ScVal.scvSymbol(value)
export const address = (value: string): xdr.ScVal => new Address(value).toScVal()
/** An enum of a contract is a vec: the variant's name, then what it holds. */
export const variant = (name: string, ...values: xdr.ScVal[]): xdr.ScVal => xdr.ScVal.scvVec([symbol(name), ...values])
