import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentBundle, bundleAgent } from '../agent-bundle.ts'
import { killAt, killBeside, scenarios } from './killed-deploys.ts'
import { ServiceMachine } from './service-machine.ts'

// Once for each step here; `node bench/deploy-kills.ts` does it many times, at other moments.
let bundle: AgentBundle
let machine: ServiceMachine
beforeAll(async () => {
  bundle = await bundleAgent()
  machine = await ServiceMachine.start(bundle)
})
afterAll(async () => {
  await machine.end()
  await bundle.remove()
})

describe.each(scenarios)('kill -9 of the program that does $what', (scenario) => {
  it.each(scenario.steps)(
    'while it is %s',
    async (step) => {
      expect(await killAt(machine, scenario.serves ? 'serving' : 'first', scenario, step, 30)).toEqual([])
    },
    120_000,
  )
})

describe.each(['serving process', 'supervisor'] as const)('kill -9 of the %s', (victim) => {
  it.each(['checking the release', 'switching'])(
    'while a deploy is %s',
    async (step) => {
      expect(await killBeside(machine, 'serving', victim, step, 10)).toEqual([])
    },
    120_000,
  )
})
