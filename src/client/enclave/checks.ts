/** Every check, in the order in which they are shown: what it means that it passes, and that it fails. */
export const checks = {
  'evidence-form': ['The venue shows evidence in the form that is known.', 'What the venue shows is not evidence, or of another version: nothing of it can be judged.'],
  nonce: ['The evidence was made for this very question.', 'The evidence was made for another question: an old one may be shown again.'],
  'quote-form': ['The quote is a TDX quote of version 4, signed with ECDSA on P-256.', 'There is no TDX quote: nothing says what runs.'],
  'pck-chain': ['The platform’s certificate is signed by Intel’s platform CA, and that by the root.', 'The platform’s certificate is not Intel’s.'],
  'root-key': ['The chain of the quote ends at the pinned root.', 'The quote is certified by somebody else: no Intel hardware stands behind it.'],
  'pck-validity': ['The certificates of the quote are valid now.', 'A certificate of the quote has expired, or is not valid yet.'],
  'qe-signature': ['The platform’s certified key has signed the report of the quoting enclave.', 'The quoting enclave did not run on the certified platform.'],
  'attestation-key': ['The quoting enclave has made the key that signed the quote.', 'The quote is signed by a key that no quoting enclave vouches for.'],
  'quote-signature': ['The quote is as it was signed.', 'The quote was changed, or was signed by another key.'],
  collateral: ['There is what Intel says of the platform.', 'There is nothing of Intel’s to judge the platform by: bring collateral, or ask the venue for it.'],
  'crl-chain': ['The issuer of the list of revoked platforms is Intel’s platform CA, the one of the quote.', 'The list of revoked platforms has an issuer that is not the quote’s.'],
  'pck-crl': ['The list of revoked platforms is as the platform CA signed it.', 'The list of revoked platforms was changed, or is somebody else’s.'],
  'pck-crl-freshness': ['The list of revoked platforms is current.', 'The list of revoked platforms is out of date: the platform may have been revoked since.'],
  'pck-revoked': ['The platform’s certificate is not revoked.', 'Intel has revoked the platform’s certificate: its keys may be in somebody’s hands.'],
  'root-crl': ['The list of revoked CAs is as the root signed it.', 'The list of revoked CAs was changed, or is somebody else’s.'],
  'root-crl-freshness': ['The list of revoked CAs is current.', 'The list of revoked CAs is out of date: a CA may have been revoked since.'],
  'ca-revoked': ['The platform CA is not revoked.', 'Intel has revoked the platform CA: certificates under it say nothing.'],
  'tcb-info-chain': ['The TCB information has an issuer of Intel’s, valid now.', 'Whoever signed the TCB information is not Intel, or its certificate is not valid now.'],
  'qe-identity-chain': ['The identity of the quoting enclave has an issuer of Intel’s, valid now.', 'Whoever signed the identity of the quoting enclave is not Intel, or its certificate is not valid now.'],
  'signing-revoked': ['The certificates that sign TCB information are not revoked.', 'Intel has revoked a certificate that signs TCB information: what it signed says nothing.'],
  'tcb-info-signature': ['The TCB information is as Intel signed it.', 'The TCB information was changed.'],
  'tcb-info-form': ['The TCB information is one of TDX, in the version that is known.', 'The TCB information is for something else.'],
  'tcb-info-freshness': ['The TCB information is current.', 'The TCB information is out of date: later attacks are not in it.'],
  'platform-match': ['The TCB information is for this kind of platform.', 'The TCB information is for another kind of platform.'],
  'qe-identity-signature': ['The identity of the quoting enclave is as Intel signed it.', 'The identity of the quoting enclave was changed.'],
  'qe-identity-form': ['The identity is the one of the quoting enclave of TDs, in the version that is known.', 'The identity is one of another enclave.'],
  'qe-identity-freshness': ['The identity of the quoting enclave is current.', 'The identity of the quoting enclave is out of date.'],
  evaluation: ['The collateral knows of the attacks that the policy asks for.', 'The collateral is older than the policy allows: Intel goes on signing it, and it does not know of later attacks.'],
  'qe-identity': ['The quoting enclave is Intel’s.', 'The enclave that made the attestation key is not Intel’s quoting enclave, or runs in another mode.'],
  'qe-status': ['The quoting enclave is of a version that the policy accepts.', 'The quoting enclave is of a version with known faults.'],
  'tcb-status': ['The platform’s firmware and microcode are of a version that the policy accepts.', 'The platform has known faults: whoever runs it may be able to look into the VM.'],
  'module-identity': ['The TDX module is one that Intel names.', 'What keeps the VM apart from the host is not a TDX module that Intel names.'],
  'module-status': ['The TDX module is of a version that the policy accepts.', 'The TDX module is of a version with known faults.'],
  'module-signer': ['The TDX module is Intel’s own, not one signed by somebody else.', 'The TDX module is signed by somebody else than Intel.'],
  debug: ['The VM cannot be debugged from outside.', 'The VM can be debugged: the host reads and writes its memory.'],
  'sept-ve-disable': ['The host cannot take pages away from under the VM unnoticed.', 'The host can have the VM run on through pages that were taken away.'],
  'td-attributes': ['The VM has no other powers than the ones that are known.', 'The VM was started with attributes that are not accepted: it could be migrated, or observed.'],
  mrtd: ['The firmware is one that the policy names.', 'The VM was started with other firmware.'],
  rtmr0: ['The virtual hardware is the one that the policy names for this firmware.', 'The VM has other virtual hardware, or was configured otherwise.'],
  rtmr1: ['The kernel is the one that the policy names.', 'The VM runs another kernel.'],
  rtmr2: ['The kernel’s command line and initial file system are those that the policy names.', 'The VM was booted with another command line or initial file system.'],
  'event-digests': ['Where the log names digests, they are those of its events.', 'The log names digests that are not those of its events: it was changed.'],
  rtmr3: ['The log comes to the RTMR3 of the quote: it is whole, in order, and nothing is added.', 'The log is not what was measured: an event was changed, left out, added or moved.'],
  'boot-events': ['Each event that says what booted is there once, and before the application could measure anything.', 'The log says twice, too late or not at all what booted.'],
  'os-image': ['The OS image is the one of the machine that the policy names.', 'The VM says that it booted another OS image.'],
  'vm-config': ['The VM’s configuration, where it is shown, is for the same OS image.', 'The VM’s configuration is for another OS image than was measured.'],
  'compose-hash': ['app-compose.json is the one that was measured, byte for byte.', 'What is shown as app-compose.json is not what runs.'],
  'compose-published': ['app-compose.json is a published one that the policy names.', 'The VM runs an app-compose.json that was not published.'],
  'compose-closed': ['The VM shows neither logs nor its state to the public, and takes its keys from the KMS.', 'The VM shows logs or its state to the public, or takes its keys from elsewhere.'],
  images: ['Every image is named by its digest, and is one that the policy names for its build.', 'An image can be replaced without anybody noticing, or is not one that was published.'],
  'app-id': ['The app is the one that the policy names: keys are given to it alone.', 'It is another app, with other keys.'],
  'key-provider': ['The keys come from the KMS that the policy names.', 'The keys come from elsewhere: whoever runs that has them.'],
  venue: ['The keys are for the network, vault and channel that the policy names.', 'The keys are for another network, vault or channel.'],
  'report-data': ['The quote binds the keys that are shown, and the nonce.', 'The keys that are shown are not those of the enclave.'],
  'tls-key': ['The connection ends inside the enclave.', 'Somebody stands between: the connection ends at another key than the enclave’s.'],
  'nats-authorities': ['Whom the venue has traders trust as its nats-servers is named by the enclave.', 'Feeds over NATS may end at somebody else’s server: the enclave does not name whom traders are told to trust.'],
  'engine-key': ['The key that the vault contract obeys is this enclave’s.', 'The vault obeys another key than this enclave’s.'],
} as const satisfies Readonly<Record<string, readonly [shows: string, fails: string]>>
export type CheckName = keyof typeof checks

