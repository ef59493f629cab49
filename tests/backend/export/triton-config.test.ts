import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type TritonModel, tritonConfig } from '../../../src/backend/export/triton/model-config.ts'
import { protoText } from '../../../src/backend/export/triton/proto-text.ts'
import type { PortDescription } from '../../../src/contract/model.ts'
import '../../fuzz-seed.ts'
import { type ReadMessage, readProtoText } from './proto-text-reader.ts'

interface TritonFields {
  readonly messages: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly enums: Readonly<Record<string, readonly string[]>>
}

/** Of model_config.proto; `fixtures/make-schemas.py` says where from. */
const fields: TritonFields = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/triton-fields.json'), 'utf8'))
const integers = new Set(['int32', 'int64', 'uint32', 'uint64'])

/** Problems of a message with what its type says: unknown fields, wrong kinds of values, several values of a single field. */
function problems(message: ReadMessage, type: string): string[] {
  const known = fields.messages[type]
  if (!known) return [`no message ${type}`]
  return [...message].flatMap(([name, values]) => {
    const declared = known[name]
    if (declared === undefined) return [`${type}.${name} is no field`]
    const repeated = declared.startsWith('repeated ')
    const map = /^map<string, ([\w.]+)>$/.exec(declared)
    const inner = map ? '' : declared.replace('repeated ', '')
    return [
      ...(values.length > 1 && !repeated && !map ? [`${type}.${name} stands ${values.length} times`] : []),
      ...values.flatMap((value) => {
        if (map) return value.kind === 'message' ? entryProblems(value.value, type, map[1] as string) : [`${type}.${name} is no entry`]
        if (integers.has(inner)) return value.kind === 'number' && /^-?\d+$/.test(value.value) ? [] : [`${type}.${name}: ${inner}`]
        if (inner === 'string') return value.kind === 'text' ? [] : [`${type}.${name}: string`]
        if (inner === 'bool') return value.kind === 'word' && /^(true|false)$/.test(value.value) ? [] : [`${type}.${name}: bool`]
        const full = resolve(type, inner)
        if (full in fields.enums)
          return value.kind === 'word' && fields.enums[full]?.includes(value.value) ? [] : [`${type}.${name}: ${full}`]
        return value.kind === 'message' ? problems(value.value, full) : [`${type}.${name} is no message`]
      }),
    ]
  })
}

function entryProblems(entry: ReadMessage, type: string, valueType: string): string[] {
  const [key, value] = [entry.get('key')?.[0], entry.get('value')?.[0]]
  if (key?.kind !== 'text' || value === undefined) return ['a map entry needs key and value']
  return value.kind === 'message' ? problems(value.value, resolve(type, valueType)) : []
}

/** A type's full name: within the message, or at the top. */
function resolve(type: string, name: string): string {
  return [`${type}.${name}`, name].find((full) => full in fields.messages || full in fields.enums) ?? name
}

function port(name: string, type: string, shape: PortDescription['shape']): PortDescription {
  return { name, type, shape }
}

function made(inputs: PortDescription[], outputs: PortDescription[], more: Partial<TritonModel> = {}) {
  const report = { inputs, outputs } as TritonModel['model']['report']
  const { config, notes } = tritonConfig({ name: 'm', model: { report }, batching: 'open', threads: 2, labels: null, ...more })
  const text = protoText(config)
  const read = readProtoText(text)
  expect(problems(read, 'ModelConfig')).toEqual([])
  return { text, read, notes }
}

const numbers = (message: ReadMessage | undefined, field: string) => message?.get(field)?.map((value) => Number(value.value))
const inner = (message: ReadMessage, field: string, index = 0) => message.get(field)?.[index]?.value as ReadMessage

