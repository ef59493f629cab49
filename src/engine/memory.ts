import { readFileSync } from 'node:fs'

let idle: number | undefined

/** Notes what this process takes before its work begins: everything above it is the work's. */
export function noteIdleMemory(): void {
  idle = process.memoryUsage.rss()
}

/** Resident bytes when {@link noteIdleMemory} was called; now, when it never was. */
export function idleMemoryBytes(): number {
  return idle ?? process.memoryUsage.rss()
}

/**
 * Most resident bytes this process ever had. From the kernel's own record where there is one: `getrusage`, the portable
 * answer, hands a process the peak of the one that started it.
 */
export function peakMemoryBytes(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
    if (kilobytes !== undefined) return Number(kilobytes) * 1024
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024
}
