import { type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { GraphProtoSchema, ModelProtoSchema, NodeProtoSchema } from 'onnx-buf'
import { MODEL_LIMITS } from './limits.ts'

/** What {@link checkWire} found wrong. */
export interface WireProblem {
  /** `truncated`: the file ends inside a field of the model; `damaged`: a part does not fit where it stands; `too-large`: over a limit. */
  readonly kind: 'truncated' | 'damaged' | 'too-large'
  /** Byte position in the file. */
  readonly at: number
  readonly reason: string
  /** Least size of the whole file, known when a length says so. */
  readonly neededBytes?: number
}

/** Counts against {@link MODEL_LIMITS}. */
type Counted = 'nodes' | 'messages' | 'numbers' | 'integers' | 'strings'

type Field =
  | { readonly kind: 'message'; readonly layout: Layout }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'scalar'; readonly wireType: number; readonly list: boolean; readonly counted: Counted }

interface Layout {
  readonly message: DescMessage
  fields: ReadonlyMap<number, Field>
}

const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5

/**
 * Walks the protobuf of an ONNX model without building anything: every length must stay inside its parent, every field must have the
 * wire type of the ONNX schema, and counts and nesting must stay within {@link MODEL_LIMITS}. What passes can be decoded in bounded memory.
 * (The decoder alone would read a field of the wrong type as another one, and turn each 2 bytes of a hostile file into an object.)
 *
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
export function checkWire(bytes: Uint8Array): WireProblem | undefined {
  try {
    new Walk(bytes).message(modelLayout(), 0, bytes.length, 1, 0)
    return undefined
  } catch (problem) {
    if (problem instanceof Stop) return problem.found
    throw problem
  }
}

class Stop extends Error {
  readonly found: WireProblem
  constructor(found: WireProblem) {
    super(found.reason)
    this.found = found
  }
}

class Walk {
  private readonly bytes: Uint8Array
  private readonly counts: Record<Counted, number> = { nodes: 0, messages: 0, numbers: 0, integers: 0, strings: 0 }
  private position = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  message(layout: Layout, start: number, end: number, depth: number, graphDepth: number): void {
    const graphs = layout.message === GraphProtoSchema ? graphDepth + 1 : graphDepth
    // The main graph is the first.
    if (graphs > MODEL_LIMITS.graphDepth + 1) this.tooLarge(start, `sub-graphs are nested deeper than ${MODEL_LIMITS.graphDepth}`)
    if (depth > MODEL_LIMITS.depth) this.tooLarge(start, `messages are nested deeper than ${MODEL_LIMITS.depth}`)
    this.count('messages', 1, start)
    if (layout.message === NodeProtoSchema) this.count('nodes', 1, start)
    this.position = start
    while (this.position < end) {
      const at = this.position
      const tag = this.varint(end)
      const number = Math.floor(tag / 8)
      const wireType = tag % 8
      if (number < 1 || tag > 0xffffffff) this.damaged(at, 'a field has an impossible number')
      const field = layout.fields.get(number)
      if (!field) {
        this.count('strings', 1, at)
        this.skip(wireType, at, end)
      } else if (field.kind === 'message') {
        this.expect(wireType, DELIMITED, layout, number, at)
        const to = this.length(at, end)
        this.message(field.layout, this.position, to, depth + 1, graphs)
        this.position = to
      } else if (field.kind === 'bytes') {
        this.expect(wireType, DELIMITED, layout, number, at)
        this.count('strings', 1, at)
        this.position = this.length(at, end)
      } else if (wireType === DELIMITED && field.list) {
        this.packed(field.wireType, field.counted, at, end)
      } else {
        this.expect(wireType, field.wireType, layout, number, at)
        if (field.list) this.count(field.counted, 1, at)
        this.skip(wireType, at, end)
      }
    }
  }

  private packed(wireType: number, counted: Counted, at: number, end: number): void {
    const to = this.length(at, end)
    const from = this.position
    if (wireType === VARINT) {
      let elements = 0
      for (let index = from; index < to; index++) if ((this.bytes[index] as number) < 0x80) elements++
      if (to > from && (this.bytes[to - 1] as number) >= 0x80) this.damaged(at, 'a list of integers ends inside an integer')
      this.count(counted, elements, at)
    } else {
      const size = wireType === FIXED64 ? 8 : 4
      if ((to - from) % size !== 0) this.damaged(at, 'a list of numbers ends inside a number')
      this.count(counted, (to - from) / size, at)
    }
    this.position = to
  }

  private skip(wireType: number, at: number, end: number): void {
    if (wireType === VARINT) this.varint(end)
    else if (wireType === DELIMITED) this.position = this.length(at, end)
    else if (wireType === FIXED64 || wireType === FIXED32) {
      const to = this.position + (wireType === FIXED64 ? 8 : 4)
      if (to > end) this.pastEnd(at, end, to)
      this.position = to
    } else this.damaged(at, `a field has the unknown kind ${wireType}`)
  }

  /** Reads a length and returns where its field ends. */
  private length(at: number, end: number): number {
    const to = this.varint(end) + this.position
    if (to > end) this.pastEnd(at, end, to)
    return to
  }

  /** A varint of up to 10 bytes; values over 2^53 are only approximate, which is enough to refuse or skip them. */
  private varint(end: number): number {
    const start = this.position
    let value = 0
    let factor = 1
    for (let read = 0; read < 10; read++) {
      if (this.position >= end) this.pastEnd(start, end, this.position + 1)
      const byte = this.bytes[this.position++] as number
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
    return this.damaged(start, 'an integer is longer than 10 bytes')
  }

  private expect(found: number, wireType: number, layout: Layout, field: number, at: number): void {
    if (found !== wireType) this.damaged(at, `field ${field} of ${layout.message.typeName} has wire type ${found}, expected ${wireType}`)
  }

  private count(what: Counted, by: number, at: number): void {
    this.counts[what] += by
    if (this.counts[what] > MODEL_LIMITS[what]) this.tooLarge(at, `it has more than ${MODEL_LIMITS[what]} ${countedWords[what]}`)
  }

  private pastEnd(at: number, end: number, to: number): never {
    if (end < this.bytes.length) this.damaged(at, 'a field is longer than the part it belongs to')
    throw new Stop({ kind: 'truncated', at, reason: 'it ends in the middle of a field', neededBytes: to })
  }

  private damaged(at: number, reason: string): never {
    throw new Stop({ kind: 'damaged', at, reason })
  }

  private tooLarge(at: number, reason: string): never {
    throw new Stop({ kind: 'too-large', at, reason })
  }
}

