import { type Device, LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import type { Condition } from '../../components/state-dot.tsx'
import { plainText } from '../../format/plain-text.ts'

/** A device's state in words; `detail` names what is missing. */
export interface DeviceState {
  readonly condition: Condition
  readonly text: string
  readonly detail: string | null
}

/** What is being done with a device at the moment. */
export type DeviceActivity = 'probing' | 'preparing' | null

/** State of a device from its last probe, its agent, and what is being done with it. `version` is the version of this Edgesmith. */
export function deviceState(device: Device, activity: DeviceActivity, version: string | undefined): DeviceState {
  if (activity === 'probing') return { condition: 'busy', text: 'Connecting', detail: null }
  if (activity === 'preparing') return { condition: 'busy', text: 'Configuring', detail: 'The agent is being sent and tested' }
  const { report, agentVersion } = device
  if (!report) {
    return device.id === LOCAL_DEVICE_ID
      ? { condition: 'good', text: 'Available', detail: null }
      : { condition: 'off', text: 'Not probed', detail: null }
  }
  if (!report.fits) {
    const failed = report.checks.find(({ ok }) => !ok)
    return {
      condition: 'bad',
      text: 'Cannot run the agent',
      detail: failed ? `${plainText(failed.name, 60)}: found ${plainText(failed.found, 80)}, needed ${plainText(failed.needed, 80)}` : null,
    }
  }
  if (agentVersion === null)
    return { condition: 'good', text: 'Available', detail: 'The agent is sent with the first job, or now by Prepare' }
  if (version !== undefined && agentVersion !== version) {
    return {
      condition: 'warn',
      text: 'Available',
      detail: `Agent ${plainText(agentVersion, 20)} is replaced by ${plainText(version, 20)} with the next job`,
    }
  }
  return { condition: 'good', text: 'Available', detail: `Agent ${plainText(agentVersion, 20)} is there` }
}
