import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { imageStepsSchema } from '../../../src/contract/dataset.ts'
import type { ServiceConfigFile } from '../../../src/contract/service.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { type AgentBundle, bundleAgent } from '../agent-bundle.ts'
import { send, TOKEN } from '../service-fixture.ts'
import { matmulChain } from './matmul-chain.ts'

const SIZE = 512
/** Takes some ten milliseconds a run. */
const slow = matmulChain(400, SIZE)
let bundle: AgentBundle
const children: ChildProcess[] = []

beforeAll(async () => {
  bundle = await bundleAgent()
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await bundle.remove()
})

/** `agent serve` as it runs on a board. */
async function serve(name: string, model: Uint8Array, changes: Partial<ServiceConfigFile>): Promise<{ child: ChildProcess; port: number }> {
  const at = (file: string) => join(bundle.folder, `${name}-${file}`)
  const config: ServiceConfigFile = {
    service: name,
    modelName: name,
    modelPath: at('model.onnx'),
    modelSha256: createHash('sha256').update(model).digest('hex'),
    version: 'v1',
    host: '127.0.0.1',
    port: 0,
    tokenPath: at('token'),
    statePath: at('state.json'),
    preprocessing: {},
    labels: null,
    accuracy: null,
    latencyP50Ms: null,
    ...changes,
  }
  await writeFile(config.modelPath, model)
  await writeFile(config.tokenPath, TOKEN, { mode: 0o600 })
  await writeFile(at('service.json'), JSON.stringify(config))
  const child = spawn(process.execPath, [bundle.entry, 'serve', at('service.json')], { stdio: 'ignore' })
  children.push(child)
  await expect.poll(() => existsSync(config.statePath) || child.exitCode !== null, { timeout: 60_000 }).toBe(true)
  return { child, port: JSON.parse(readFileSync(config.statePath, 'utf8')).port }
}

it('a slow model runs in threads: others are answered meanwhile, and a stop loses nothing', async () => {
  const { child, port } = await serve('slow', slow, { workers: 2 })
  const input = Array.from({ length: SIZE }, (_, index) => Math.cos(index))
  const order: string[] = []
  const predictions = Array.from({ length: 12 }, async (_, index) => {
    const answer = await send(port, '/predict', { body: { input } })
    order.push(`prediction ${index}`)
    return answer
  })
  const health = await send(port, '/health')
  order.push('health')
  expect(health.body.status).toBe('ok')
  const metrics = String((await send(port, '/metrics')).body)
  expect(metrics).toMatch(/nv_inference_/)
  // Told to stop while they are under way.
  child.kill('SIGTERM')
  const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
  const answers = await Promise.all(predictions)
  expect(order.indexOf('health')).toBeLessThan(11)
  const here = await onnxRuntime.load(slow)
  const { y } = await here.run({ x: { type: 'float32', dims: [1, SIZE], values: Float32Array.from(input) } })
  await here.close()
  const expected = y?.values as Float32Array
  for (const { status, body } of answers) {
    expect(status).toBe(200)
    const found = body.outputs.y as number[]
    expect(Math.max(...expected.map((value, index) => Math.abs(value - (found[index] ?? Number.NaN))))).toBeLessThan(1e-4)
  }
  expect(await ended).toBe(0)
})

it('without the image library a service answers values, and says why it reads no images', async () => {
  const model = encodeModel(
    makeModel({
      nodes: [makeNode('Identity', ['x'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', ['n', 3, 2, 2])],
      outputs: [makeValueInfo('y', 'float32', ['n', 3, 2, 2])],
    }),
  )
  const image = imageStepsSchema.parse({ width: 2, height: 2 })
  const { port } = await serve('plain', model, { preprocessing: { image, layout: 'channels-first' } })
  const body = Buffer.from('/9j/4AAQ', 'base64')
  const refused = await send(port, '/predict', { body, headers: { 'content-type': 'image/jpeg' } })
  expect([refused.status, refused.body.error.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  expect(refused.body.error.message).toBe('This server cannot read images: it was installed without the library for that.')
  const values = await send(port, '/predict', { body: { input: Array.from({ length: 12 }, (_, index) => index) } })
  expect(values.status).toBe(200)
  expect((await send(port, '/health')).body.status).toBe('ok')
})
