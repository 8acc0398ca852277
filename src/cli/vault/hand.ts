import { SecretSigner } from '../../client/secretSigner.ts'
import type { Arguments } from '../arguments.ts'
import { UsageFault } from '../fault.ts'
import type { Place } from '../place.ts'
import { askSecret } from './prompt.ts'

/** Whoever signs: the key of `--key`, `--as` or `--prompt`, or null where none is given. @throws UsageFault */
export async function handOf({ as, key, prompt }: Arguments['options'], place: Place): Promise<SecretSigner | null> {
  if (prompt !== true) return as === undefined && key === undefined ? null : place.signer()
  if (as !== undefined || key !== undefined) throw new UsageFault('one of --key, --as and --prompt')
  const secret = await askSecret('secret key (S…): ')
  try {
    return new SecretSigner(secret)
  } catch (error) {
    throw new UsageFault('that is no Stellar secret key (S…)', error)
  }
}
