import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { AgentMessage } from '../../src/contract/agent-protocol.ts'
import { decodeWire, encodeWire } from '../../src/contract/agent-wire.ts'
import type { AgentBundle } from './agent-bundle.ts'

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A bundled agent that runs as a process of its own. */
export class AgentProcess {
  readonly child: ChildProcess
  readonly messages: AgentMessage[] = []
  readonly ended: Promise<Ending>
  stderr = ''

  constructor({ folder, entry }: AgentBundle, operands: readonly string[]) {
    // An empty environment and another folder: nothing of this repository can be found by accident.
    this.child = spawn(process.execPath, [entry, ...operands], { cwd: folder, env: {}, stdio: 'pipe' })
    this.ended = once(this.child, 'close').then(([code, signal]) => ({ code, signal }))
    this.child.stdin?.on('error', () => {})
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('utf8')
    })
  }

  /** Starts `run` and collects its messages. */
  static run(bundle: AgentBundle): AgentProcess {
    const agent = new AgentProcess(bundle, ['run'])
    if (agent.child.stdout) {
      createInterface({ input: agent.child.stdout }).on('line', (line) => agent.messages.push(decodeWire(line) as AgentMessage))
    }
    return agent
  }

  /** Writes one line. */
  write(line: string): void {
    this.child.stdin?.write(`${line}\n`)
  }

  /** Sends a request, keeps standard input open as a host does, and answers the last message. */
  async answer(request: unknown): Promise<AgentMessage> {
    this.write(typeof request === 'string' ? request : encodeWire(request))
    await this.ended
    const last = this.messages.at(-1)
    if (!last) throw new Error(`the agent said nothing. ${this.stderr}`)
    return last
  }

  /** Settles when a progress message of this phase has come. */
  async reached(phase: string): Promise<void> {
    while (!this.messages.some((message) => message.type === 'progress' && message.progress.phase === phase)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Error(`ended before ${phase}: ${this.stderr}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

/** Whether a process of this number exists and is not a zombie (a dead child of a process that does not wait for it). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  return !existsSync('/proc/self/stat') || !/\) Z /.test(readStat(pid))
}

function readStat(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return ') Z '
  }
}
