import type { Deployment } from '../../../contract/deployment.ts'
import type { Supervision } from '../../../contract/service-protocol.ts'
import type { Condition } from '../../components/state-dot.tsx'

/** States of a service, in words. `unknown`: the device could not be asked. */
export const serviceStates = {
  running: { condition: 'good', text: 'Running' },
  stopped: { condition: 'off', text: 'Stopped' },
  failed: { condition: 'bad', text: 'Failed' },
  unknown: { condition: 'warn', text: 'Unknown' },
} as const satisfies Record<Deployment['state'], { condition: Condition; text: string }>

/** What keeps a service running, in words. */
const supervisions = {
  'system-unit': 'systemd, system unit',
  'user-unit': 'systemd, user unit',
  cron: 'supervisor, started by cron',
  process: 'supervisor process',
} as const satisfies Record<Supervision, string>

/** What keeps it running, and whether it serves again after its machine was started again. */
export function supervisionText(supervision: Supervision | null, survivesReboot: boolean | null): string {
  const kept = supervision === null ? 'not known' : supervisions[supervision]
  if (survivesReboot === null) return kept
  return `${kept}; ${survivesReboot ? 'comes back after a reboot' : 'does not come back after a reboot'}`
}
