import type { ProcedureOutput } from '../../contract/procedures.ts'
import type { TelemetryReading } from '../../contract/telemetry.ts'
import type { DeviceSession } from '../../remote/device-session.ts'

/** Readings kept of a device: ten minutes at one a second. */
const MOST_READINGS = 600
/** A window that shows a device asks every two seconds; one that was closed does not. */
const STOP_AFTER_MS = 10_000

interface Watch {
  readonly readings: TelemetryReading[]
  readonly controller: AbortController
  powerSource: string | null
  stopAt: NodeJS.Timeout
}

/** Live readings of devices, taken only while somebody asks for them. */
export class DeviceTelemetry {
  private readonly watches = new Map<string, Watch>()
  private readonly failures = new Map<string, { readonly error: unknown; readonly atMs: number }>()

  /**
   * What was read so far, oldest first; the first call starts the readings and has none.
   * @param session to read through
   * @throws EdgesmithError why the readings ended since the call before, unless that is long ago
   */
  readings(deviceId: string, session: DeviceSession): ProcedureOutput<'devices.telemetry'> {
    const failure = this.failures.get(deviceId)
    this.failures.delete(deviceId)
    if (failure && Date.now() - failure.atMs < STOP_AFTER_MS) throw failure.error
    const watch = this.watches.get(deviceId) ?? this.start(deviceId, session)
    clearTimeout(watch.stopAt)
    watch.stopAt = this.stopLater(deviceId)
    return { readings: [...watch.readings], powerSource: watch.powerSource }
  }

  stop(deviceId: string): void {
    const watch = this.watches.get(deviceId)
    if (!watch) return
    this.watches.delete(deviceId)
    clearTimeout(watch.stopAt)
    watch.controller.abort()
  }

  close(): void {
    for (const deviceId of [...this.watches.keys()]) this.stop(deviceId)
  }

  private start(deviceId: string, session: DeviceSession): Watch {
    const watch: Watch = {
      readings: [],
      controller: new AbortController(),
      powerSource: null,
      stopAt: this.stopLater(deviceId),
    }
    this.watches.set(deviceId, watch)
    const onReading = (reading: TelemetryReading, powerSource: string | null) => {
      watch.powerSource = powerSource
      watch.readings.push(reading)
      if (watch.readings.length > MOST_READINGS) watch.readings.shift()
    }
    session.watchTelemetry(onReading, watch.controller.signal).catch((error: unknown) => {
      if (this.watches.get(deviceId) !== watch) return
      this.failures.set(deviceId, { error, atMs: Date.now() })
      this.stop(deviceId)
    })
    return watch
  }

  private stopLater(deviceId: string): NodeJS.Timeout {
    const timer = setTimeout(() => this.stop(deviceId), STOP_AFTER_MS)
    timer.unref()
    return timer
  }
}
