import { existsSync, readFileSync } from 'node:fs'
import { Keypair } from '@stellar/stellar-sdk'
import { Fault } from '../setup/fault.ts'
import { writeDurably } from './stateFolder.ts'

/** A Stellar key kept in a file that only its owner may read, as the text S…; made at first use. */
export function keyFile(file: string): Keypair {
  if (!existsSync(file)) writeDurably(file, Keypair.random().secret())
  try {
    return Keypair.fromSecret(readFileSync(file, 'utf8').trim())
  } catch (error) {
    throw new Fault(`${file} holds no Stellar secret key`, { cause: error })
  }
}
