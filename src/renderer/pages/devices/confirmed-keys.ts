import type { ProcedureInput } from '../../../contract/procedures.ts'
import type { HostKeyDetails } from './host-key-details.ts'

/** Jump hosts that `devices.add` takes the keys of. */
const MOST_JUMPS = 8

/** The same input with the key a person confirmed: of a jump host beside those confirmed before, or of the device. */
export function withConfirmedKey(
  input: ProcedureInput<'devices.add'>,
  { fingerprint, jump }: Pick<HostKeyDetails, 'fingerprint' | 'jump'>,
): ProcedureInput<'devices.add'> {
  if (fingerprint === null) return input
  if (jump === null) return { ...input, hostKey: fingerprint }
  return { ...input, jumpHostKeys: [...new Set([...(input.jumpHostKeys ?? []), fingerprint])].slice(-MOST_JUMPS) }
}
