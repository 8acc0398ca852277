import type { Operation } from './operation.ts'
import { OwnOperation } from './ownOperation.ts'
import type { Place } from './place.ts'

/** What operators look at and act on: by the root key beside the venue. */
export const openOperation = (place: Place): Promise<Operation> => OwnOperation.open(place)
