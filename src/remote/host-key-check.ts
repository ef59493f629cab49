import { EdgesmithError } from '../contract/errors.ts'
import { type KnownHostEntry, keyFingerprint, keyTypeOf, lookUpHostKey } from './known-hosts.ts'

/** A host key that was accepted, and why. */
export interface AcceptedHostKey {
  readonly fingerprint: string
  readonly keyType: string
  /** `expected`: the fingerprint given for this connection; `confirmed`: the one confirmed earlier; `known-hosts`: a file. */
  readonly acceptedBy: 'expected' | 'confirmed' | 'known-hosts'
}

/** What a shown key is measured against; the first that is there decides. */
export interface HostKeyPolicy {
  readonly host: string
  readonly port: number
  /** Fingerprints the user gives for this very connection; any of them is right. */
  readonly expected: readonly string[]
  /** One of `expected` has to be it; false for jump hosts, of which some may be known already. */
  readonly mustBeExpected: boolean
  /** One of `expected` is right even where another key is on file; false where it may be meant for another host on the way. */
  readonly replacesKnown: boolean
  /** Fingerprint the user confirmed when the device was added. */
  readonly confirmed: string | null
  readonly knownHosts: readonly KnownHostEntry[]
}

/**
 * Decides about the key a host showed. A revoked key is never accepted.
 * @throws EdgesmithError HOST_KEY_UNKNOWN with the fingerprint to confirm, HOST_KEY_CHANGED with both fingerprints, HOST_KEY_MISMATCH;
 *   details are `{fingerprint, keyType, host, port}` and, where another key is on file, `knownFingerprints`
 */
export function checkHostKey(policy: HostKeyPolicy, blob: Buffer): AcceptedHostKey {
  const { host, port, expected, mustBeExpected, replacesKnown, confirmed, knownHosts } = policy
  const fingerprint = keyFingerprint(blob)
  const keyType = keyTypeOf(blob)
  const details = { fingerprint, keyType, host, port }
  const lookup = lookUpHostKey(knownHosts, host, port, blob)
  const onFile = lookup.entries.map((entry) => ({
    fingerprint: keyFingerprint(Buffer.from(entry.key, 'base64')),
    keyType: entry.keyType,
    place: `${entry.file}:${entry.line}`,
  }))
  const place = onFile.map((entry) => entry.place).join(', ')
  if (lookup.state === 'revoked') {
    throw new EdgesmithError('HOST_KEY_CHANGED', `The key of ${host}:${port} (${fingerprint}) is marked as revoked in ${place}`, {
      hint: 'Somebody may be posing as the device. Ask whoever revoked the key.',
      details: { ...details, knownFingerprints: [], revoked: true },
    })
  }
  if (expected.includes(fingerprint) && (replacesKnown || lookup.state !== 'changed'))
    return { fingerprint, keyType, acceptedBy: 'expected' }
  if (mustBeExpected && expected.length > 0) {
    const wanted = expected.join(', ')
    throw new EdgesmithError('HOST_KEY_MISMATCH', `${host}:${port} showed the ${keyType} key ${fingerprint}, not ${wanted}`, {
      hint: `Read the fingerprint on the device itself: for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf "$f"; done`,
      details: { ...details, expected: wanted },
    })
  }
  if (confirmed !== null) {
    if (fingerprint === confirmed) return { fingerprint, keyType, acceptedBy: 'confirmed' }
    const others = lookup.state === 'changed' ? onFile.map((entry) => entry.fingerprint).filter((known) => known !== confirmed) : []
    throw changed(details, [confirmed, ...others], lookup.state === 'changed' ? `when it was added and in ${place}` : 'when it was added')
  }
  if (lookup.state === 'known') return { fingerprint, keyType, acceptedBy: 'known-hosts' }
  if (lookup.state === 'changed')
    throw changed(
      details,
      onFile.map((entry) => entry.fingerprint),
      `in ${place}`,
      replacesKnown ? undefined : 'If that host was set up anew, delete the line that is named. If not, somebody may be posing as it.',
    )
  throw new EdgesmithError('HOST_KEY_UNKNOWN', `${host}:${port} was never seen before; its ${keyType} key is ${fingerprint}`, {
    hint: 'Compare the fingerprint with the one the device prints (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then confirm it.',
    details,
  })
}

function changed(
  details: { fingerprint: string; host: string; port: number },
  known: readonly string[],
  where: string,
  hint = 'If the device was set up anew, remove it and add it again with the new fingerprint. If not, somebody may be posing as it.',
): EdgesmithError {
  const { fingerprint, host, port } = details
  return new EdgesmithError('HOST_KEY_CHANGED', `The key of ${host}:${port} is now ${fingerprint}; ${where} it was ${known.join(', ')}`, {
    hint,
    details: { ...details, knownFingerprints: known },
  })
}
