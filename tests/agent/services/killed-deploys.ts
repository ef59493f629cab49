import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ServiceFolder } from '../../../src/agent/services/service-folder.ts'
import { isAlive } from '../agent-process.ts'
import type { ServiceMachine } from './service-machine.ts'

/** What a deploy does to a service, by the steps it then tells. */
export const scenarios = [
  {
    what: 'the first deploy of a service',
    steps: [
      'looking at the service',
      'writing the release',
      'checking its files',
      'starting the service',
      'checking the release',
      'tidying up',
    ],
    serves: false,
    settings: {},
  },
  {
    what: 'a switch to another release',
    steps: ['looking at the service', 'writing the release', 'checking its files', 'checking the release', 'switching', 'tidying up'],
    serves: true,
    settings: {},
  },
  {
    what: 'a switch with other settings',
    steps: ['starting the service', 'checking the release', 'switching', 'tidying up'],
    serves: true,
    settings: { concurrency: 99 },
  },
] as const
export type Scenario = (typeof scenarios)[number]

/** Release that serves before, one whose deploy is killed, and one that is deployed afterwards. */
const [before, killed, after] = [1, 2, 3] as const

/**
 * Kills the deploying program some time after it began a step, and looks at what is left: what served before serves (or the new release
 * once it may have been switched), every release file is whole, and the next deploy works.
 *
 * @returns what is wrong; empty when nothing is
 */
export async function killAt(
  machine: ServiceMachine,
  service: string,
  scenario: Scenario,
  step: string,
  delayMs: number,
): Promise<string[]> {
  const problems: string[] = []
  if (scenario.serves) await machine.deploy(service, await machine.release(before))
  const deploying = machine.begin()
  const { settings } = scenario
  const ended = deploying.answer(machine.line(machine.deployment(service, await machine.release(killed), { settings }))).catch(() => null)
  // Steps may be faster than the delay.
  let mayBeSwitched = false
  void deploying.reached('checking the release').then(
    () => {
      mayBeSwitched = true
    },
    () => {},
  )
  await deploying.reached(step)
  await delay(delayMs)
  deploying.child.kill('SIGKILL')
  await deploying.ended
  await ended

  if (scenario.serves) {
    const factor = await answeredFactor(machine, service)
    if (factor !== before && !(mayBeSwitched && factor === killed)) problems.push(`${factor ?? 'nobody'} answers`)
  }
  problems.push(...(await halfReleases(machine, service)))
  const next = await machine.deploy(service, await machine.release(after)).catch((error: { code: string; message: string }) => error)
  if ('message' in next) problems.push(`the next deploy fails with ${next.code}: ${next.message}`)
  else if ((await answeredFactor(machine, service)) !== after) problems.push('the next deploy does not serve')
  problems.push(...(await halfReleases(machine, service)))
  if (!scenario.serves) problems.push(...(await removed(machine, service)))
  return problems
}

/**
 * Kills serving process or supervisor some time after a deploy began a step. The deploy may fail; the service answers again by itself, and
 * the next deploy works.
 */
export async function killBeside(
  machine: ServiceMachine,
  service: string,
  victim: 'serving process' | 'supervisor',
  step: string,
  delayMs: number,
): Promise<string[]> {
  const problems: string[] = []
  await machine.deploy(service, await machine.release(before))
  const folder = new ServiceFolder(machine.folder(service))
  const deploying = machine.begin()
  const ended = deploying.answer(machine.line(machine.deployment(service, await machine.release(killed)))).catch(() => null)
  await deploying.reached(step)
  await delay(delayMs)
  const file = victim === 'supervisor' ? 'supervisor.json' : 'state.json'
  const pid = Number(JSON.parse(await readFile(folder.at(file), 'utf8')).pid)
  if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  await ended
  const factor = await answeredFactor(machine, service)
  if (factor !== before && factor !== killed) problems.push(`${factor ?? 'nobody'} answers`)
  const next = await machine.deploy(service, await machine.release(after)).catch((error: { code: string; message: string }) => error)
  if ('message' in next) problems.push(`the next deploy fails with ${next.code}: ${next.message}`)
  else if ((await answeredFactor(machine, service)) !== after) problems.push('the next deploy does not serve')
  const report = await machine.report(service)
  if (report.message !== null) problems.push(report.message)
  return problems
}

/** Removes a service; answers what is left of it. */
async function removed(machine: ServiceMachine, service: string): Promise<string[]> {
  await machine.call({ action: 'remove', service })
  const left = await machine.processes()
  return left.length > 0 ? [`${left.length} processes are left`] : []
}

/** Factor of the model that answers, within half a minute; null when nobody does. */
async function answeredFactor(machine: ServiceMachine, service: string): Promise<number | null> {
  for (const until = performance.now() + 30_000; performance.now() < until; await delay(100)) {
    const reply = await machine.predict(service).catch(() => null)
    if (reply?.status === 200) return reply.body.outputs.y[0] / 2
  }
  return null
}

/** Release files that are not what their name says. */
async function halfReleases(machine: ServiceMachine, service: string): Promise<string[]> {
  const folder = new ServiceFolder(machine.folder(service))
  const problems: string[] = []
  for (const id of await readdir(join(folder.path, 'releases')).catch(() => [])) {
    await folder.readRelease(id).catch((error: { code: string }) => {
      // A folder without a file is the begin of a release, which nobody sees.
      if (error.code !== 'FILE_NOT_FOUND') problems.push(`release ${id} is ${error.code}`)
    })
  }
  return problems
}
