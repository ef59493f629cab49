import { readdirSync, readFileSync } from 'node:fs'

/** What the threads of a process have done so far. */
export interface ProcessorTime {
  readonly workedMs: number
  /** Ready to work, while others had the processor. */
  readonly waitedMs: number
}

/** Of this process or of one whose threads sleep at the moment, exact. From Linux; null on other systems. */
export function processorTime(pid: number): ProcessorTime | null {
  if (process.platform !== 'linux') return null
  let [workedMs, waitedMs] = [0, 0]
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [worked, waited] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
    workedMs += Number(worked) / 1e6
    waitedMs += Number(waited) / 1e6
  }
  // Of a thread that runs the file holds what it had at the last tick.
  const own = process.cpuUsage()
  return { workedMs: pid === process.pid ? (own.user + own.system) / 1000 : workedMs, waitedMs }
}
