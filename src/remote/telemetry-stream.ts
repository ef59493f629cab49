import { setTimeout as sleep } from 'node:timers/promises'
import { EdgesmithError } from '../contract/errors.ts'
import type { TelemetryReading } from '../contract/telemetry.ts'
import { findBoardSensors, NO_TOOLS, readBoard } from '../core/telemetry/board-reading.ts'
import type { CpuTicks } from '../core/telemetry/system-load.ts'
import { rootedFiles } from '../platform/system-files.ts'
import { PrintedBoard } from './printed-board.ts'
import { LineTooLong, readLines } from './read-lines.ts'
import { noShell, startScript } from './remote-script.ts'
import { shownText } from './shown-text.ts'
import type { SshChannels } from './ssh-channels.ts'
import { telemetryScript } from './telemetry-script.ts'

/** Takes a reading and the name of what measures power; null where nothing does. */
export type OnReading = (reading: TelemetryReading, powerSource: string | null) => void

/** Default interval of live readings. */
export const TELEMETRY_EVERY_MS = 1000

/** Far above a line of tegrastats. */
const LONGEST_LINE = 16_384

/**
 * Live readings of a device through one channel, see `telemetry-script.ts`, until the signal aborts. Moments are this computer's, when a
 * reading arrived.
 * @throws EdgesmithError CONNECTION_LOST; DEVICE_COMMAND_FAILED (the script ended by itself); DEVICE_UNSUPPORTED (no POSIX shell);
 *   DEVICE_PROTOCOL
 */
export async function streamTelemetry(
  connection: SshChannels,
  intervalMs: number,
  onReading: OnReading,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return
  const script = await startScript(connection, telemetryScript(intervalMs))
  const stop = () => script.abandon()
  signal.addEventListener('abort', stop, { once: true })
  // Nobody wants what the tools complain about, and a full pipe would hold the script up.
  script.stderr.resume()
  try {
    if (signal.aborted) stop()
    const board = new PrintedBoard()
    for await (const line of readLines(script.stdout, LONGEST_LINE)) {
      const found = board.add(line)
      if (found && !signal.aborted) onReading({ atMs: Date.now(), ...found.reading }, found.powerSource)
    }
    const end = await script.ended
    if (signal.aborted) return
    if (end.connectionLost) throw connection.lost()
    if (!script.started()) throw noShell(connection, script, '')
    throw new EdgesmithError('DEVICE_COMMAND_FAILED', `The readings of ${connection.place} ended by themselves`, {
      hint: 'Does the device have the command sleep, and may the user run it?',
    })
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error
    throw new EdgesmithError('DEVICE_PROTOCOL', `${connection.place} answered ${shownText(error.message)}`)
  } finally {
    signal.removeEventListener('abort', stop)
    script.abandon()
    script.stdout.resume()
  }
}

/** Live readings of this computer from /proc and /sys; on other systems all of them are null. Settles when the signal aborts. */
export async function watchThisComputer(intervalMs: number, onReading: OnReading, signal: AbortSignal, root = '/'): Promise<void> {
  const files = rootedFiles(root)
  const sensors = findBoardSensors(files)
  let ticks: CpuTicks | null = null
  while (!signal.aborted) {
    const found = readBoard(files, sensors, ticks, NO_TOOLS)
    ticks = found.ticks
    onReading({ atMs: Date.now(), ...found.reading }, found.power?.source ?? null)
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined)
  }
}
