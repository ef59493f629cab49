import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'

/** A running process, as /proc tells. */
export interface DeviceProcess {
  readonly pid: number
  readonly parent: number
  readonly uid: number
  readonly command: string
  readonly exe: string
}

/** All processes that can be seen. Those that end meanwhile are left out, zombies too. */
export function listProcesses(): DeviceProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        if (state === 'Z') return []
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return [{ pid: Number(name), parent: Number(parent), uid: statSync(`/proc/${name}`).uid, command, exe: exeOf(name) }]
      } catch {
        return []
      }
    })
}

function exeOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return ''
  }
}

/** The processes among `all` that descend from `pid`, itself left out. */
export function descendantsOf(pid: number, all: readonly DeviceProcess[]): DeviceProcess[] {
  const children = all.filter((process) => process.parent === pid)
  return children.flatMap((child) => [child, ...descendantsOf(child.pid, all)])
}
