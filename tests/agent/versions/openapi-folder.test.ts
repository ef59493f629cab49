import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { linearModel } from '../../engine/measure/small-models.ts'
import { contractOf, fuzzRequests } from '../serve/openapi-contract.ts'
import { send } from '../service-fixture.ts'
import { ServedFolder } from './served-folder.ts'

let served: ServedFolder | null = null
afterEach(async () => {
  await served?.remove()
  served = null
})

const fields = [
  { input: 'x', index: 0, name: 'age', min: 0, max: 120 },
  { input: 'x', index: 1, name: 'weight', min: 0.5 },
]
const model = (scale: number) =>
  linearModel('N', [
    [1, 2 * scale, 0],
    [1, 0, 2 * scale],
  ])

describe('a service with several releases', () => {
  // bench/openapi-fuzz.ts does the same with thousands of requests.
  it('answers only what its document says, whichever release answers', async () => {
    const folder = new ServedFolder()
    served = folder
    await folder.settings()
    const [one, two] = [1, 3].map((scale) => folder.release(model(scale), { labels: ['sum', 'a', 'b'], fields }))
    await folder.start(await one)
    await folder.bring((await two) as string, { kind: 'split', weight: 50 })
    const { body: document } = await send(folder.port, '/openapi.json')
    const contract = contractOf(document)
    const versions = new Set<string>()
    for (const { operation, options } of fc.sample(fuzzRequests(contract, document), { numRuns: 150, seed: 29 })) {
      const reply = await send(folder.port, operation.path, { method: operation.method, ...options })
      expect(contract.breach(operation, reply), JSON.stringify(options)).toBeNull()
      if (operation.path === '/predict' && reply.status === 200) versions.add(reply.body.version)
    }
    // Both were asked.
    expect(versions.size).toBe(2)
    expect(folder.events.filter(({ level }) => level === 'error')).toEqual([])
  })
})