/** One check, and what came of it. */
export interface Check {
  readonly name: CheckName
  readonly ok: boolean
  /** What was found. Bounded, and never a secret: evidence is public. */
  readonly evidence: string
  /** What that means. */
  readonly meaning: string
  /** The check that failed and without which this one has nothing to look at; null where it did look. */
  readonly blockedBy: CheckName | null
}

/** There is nothing to look at. */
class Blocked extends Error {
  readonly by: CheckName

  constructor(by: CheckName) {
    super(`not reached, because of ${by}`)
    this.name = 'Blocked'
    this.by = by
  }
}

const LONGEST_EVIDENCE = 600

/** Runs checks, each by itself: one that fails stops only those that need what it would have found. */
export class Examination {
  readonly #checks: Check[] = []

  /** @param look returns what was found and what later checks need of it; throws where it is not as it has to be @returns what it found, for checks that come later */
  async check<Found>(name: CheckName, look: () => Promise<readonly [evidence: string, found?: Found]> | readonly [evidence: string, found?: Found]): Promise<() => Found> {
    const [shows, fails] = checks[name]
    try {
      const [evidence, found] = await look()
      this.#checks.push({ name, ok: true, evidence: bounded(evidence), meaning: shows, blockedBy: null })
      return () => found as Found
    } catch (error) {
      const blockedBy = error instanceof Blocked ? error.by : null
      this.#checks.push({ name, ok: false, evidence: bounded(error instanceof Error ? error.message : 'failed for an unknown reason'), meaning: blockedBy === null ? fails : 'Not known.', blockedBy })
      return () => {
        throw new Blocked(blockedBy ?? name)
      }
    }
  }

  get checks(): readonly Check[] {
    return this.#checks
  }
}

function bounded(text: string): string {
  return text.length > LONGEST_EVIDENCE ? `${text.slice(0, LONGEST_EVIDENCE)}…` : text
}
