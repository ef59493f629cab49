import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentResultSchemas } from '../../src/contract/agent-protocol.ts'
import { writeNpz } from '../../src/core/datasets/write-npz.ts'
import { linearModel } from '../engine/measure/small-models.ts'
import { type AgentBundle, bundleAgent } from './agent-bundle.ts'
import { AgentProcess } from './agent-process.ts'

let bundle: AgentBundle
const file = (name: string) => join(bundle.folder, name)

beforeAll(async () => {
  bundle = await bundleAgent()
  await writeFile(file('linear.onnx'), linearModel('N', [[1, 2]]))
  await writeFile(file('other.onnx'), linearModel('N', [[1, 2.5]]))
  const samples = writeNpz([
    { name: 'x', type: 'float32', shape: [4, 1], bytes: new Uint8Array(Float32Array.of(1, 2, 3, -1).buffer) },
    { name: 'labels', type: 'int64', shape: [4], bytes: new Uint8Array(BigInt64Array.of(1n, 1n, 0n, 0n).buffer) },
  ])
  await writeFile(file('four.npz'), samples)
})
afterAll(() => bundle.remove())

describe('agent run explain', () => {
  it('explains a build beside its baseline', async () => {
    const agent = AgentProcess.run(bundle)
    const answer = await agent.answer({ command: 'explain', baseline: file('linear.onnx'), model: file('linear.onnx') })
    expect(agent.stderr).toBe('')
    const result = agentResultSchemas.explain.parse(answer.type === 'result' && answer.value)
    expect(result.nodes.map(({ node }) => node)).toContain('y')
    expect(result.findings.map(({ rule }) => rule)).toContain('same-kernels')
    expect(await agent.ended).toEqual({ code: 0, signal: null })
  })

  it('answers failures with their code', async () => {
    const agent = AgentProcess.run(bundle)
    const answer = await agent.answer({ command: 'explain', baseline: file('linear.onnx'), model: file('missing.onnx') })
    expect(answer.type === 'error' && answer.error.code).toBe('FILE_NOT_FOUND')
  })
})

describe('agent run profile, layers and explain-accuracy', () => {
  const run = async (request: object) => {
    const agent = AgentProcess.run(bundle)
    const answer = await agent.answer(request)
    expect(agent.stderr).toBe('')
    if (answer.type !== 'result') throw new Error(JSON.stringify(answer))
    return answer.value
  }

  it('profiles a model', async () => {
    const result = agentResultSchemas.profile.parse(await run({ command: 'profile', model: file('linear.onnx') }))
    expect(result.byLayer).toMatchObject([{ layer: 'y', op: 'MatMul', macs: 2 }])
    expect(result.peak!.gmacsFloat32).toBeGreaterThan(0)
  })

  it('compares two models layer by layer', async () => {
    const both = { baseline: file('linear.onnx'), model: file('other.onnx') }
    const result = agentResultSchemas.layers.parse(await run({ command: 'layers', ...both, dataset: null }))
    expect(result.layers.find(({ layer }) => layer === 'y')!.sqnrDb).toBeCloseTo(20 * Math.log10(Math.sqrt(5) / Math.sqrt(0.25)), 4)
  })

  it('explains answers on a dataset', async () => {
    const dataset = { format: 'npz', name: 'four', files: [{ role: 'samples', path: file('four.npz') }], preprocessing: {} }
    const both = { baseline: file('linear.onnx'), model: file('other.onnx') }
    const result = agentResultSchemas['explain-accuracy'].parse(await run({ command: 'explain-accuracy', ...both, dataset, samples: 2 }))
    expect(result).toMatchObject({ samples: 2, answers: { samples: 4, baselineAccuracy: 0.75, buildAccuracy: 0.75, changed: 0 } })
    expect(result.findings.map(({ rule }) => rule)).toContain('no-loss-shown')
    expect(result.layers).toHaveLength(1)
  })
})
