import { afterEach, describe, expect, it } from 'vitest'
import type { GoldenAnswers } from '../../../src/contract/service.ts'
import { encodeBase64 } from '../../../src/core/base64.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { lookUpModel } from '../../engine/measure/small-models.ts'
import { send } from '../service-fixture.ts'
import { ServedFolder, timesModel } from './served-folder.ts'

const running: ServedFolder[] = []
afterEach(async () => {
  for (const served of running.splice(0)) await served.remove()
})

async function served(): Promise<{ service: ServedFolder; current: string }> {
  const service = new ServedFolder()
  running.push(service)
  await service.settings({ apiKeys: [] })
  const current = await service.release(timesModel(2))
  await service.start(current)
  return { service, current }
}

const text = (name: string, values: number[]) => ({
  name,
  type: 'float32',
  dims: [1, values.length],
  values: encodeBase64(new Uint8Array(Float32Array.from(values).buffer)),
})
/** x and y of a model that multiplies by 3. */
const golden = (...pairs: [number, number][]): GoldenAnswers => ({
  samples: pairs.map(([x, y]) => ({ inputs: [text('x', [x])], outputs: [text('y', [y])] })),
  tolerance: 0.01,
})

describe('what a release must show', () => {
  it('golden answers, within their tolerance', async () => {
    const { service, current } = await served()
    const right = await service.release(timesModel(3), { golden: golden([1, 3], [10, 30.2]) })
    expect((await service.prepare(right)).body).toMatchObject({
      passed: true,
      checks: expect.arrayContaining([expect.objectContaining({ name: 'golden answers', passed: true })]),
    })
    // One sample has no range, and is rounded all the same where it is computed.
    const alone = await service.release(timesModel(3), { golden: golden([10, 30.02]) })
    expect((await service.prepare(alone)).body).toMatchObject({ passed: true })
    for (const [wrong, reason] of [
      [golden([10, 31]), 'Sample 0: output "y" is off by 32.3 % of its range, at most 1 % is allowed.'],
      [golden([1, 3], [10, 31]), 'Sample 1: output "y" is off by 3.57 % of its range, at most 1 % is allowed.'],
      [{ ...golden([1, 3]), samples: [{ inputs: [text('x', [1])], outputs: [text('z', [3])] }] }, 'Sample 0: output "z" is missing.'],
      [
        { ...golden([1, 3]), samples: [{ inputs: [text('x', [1])], outputs: [text('y', [3, 4])] }] },
        'Sample 0: output "y" is float32 [1, 1], expected float32 [1, 2].',
      ],
      [
        { ...golden([1, 3]), samples: [{ inputs: [{ ...text('x', [1]), dims: [7] }], outputs: [] }] },
        expect.stringMatching(/^Sample 0 could not be run: golden "x" needs 28 bytes/),
      ],
    ] as const) {
      const release = await service.release(timesModel(3), { golden: wrong as GoldenAnswers })
      const { status, body } = await service.prepare(release)
      expect(status).toBe(200)
      expect(body).toMatchObject({ passed: false, latencyP95Ms: null })
      expect(body.checks.at(-1)).toEqual({ name: 'golden answers', passed: false, text: reason })
      expect((await service.traffic({ action: 'roll-out', release, rollout: {} })).status).toBe(409)
    }
    expect((await send(service.port, '/predict', { body: { input: [1] } })).body.version).toBe(current)
    expect((await service.live()).versions).toHaveLength(1)
  })

  it('files as they were sent, a model that loads and runs, and latency within its limit', async () => {
    const { service, current } = await served()
    const failed = async (release: string, gate: object = { runs: 20 }) => {
      const { body } = await service.prepare(release, gate)
      expect(body.passed).toBe(false)
      return body.checks.at(-1)
    }
    expect(await failed('0'.repeat(16))).toMatchObject({ name: 'files', text: expect.stringContaining('does not exist') })
    const broken = await service.release(new Uint8Array([1, 2, 3]))
    expect(await failed(broken)).toMatchObject({ name: 'load', passed: false })
    const embedding = await service.release(timesModel(3), { embedding: 'nothing' })
    expect(await failed(embedding)).toMatchObject({ name: 'load', text: expect.stringContaining('is no output of the model') })
    const good = await service.release(timesModel(5))
    expect(await failed(good, { runs: 20, maxLatencyMs: 1e-6 })).toMatchObject({
      name: 'latency',
      text: expect.stringContaining('at most 0.000001 ms are allowed'),
    })
    expect((await service.prepare(good)).body).toMatchObject({ passed: true, latencyP95Ms: expect.any(Number) })
    // The one that serves can be asked to show it as well.
    expect((await service.prepare(current)).body.passed).toBe(true)
    service.runtime = {
      ...onnxRuntime,
      load: async (...options) => ({
        ...(await onnxRuntime.load(...options)),
        run: () => Promise.reject(new Error('no kernel')),
      }),
    }
    const dead = await service.release(timesModel(7))
    expect(await failed(dead)).toMatchObject({ name: 'warm-up', text: 'It does not run on made-up inputs: no kernel' })
  })

  it('no more than it can: made-up inputs say nothing about a model whose values decide whether it runs', async () => {
    const { service } = await served()
    const table = await service.release(lookUpModel(1))
    const { body } = await service.prepare(table)
    expect(body.passed).toBe(true)
  })
})

