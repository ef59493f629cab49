import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentResultSchemas } from '../../src/contract/agent-protocol.ts'
import { linearModel } from '../engine/measure/small-models.ts'
import { type AgentBundle, bundleAgent } from './agent-bundle.ts'
import { AgentProcess } from './agent-process.ts'

let bundle: AgentBundle
const file = (name: string) => join(bundle.folder, name)

beforeAll(async () => {
  bundle = await bundleAgent()
  await writeFile(file('linear.onnx'), linearModel('N', [[1, 2]]))
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
