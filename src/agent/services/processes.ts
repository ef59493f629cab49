import { readdir } from 'node:fs/promises'
import { commandLineOf } from '../../platform/processes.ts'

/** What the agent does in a process. */
type Part = 'serve' | 'supervise'

/** Whether a process is the one that serves, or supervises, the service of a folder. */
export async function isPartOf(pid: number, part: Part, folder: string): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false
  return `${await commandLineOf(pid)} `.includes(` ${part} ${folder} `)
}

/** All processes that serve or supervise a folder; empty where processes cannot be listed. */
export async function processesOf(folder: string): Promise<number[]> {
  if (process.platform !== 'linux') return []
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const pid = Number(name)
    if (pid === process.pid) continue
    const line = `${await commandLineOf(pid)} `
    if (line.includes(` serve ${folder} `) || line.includes(` supervise ${folder} `)) found.push(pid)
  }
  return found
}