describe('/control', () => {
  it('is for the owner, says what is wrong, and leaves everything as it is then', async () => {
    const { service, current } = await served()
    expect((await send(service.port, '/control/live', { anonymous: true })).status).toBe(401)
    expect((await send(service.port, '/control/prepare', { body: { release: 'x' } })).body.error).toMatchObject({ code: 'INVALID_REQUEST' })
    expect((await send(service.port, '/control/traffic', { body: { action: 'explode' } })).status).toBe(400)
    for (const [action, message] of [
      [{ action: 'rollback' }, 'There is no previous release.'],
      [{ action: 'promote', release: 'f'.repeat(16) }, 'is not beside the current one.'],
      [{ action: 'weight', release: 'f'.repeat(16), weight: 5 }, 'is not beside the current one.'],
    ] as const) {
      const { status, body } = await service.traffic(action)
      expect(status).toBe(409)
      expect(body.error.message).toContain(message)
    }
    expect(await service.folder.readRouting()).toMatchObject({ current, beside: [], previous: null })
    expect((await service.live()).events).toEqual([])
  })

  it('gives each session the same version, in shares that change at once', async () => {
    const { service, current } = await served()
    const other = await service.release(timesModel(3))
    const live = await service.bring(other, { kind: 'split', weight: 30 })
    expect(live.versions).toMatchObject([
      { release: current, weight: 70 },
      { release: other, kind: 'split', weight: 30 },
    ])
    const versionOf = async (session: string) =>
      (await send(service.port, '/predict', { body: { input: [1] }, headers: { 'x-session-id': session } })).body.version
    const sessions = Array.from({ length: 60 }, (_, index) => `session ${index}`)
    const before = await Promise.all(sessions.map(versionOf))
    expect(await Promise.all(sessions.map(versionOf))).toEqual(before)
    const share = before.filter((version) => version === other).length
    expect(share).toBeGreaterThan(5)
    expect(share).toBeLessThan(35)
    await service.traffic({ action: 'weight', release: other, weight: 100 })
    expect(new Set(await Promise.all(sessions.map(versionOf)))).toEqual(new Set([other]))
    // Both are there by name, and the description says that both may answer.
    for (const [version, y] of [
      [current, 2],
      [other, 3],
    ] as const) {
      const infer = { inputs: [{ name: 'x', shape: [1, 1], datatype: 'FP32', data: [1] }] }
      const answer = await send(service.port, `/v2/models/test/versions/${version}/infer`, { body: infer })
      expect(answer.body).toMatchObject({ model_version: version, outputs: [{ data: [y] }] })
      expect(answer.headers['x-model-version']).toBe(version)
    }
    const document = (await send(service.port, '/openapi.json')).body
    expect(document.components.schemas.PredictAnswer.properties.version).toEqual({ enum: [current, other] })
    const metrics = String((await send(service.port, '/metrics')).body)
    for (const version of [current, other]) expect(metrics).toContain(`nv_inference_request_success{model="test",version="${version}"}`)
    const withdrawn = await service.traffic({ action: 'withdraw', release: other })
    expect(withdrawn.body.versions).toHaveLength(1)
    expect((await send(service.port, `/v2/models/test/versions/${other}`)).status).toBe(404)
    expect(new Set(await Promise.all(sessions.map(versionOf)))).toEqual(new Set([current]))
  })
})