const countedWords: Record<Counted, string> = {
  nodes: 'nodes',
  messages: 'parts',
  numbers: 'numbers in lists',
  integers: '64-bit integers in lists',
  strings: 'strings',
}

const layouts = new Map<DescMessage, Layout>()

function modelLayout(): Layout {
  return layoutOf(ModelProtoSchema)
}

function layoutOf(message: DescMessage): Layout {
  const known = layouts.get(message)
  if (known) return known
  const layout: Layout = { message, fields: new Map() }
  layouts.set(message, layout)
  layout.fields = new Map(message.fields.map((field) => [field.number, describe(field)]))
  return layout
}

function describe(field: DescMessage['fields'][number]): Field {
  if (field.message) return { kind: 'message', layout: layoutOf(field.message) }
  const list = field.fieldKind === 'list'
  if (field.enum) return { kind: 'scalar', wireType: VARINT, list, counted: 'numbers' }
  switch (field.scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return { kind: 'bytes' }
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return { kind: 'scalar', wireType: FIXED32, list, counted: 'numbers' }
    case ScalarType.DOUBLE:
      return { kind: 'scalar', wireType: FIXED64, list, counted: 'numbers' }
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return { kind: 'scalar', wireType: FIXED64, list, counted: 'integers' }
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
      return { kind: 'scalar', wireType: VARINT, list, counted: 'integers' }
    default:
      return { kind: 'scalar', wireType: VARINT, list, counted: 'numbers' }
  }
}
