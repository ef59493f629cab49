import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contentHash } from '../../src/backend/use-cases/model-content.ts'
import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../src/core/onnx/tensor-values.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-content-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function hashOf(bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'some.onnx')
  await writeFile(path, bytes)
  return contentHash(path)
}

function model(weight: number, metadata: Record<string, string>): Uint8Array {
  return encodeModel(
    makeModel({
      nodes: [makeNode('Mul', ['x', 'w'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', [1])],
      outputs: [makeValueInfo('y', 'float32', [1])],
      initializers: [makeTensor('w', 'float32', [1], new Float32Array([weight]))],
      name: 'one',
      metadata,
    }),
  )
}

describe('contentHash', () => {
  it('is the same for models that differ in their metadata only', async () => {
    const plain = await hashOf(model(2, {}))
    expect(await hashOf(model(2, { 'edgesmith.lineage': 'by some recipe', licence: 'MIT' }))).toBe(plain)
    expect(await hashOf(model(3, {}))).not.toBe(plain)
  })

  it('hashes what is no model whole, whatever it is', async () => {
    const whole = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    // A length beyond the end of the file, and a number that never ends.
    for (const bytes of [Uint8Array.of(0x3a, 0x7f, 1), new Uint8Array(20).fill(0xff)]) expect(await hashOf(bytes)).toBe(whole(bytes))
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
        expect(await hashOf(bytes)).toMatch(/^[0-9a-f]{64}$/)
      }),
    )
  })
})
