/** One signature to check, as it lies in a task's buffer: public key, signature, and the digest it is over. */
export const KEY_BYTES = 32
export const SIGNATURE_BYTES = 64
export const DIGEST_BYTES = 32
export const CHECK_BYTES = KEY_BYTES + SIGNATURE_BYTES + DIGEST_BYTES

/** Most signatures in one task: about 3 ms of a thread, so that what waits behind a large batch does not wait long. */
export const TASK_CHECKS = 64
