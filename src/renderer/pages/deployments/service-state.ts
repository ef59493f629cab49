import type { Deployment } from '../../../contract/deployment.ts'
import type { Condition } from '../../components/state-dot.tsx'

/** States of a service, in words. `unknown`: the device could not be asked. */
export const serviceStates = {
  running: { condition: 'good', text: 'Running' },
  stopped: { condition: 'off', text: 'Stopped' },
  failed: { condition: 'bad', text: 'Failed' },
  unknown: { condition: 'warn', text: 'Unknown' },
} as const satisfies Record<Deployment['state'], { condition: Condition; text: string }>
