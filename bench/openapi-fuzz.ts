// Asks the device server whatever its own OpenAPI document describes, and things near it, and looks whether only documented answers come back:
// statuses, media types, schemas. Several models of different kinds, each with its own document, and a deployed service with two releases.
//
//   node bench/openapi-fuzz.ts [--requests 10000] [--seed 1]
//
// Ends with 1 when an answer was not documented. npm test does the same with a few hundred requests.
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { startService } from '../src/agent/serve/service.ts'
import { type ServiceConfigFile, serviceConfigSchema } from '../src/contract/service.ts'
import { onnxRuntime, onnxRuntimeVersion } from '../src/engine/runtimes/onnx-runtime.ts'
import { contractOf, fuzzRequests } from '../tests/agent/serve/openapi-contract.ts'
import { send, serviceConfig, TOKEN } from '../tests/agent/service-fixture.ts'
import { ServedFolder } from '../tests/agent/versions/served-folder.ts'
import { identityModel, linearModel, multiInputModel } from '../tests/engine/measure/small-models.ts'
import { markdownTable } from './markdown.ts'

const { values: options } = parseArgs({
  options: { requests: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
})

const fields = [
  { input: 'x', index: 0, name: 'age', min: 0, max: 120 },
  { input: 'x', index: 1, name: 'weight', min: 0.5 },
]
const services: readonly (readonly [string, Uint8Array, Partial<ServiceConfigFile>])[] = [
  [
    'classifier with fields',
    linearModel('N', [
      [1, 2, 0],
      [1, 0, 2],
    ]),
    { labels: ['sum', 'a', 'b'], fields },
  ],
  ['several inputs of several types', multiInputModel(), {}],
  [
    'preprocessing to another layout',
    identityModel('N', [3, 1, 2]),
    { preprocessing: { stored: 'channels-last', layout: 'channels-first', scale: 0.5 } },
  ],
  ['fixed batch of half precision', identityModel(2, [2], 'float16'), {}],
]

interface Target {
  readonly port: number
  /** What it logged as an error. */
  readonly errors: readonly string[]
  close(): Promise<void>
}

async function single(model: Uint8Array, changes: Partial<ServiceConfigFile>): Promise<Target> {
  const errors: string[] = []
  const { port, close } = await startService({
    config: serviceConfigSchema.parse({ ...serviceConfig(model), ...changes }),
    token: TOKEN,
    readModel: async () => model,
    runtime: onnxRuntime,
    runtimeVersion: onnxRuntimeVersion,
    log: { info: () => {}, error: (event, more) => void errors.push(JSON.stringify({ event, ...more })) },
  })
  return { port, errors, close }
}

/** As it is deployed: a folder, with half of the requests for a second release. */
async function folder(): Promise<Target> {
  const served = new ServedFolder()
  await served.settings()
  const [one, two] = await Promise.all(
    [1, 3].map((scale) =>
      served.release(
        linearModel('N', [
          [scale, 2, 0],
          [1, 0, scale],
        ]),
        { labels: ['sum', 'a', 'b'], fields },
      ),
    ),
  )
  await served.start(one)
  await served.bring(two as string, { kind: 'split', weight: 50 })
  const { port, events } = served
  return {
    port,
    get errors() {
      return events.filter(({ level }) => level === 'error').map((event) => JSON.stringify(event))
    },
    close: () => served.remove(),
  }
}

const targets: readonly (readonly [string, () => Promise<Target>])[] = [
  ...services.map(([name, model, changes]) => [name, () => single(model, changes)] as const),
  ['two releases of a deployed service', folder],
]

const rows: string[][] = []
let breaches = 0
for (const [index, [name, start]] of targets.entries()) {
  const service = await start()
  const { body: document } = await send(service.port, '/openapi.json')
  const contract = contractOf(document)
  const count = Math.ceil(Number(options.requests) / targets.length)
  const statuses = new Map<number, number>()
  const found: string[] = []
  // Made in portions: thousands of bodies at once are only memory.
  for (let made = 0; made < count; made += 250) {
    const seed = Number(options.seed) * 1_000_003 + index * 10_007 + made
    for (const { operation, options: request } of fc.sample(fuzzRequests(contract, document), {
      numRuns: Math.min(250, count - made),
      seed,
    })) {
      const reply = await send(service.port, operation.path, { method: operation.method, ...request })
      statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1)
      const breach = contract.breach(operation, reply)
      if (breach !== null) found.push(`${breach}\n  asked: ${JSON.stringify(request).slice(0, 500)}`)
    }
  }
  const { errors } = service
  await service.close()
  breaches += found.length + errors.length
  const shown = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${status}: ${times}`)
  rows.push([name, String(count), shown.join(', '), String(found.length), String(errors.length)])
  for (const line of [...found.slice(0, 5), ...errors.slice(0, 5)]) console.error(line)
}
console.log(markdownTable(['model', 'requests', 'statuses', 'not documented', 'errors logged'], rows))
process.exitCode = breaches > 0 ? 1 : 0
