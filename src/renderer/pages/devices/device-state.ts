import { type Device, LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import type { DeviceLink } from '../../../contract/device-link.ts'
import type { Condition } from '../../components/state-dot.tsx'
import { plainText } from '../../format/plain-text.ts'

/** A device's state in words; `detail` names what is missing. */
export interface DeviceState {
  readonly condition: Condition
  readonly text: string
  readonly detail: string | null
  /** Something is wrong that a person should look at. */
  readonly needsReview: boolean
}

/** What this window is doing with a device at the moment. */
export type DeviceActivity = 'probing' | 'preparing' | null

/**
 * State of a device from the connection to it, its last probe, its agent, and what is being done with it.
 * @param version version of this Edgesmith
 */
export function deviceState(
  device: Device,
  link: DeviceLink | undefined,
  activity: DeviceActivity,
  version: string | undefined,
): DeviceState {
  const state = (condition: Condition, text: string, detail: string | null = null, needsReview = false): DeviceState => ({
    condition,
    text,
    detail,
    needsReview,
  })
  switch (link?.state) {
    case 'connecting':
      return state('busy', 'Connecting')
    case 'preparing':
      return state('busy', 'Preparing', 'The agent is being sent and tested')
    case 'reconnecting':
      return state('warn', 'Reconnecting', 'The link broke. What runs on the device goes on')
    case 'failed':
      return state('bad', 'Failed', link.error ? `${link.error.code}: ${plainText(link.error.message, 200)}` : null, true)
  }
  if (activity === 'preparing') return state('busy', 'Preparing', 'The agent is being sent and tested')
  const failed = failedCheckText(device)
  if (failed !== null) return state('bad', 'Cannot run the agent', failed, true)
  if (device.id === LOCAL_DEVICE_ID || link?.state === 'ready') {
    if (activity === 'probing') return state('good', 'Ready', 'Reading what it is')
    return state(isOutdated(device, version) ? 'warn' : 'good', 'Ready', agentText(device, version))
  }
  if (activity === 'probing') return state('busy', 'Connecting')
  return state('off', 'Idle', device.report ? 'Connects by itself when it is needed' : 'Never probed')
}

/** The check that says why the agent cannot run there; null when it can, or when nobody looked. */
export function failedCheckText({ report }: Pick<Device, 'report'>): string | null {
  if (!report || report.fits) return null
  const failed = report.checks.find(({ ok }) => !ok)
  if (!failed) return 'A check failed'
  return `${plainText(failed.name, 60)}: found ${plainText(failed.found, 80)}, needed ${plainText(failed.needed, 80)}`
}

function isOutdated({ agentVersion }: Device, version: string | undefined): boolean {
  return agentVersion !== null && version !== undefined && agentVersion !== version
}

function agentText(device: Device, version: string | undefined): string | null {
  const { agentVersion } = device
  if (agentVersion === null) {
    return device.id === LOCAL_DEVICE_ID ? null : 'The agent is sent with the first job, or now by Prepare'
  }
  if (version !== undefined && isOutdated(device, version))
    return `Agent ${plainText(agentVersion, 20)} is replaced by ${plainText(version, 20)} with the next job`
  return `Agent ${plainText(agentVersion, 20)} is there`
}
