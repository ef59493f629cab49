import { LOCAL_DEVICE_ID } from '../../contract/device.ts'
import type { TelemetryReading } from '../../contract/telemetry.ts'
import { useCall } from '../backend/use-call.ts'
import { useDeviceLink } from '../backend/use-device-links.ts'
import { useNow } from '../hooks/use-now.ts'

/** Asking starts the readings on the device; it stops some seconds after nobody asked. */
const ASK_EVERY_MS = 2000
/** A device that said nothing for this long is not shown as if it had just spoken. */
const STALE_MS = 15_000

/** What a device says of itself while it is shown. */
export interface LiveTelemetry {
  /** False while there is no connection to ask through. */
  readonly asked: boolean
  /** Oldest first; empty until the first arrives, and when the last is old. */
  readonly readings: readonly TelemetryReading[]
  readonly powerSource: string | null
  readonly error: Error | null
}

/** Live readings of a device that is connected, and of this computer. */
export function useTelemetry(deviceId: string): LiveTelemetry {
  const link = useDeviceLink(deviceId)
  const asked = deviceId === LOCAL_DEVICE_ID || link?.state === 'ready'
  const query = useCall('devices.telemetry', { id: deviceId, connect: false }, { enabled: asked, refetchIntervalMs: ASK_EVERY_MS })
  const now = useNow(asked ? ASK_EVERY_MS : null)
  if (!asked) return { asked, readings: [], powerSource: null, error: null }
  return {
    asked,
    readings: freshReadings(query.data?.readings ?? [], now),
    powerSource: query.data?.powerSource ?? null,
    error: query.error,
  }
}

/** The readings when the newest is not older than {@link STALE_MS}, none otherwise. */
export function freshReadings(readings: readonly TelemetryReading[], nowMs: number): readonly TelemetryReading[] {
  const newest = readings.at(-1)
  return newest && nowMs - newest.atMs <= STALE_MS ? readings : []
}
