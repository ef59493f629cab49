import { execFileSync, spawn } from 'node:child_process'
import { readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type DeviceProcess, listProcesses } from './device-processes.ts'

/** A part of this computer with mounts, processes and a network of its own; all of it is gone when it is closed or when the tests die. */
export interface Namespace {
  /** Of its first process. */
  readonly pid: number
  /** Program and arguments that run another program inside. */
  enter(program: string, ...args: string[]): [program: string, ...args: string[]]
  /** Its processes, the first one left out. */
  processes(): DeviceProcess[]
  /** A path inside as this computer sees it. */
  pathHere(path: string): string
  close(): Promise<void>
}

export interface NamespaceOptions {
  /** With user ids of its own: the same numbers, but interpreters of programs (binfmt_misc) are its own too. */
  readonly users: boolean
  /** Default: none but its own loopback. */
  readonly network?: 'shared'
  /** Until `ready`; default 10 s. */
  readonly timeoutMs?: number
  /** What the script says before it is ready. */
  readonly onText?: (text: string) => void
}

const kinds = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private']
const pollMs = 20

/**
 * @param script in this folder: bash, waits for a line, mounts what it likes, says `ready`, and reads on until its input ends
 * @throws when the kernel or the script refuses
 */
export async function openNamespace(
  script: string,
  args: readonly string[],
  { users, network, timeoutMs = 10_000, onText }: NamespaceOptions,
): Promise<Namespace> {
  const unshare = [...(users ? ['--user'] : []), ...(network === 'shared' ? [] : ['--net']), ...kinds]
  const child = spawn('unshare', [...unshare, 'bash', join(import.meta.dirname, script), ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      // A package manager says much; the end of it is what explains a failure.
      said = (said + text).slice(-20_000)
      onText?.(text)
    })
  child.stdin.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const close = async () => {
    child.stdin.end()
    const timer = setTimeout(() => child.kill('SIGKILL'), 2000)
    await ended
    clearTimeout(timer)
  }
  const until = async (isSo: () => boolean) => {
    for (let waitedMs = 0; waitedMs < timeoutMs && child.exitCode === null; waitedMs += pollMs) {
      if (isSo()) return
      await delay(pollMs)
    }
    await close()
    throw new Error(`A namespace of a test device could not be made: ${said.trim().slice(-2000)}`)
  }
  const outer = child.pid ?? 0
  if (users) {
    await until(() => outer > 0 && readlinkSync(`/proc/${outer}/ns/user`) !== readlinkSync('/proc/self/ns/user'))
    for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${outer}/${map}`, '0 0 65536\n')
  }
  child.stdin.write('go\n')
  await until(() => /^ready$/m.test(said))
  const pid = listProcesses().find(({ parent }) => parent === outer)?.pid
  if (pid === undefined) throw new Error('The first process of a test device is gone')
  const space = readlinkSync(`/proc/${pid}/ns/pid`)
  return {
    pid,
    enter: (program, ...more) => [
      ...(['nsenter', '--target', String(pid), ...(users ? ['--user'] : []), '--mount', '--net', '--pid'] as const),
      program,
      ...more,
    ],
    processes: () => listProcesses().filter((process) => process.pid !== pid && spaceOf(process.pid) === space),
    pathHere: (path) => `/proc/${pid}/root${path}`,
    close,
  }
}

function spaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    // It ended meanwhile.
    return ''
  }
}

/** Why no namespace can be made here, or none that may run `mounts` (a shell command); null when it can. */
export function namespaceProblem(users: boolean, mounts: string): string | null {
  if (process.platform !== 'linux') return 'it needs Linux'
  if (process.getuid?.() !== 0) return 'only root can set it up'
  const args = [...(users ? ['--user', '--map-root-user'] : []), '--net', ...kinds, 'sh', '-c', mounts]
  try {
    execFileSync('unshare', args, { stdio: 'pipe', timeout: 10_000 })
    return null
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? '').trim()
    return `the kernel does not allow it: ${said.split('\n')[0] || (error as Error).message}`
  }
}
