import type { DeviceLogLine } from '../../contract/device-link.ts'

/** A day of ordinary work; older lines are let go. */
const MOST_LINES = 2000
/** A line of a terminal; what a device says is cut there. */
const LONGEST_LINE = 2000

/** What happened between this computer and each device since this program started, as a terminal would show it. */
export class DeviceLog {
  private readonly lines = new Map<string, DeviceLogLine[]>()
  private readonly counts = new Map<string, number>()

  /** @param at moment as ISO 8601 */
  add(deviceId: string, at: string, text: string): void {
    const number = (this.counts.get(deviceId) ?? 0) + 1
    this.counts.set(deviceId, number)
    const lines = this.lines.get(deviceId) ?? []
    this.lines.set(deviceId, lines)
    lines.push({ number, at, text: text.slice(0, LONGEST_LINE) })
    if (lines.length > MOST_LINES) lines.splice(0, lines.length - MOST_LINES)
  }

  /** Lines with a higher number than `after`, oldest first. */
  after(deviceId: string, after: number): DeviceLogLine[] {
    return (this.lines.get(deviceId) ?? []).filter(({ number }) => number > after)
  }

  forget(deviceId: string): void {
    this.lines.delete(deviceId)
    this.counts.delete(deviceId)
  }
}
