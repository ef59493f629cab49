// Kills the deploying program, the serving process and the supervisor at every step of a deploy, at random moments, and says what was wrong
// afterwards (nothing must be): `node bench/deploy-kills.ts [TIMES]`, 5 times each unless told otherwise. Exit code 1 when something was.
import { bundleAgent } from '../tests/agent/agent-bundle.ts'
import { killAt, killBeside, scenarios } from '../tests/agent/services/killed-deploys.ts'
import { ServiceMachine } from '../tests/agent/services/service-machine.ts'

/** Longest time from the begin of a step to the kill. */
const latestMs = 400

const times = Number(process.argv[2] ?? 5)
const bundle = await bundleAgent()
const machine = await ServiceMachine.start(bundle)
let kills = 0
let wrong = 0

async function count(what: string, kill: (delayMs: number) => Promise<string[]>): Promise<void> {
  for (let time = 0; time < times; time++) {
    // The first at once, the others somewhere in the step.
    const delayMs = time === 0 ? 0 : Math.round(Math.random() * latestMs)
    const problems = await kill(delayMs)
    kills++
    if (problems.length > 0) wrong++
    console.log(
      `${problems.length === 0 ? 'ok   ' : 'WRONG'} ${what}, ${delayMs} ms into it${problems.map((text) => `\n      ${text}`).join('')}`,
    )
  }
}

try {
  for (const scenario of scenarios) {
    for (const step of scenario.steps) {
      await count(`deploying program killed in ${scenario.what}: ${step}`, (delayMs) =>
        killAt(machine, scenario.serves ? 'serving' : 'first', scenario, step, delayMs),
      )
    }
  }
  for (const victim of ['serving process', 'supervisor'] as const) {
    for (const step of ['writing the release', 'checking the release', 'switching', 'tidying up']) {
      await count(`${victim} killed in a switch: ${step}`, (delayMs) => killBeside(machine, 'serving', victim, step, delayMs))
    }
  }
} finally {
  await machine.end()
  await bundle.remove()
}
console.log(`${kills} kills, ${wrong} with something wrong afterwards`)
process.exitCode = wrong === 0 ? 0 : 1