describe('config.pbtxt', () => {
  it('leaves the batch to Triton where all inputs and outputs begin with it', () => {
    const { read, notes } = made([port('image', 'float32', ['N', 3, 8, 'W'])], [port('scores', 'float16', [null, 10])], {
      labels: { output: 'scores', file: 'labels.txt' },
    })
    expect(numbers(read, 'max_batch_size')).toEqual([64])
    expect(numbers(inner(read, 'input'), 'dims')).toEqual([3, 8, -1])
    const output = inner(read, 'output')
    expect(numbers(output, 'dims')).toEqual([10])
    expect(output.get('data_type')).toEqual([{ kind: 'word', value: 'TYPE_FP16' }])
    expect(output.get('label_filename')).toEqual([{ kind: 'text', value: 'labels.txt' }])
    expect(read.has('dynamic_batching')).toBe(true)
    // An open size: nobody knows what zeros of it would be.
    expect(read.has('model_warmup')).toBe(false)
    expect(notes).toEqual([])
  })

  it('writes shapes whole where there is no batch, and says so', () => {
    const { read, notes } = made([port('x', 'float32', [4, 16])], [port('y', 'float32', [4, 2])], { batching: 'fixed' })
    expect(numbers(read, 'max_batch_size')).toEqual([0])
    expect(numbers(inner(read, 'input'), 'dims')).toEqual([4, 16])
    expect(read.has('dynamic_batching')).toBe(false)
    expect(numbers(inner(read, 'model_warmup'), 'batch_size')).toEqual([1])
    expect(notes).toEqual(['Triton does not gather requests for this model: it has no open batch dimension.'])
  })

  it('takes an open first dimension for what it is where runs showed that it is no batch, or an output lacks it', () => {
    const single = made([port('x', 'float32', ['N', 16])], [port('y', 'float32', ['N', 2])], { batching: 'single' })
    expect(numbers(inner(single.read, 'input'), 'dims')).toEqual([-1, 16])
    const summed = made([port('x', 'float32', ['N', 16])], [port('total', 'float32', [1])])
    expect([numbers(summed.read, 'max_batch_size'), numbers(inner(summed.read, 'input'), 'dims')]).toEqual([[0], [-1, 16]])
    expect(summed.notes[0]).toContain('not all of its inputs and outputs begin with an open batch dimension')
  })

  it('reshapes scalars, with batch and without', () => {
    const batched = made([port('age', 'int64', ['N'])], [port('y', 'float32', ['N'])])
    expect(numbers(inner(batched.read, 'input'), 'dims')).toEqual([1])
    expect(numbers(inner(inner(batched.read, 'input'), 'reshape'), 'shape')).toEqual([])
    // Zeros could be out of range for numbers that mean something: no warm-up.
    expect(batched.read.has('model_warmup')).toBe(false)
    const plain = made([port('flag', 'bool', [])], [port('y', 'float64', [])], { batching: 'single' })
    expect(plain.text).toContain('data_type: TYPE_BOOL\n  dims: [ 1 ]\n  reshape {\n    shape: []\n  }')
  })

  it('knows text, half precision and bfloat16', () => {
    const { text } = made([port('words', 'string', ['N', 'L'])], [port('a', 'bfloat16', ['N', 2]), port('b', 'uint8', ['N', 2])])
    expect(text.match(/TYPE_\w+/g)).toEqual(['TYPE_STRING', 'TYPE_BF16', 'TYPE_UINT8'])
  })

  it('leaves out what the model does not say', () => {
    const { read, notes } = made([port('x', 'float32', ['N', 2])], [port('y', 'float32', null)])
    expect(read.has('output')).toBe(false)
    expect(notes.some((note) => note.includes('The shape of "y" is not in the model'))).toBe(true)
  })

  it('refuses element types that Triton does not have', () => {
    expect(() => made([port('x', 'int4', ['N', 2])], [port('y', 'float32', ['N', 2])])).toThrow(
      expect.objectContaining({ code: 'NOT_EXPORTABLE' }),
    )
  })

  it('keeps every name as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), (name) => {
        const { read } = made([port(name, 'float32', ['N', 2])], [port('y', 'float32', ['N', 1])])
        expect(inner(read, 'input').get('name')).toEqual([{ kind: 'text', value: Buffer.from(name, 'utf8').toString('utf8') }])
      }),
    )
  })
})
