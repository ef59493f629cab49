import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { EdgesmithError } from '../../contract/errors.ts'
import { shellQuote } from '../../core/shell-quote.ts'
import { cleanEnvironment } from '../../platform/clean-environment.ts'
import { readLine } from '../../platform/read-file.ts'

const nodeName = process.platform === 'win32' ? 'node.exe' : 'node'

/** The supervisor needs next to nothing, and runs as long as the service: a small heap, no threads for it, and what its start took is given back. */
export const supervisorFlags = ['--max-old-space-size=24', '--max-semi-space-size=1', '--v8-pool-size=0', '--expose-gc'] as const

/** Programs of the agent that a service runs with. */
export interface Launch {
  readonly node: string
  readonly agent: string
}

/**
 * What the files `runtime` (folder of the agent) and `node` (program to use where that folder has none) of a service say.
 * @throws EdgesmithError `FILE_NOT_FOUND` where the agent is not there
 */
export async function readLaunch(folder: string): Promise<Launch> {
  const runtime = await readLine(join(folder, 'runtime'))
  const agent = join(runtime ?? '', 'agent.cjs')
  if (runtime === null || !existsSync(agent)) {
    throw new EdgesmithError('FILE_NOT_FOUND', `The agent that shall serve ${folder} is not there: ${runtime ?? 'no folder is named'}.`, {
      hint: 'Deploy the model again.',
    })
  }
  const own = join(runtime, nodeName)
  return { node: existsSync(own) ? own : ((await readLine(join(folder, 'node'))) ?? process.execPath), agent }
}

/** Has a program of its own bring a service back to where it was: for the end of a process whose deploy was cut off. */
export function startRecovery(folder: string): void {
  const [, agent] = process.argv
  if (agent === undefined) return
  const child = spawn(process.execPath, [agent, 'recover', folder], {
    cwd: folder,
    env: cleanEnvironment(),
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
  })
  child.on('error', () => undefined)
  child.unref()
}

/**
 * The script `start` of a service: what a unit or cron runs, so that neither has to be changed when the agent is.
 * It becomes the supervisor.
 */
export function startScript(folder: string): string {
  return `#!/bin/sh
# Starts the supervisor of this service with the agent that "runtime" names.
cd ${shellQuote(folder)} || exit 1
IFS= read -r runtime <runtime || exit 1
node=$runtime/node
[ -x "$node" ] || IFS= read -r node <node || exit 1
exec "$node" ${supervisorFlags.join(' ')} "$runtime/agent.cjs" supervise ${shellQuote(folder)}
`
}
