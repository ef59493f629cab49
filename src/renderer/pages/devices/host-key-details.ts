import { z } from 'zod'
import type { ErrorReport } from '../../../contract/errors.ts'
import { plainText } from '../../format/plain-text.ts'

const detailsSchema = z.object({
  fingerprint: z.string().optional(),
  keyType: z.string().optional(),
  host: z.string().optional(),
  port: z.number().optional(),
  knownFingerprints: z.array(z.string()).optional(),
  /** The fingerprint that was asked for (HOST_KEY_MISMATCH). */
  expected: z.string().optional(),
  /** The jump host whose key it is. */
  jump: z.string().nullish(),
})

/** What a host-key error says about the keys. */
export interface HostKeyDetails {
  readonly fingerprint: string | null
  readonly keyType: string
  readonly address: string
  readonly knownFingerprints: readonly string[]
  /** The jump host on the way to the device whose key it is; null for the device itself. */
  readonly jump: string | null
}

/** The facts of a HOST_KEY_… error, ready to show; missing ones are left empty. */
export function hostKeyDetails(report: Pick<ErrorReport, 'details'>): HostKeyDetails {
  const parsed = detailsSchema.safeParse(report.details ?? {})
  const found = parsed.success ? parsed.data : {}
  const host = found.host ? plainText(found.host, 255) : ''
  return {
    fingerprint: found.fingerprint ? plainText(found.fingerprint, 80) : null,
    keyType: found.keyType ? plainText(found.keyType, 40) : 'unknown',
    address: found.port === undefined ? host : `${host}, port ${found.port}`,
    knownFingerprints: [...(found.knownFingerprints ?? []), ...(found.expected ? [found.expected] : [])].map((fingerprint) =>
      plainText(fingerprint, 80),
    ),
    jump: found.jump ? plainText(found.jump, 300) : null,
  }
}
