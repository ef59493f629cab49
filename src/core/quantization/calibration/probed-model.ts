import type { ModelProto, NodeProto } from 'onnx-buf'
import type { InferenceRuntime, LoadedModel, NamedTensors, RuntimeTensor } from '../../inference-runtime.ts'
import { makeNode, makeValueInfo } from '../../onnx/builders.ts'
import { Graph } from '../../onnx/graph.ts'
import { encodeModel } from '../../onnx/model-file.ts'
import { makeInt64 } from '../../onnx/tensor-values.ts'
import type { ValueRange } from '../affine-parameters.ts'

/** A tensor whose mean is asked for at each index along an axis. */
export interface MeanRequest {
  readonly tensor: string
  /** Counted from the end when negative. */
  readonly axis: number
}

/** What a model is made to compute of its tensors besides its outputs. */
export interface Probes {
  /** float32 tensors whose smallest and largest values come out. */
  readonly ranges?: readonly string[]
  /** float32 tensors whose means come out; the rank is that of the tensor, at least 2. */
  readonly means?: readonly (MeanRequest & { readonly rank: number })[]
  /** Tensors whose number of elements comes out. */
  readonly sizes?: readonly string[]
  /** Tensors that come out whole. */
  readonly values?: readonly string[]
}

/** Opset from which reductions take their axes as an input. */
const AXES_INPUT_OPSET = 18
/** For a model that imports only other domains; every version of ONNX Runtime in use has it. */
const OPSET_WITHOUT_IMPORT = 17

/**
 * A model that computes reductions of its own tensors, so that only single numbers leave ONNX Runtime and activations are freed as in any
 * other run.
 *
 * ReduceMin and ReduceMax of a tensor with NaN give NaN or, worse, extremes that leave out some numbers: 0 and 30 for 32 values of which others
 * were −50 and 100 (ONNX Runtime 1.30, x64, opsets 7 to 26). The sum is NaN whenever a value is, so it comes along, and {@link range} answers
 * "unsure" then. (It is NaN for +∞ and −∞ together too; that is rare enough.) Of a tensor without elements they give +∞ and −∞.
 */
export class ProbedModel {
  private readonly loaded: LoadedModel
  private readonly outputs: ReadonlyMap<string, string>

  private constructor(loaded: LoadedModel, outputs: ReadonlyMap<string, string>) {
    this.loaded = loaded
    this.outputs = outputs
  }

  /**
   * @param model as before afterwards
   * @throws the runtime's load errors
   */
  static async load(model: ModelProto, runtime: InferenceRuntime, probes: Probes): Promise<ProbedModel> {
    const { bytes, outputs } = encodeWithProbes(model, probes)
    return new ProbedModel(await runtime.load(bytes, { optimization: 'disabled' }), outputs)
  }

  /** Runs once. @throws the runtime's errors */
  async run(feed: NamedTensors): Promise<ProbeResults> {
    return new ProbeResults(feed, await this.loaded.run(feed), this.outputs)
  }

  close(): Promise<void> {
    return this.loaded.close()
  }
}

/** What the probes of one run found. */
export class ProbeResults {
  private readonly feed: NamedTensors
  private readonly results: NamedTensors
  private readonly outputs: ReadonlyMap<string, string>

  constructor(feed: NamedTensors, results: NamedTensors, outputs: ReadonlyMap<string, string>) {
    this.feed = feed
    this.results = results
    this.outputs = outputs
  }

  /** Smallest and largest value; 'none' without elements, 'unsure' when some are NaN. */
  range(tensor: string): ValueRange | 'none' | 'unsure' {
    const min = this.scalar('min', tensor)
    const max = this.scalar('max', tensor)
    if (Number.isNaN(this.scalar('sum', tensor)) || Number.isNaN(min) || Number.isNaN(max)) return 'unsure'
    return min <= max ? { min, max } : 'none'
  }

  /** Means along the axis and the number of elements in each; 'none' without elements, 'unsure' when some are not finite. */
  means({ tensor, axis }: MeanRequest): { readonly means: Float32Array; readonly count: number } | 'none' | 'unsure' {
    const { values } = this.probe('mean', tensor, axis)
    const dims = Array.from(this.probe('shape', tensor).values as BigInt64Array, Number)
    const elements = dims.reduce((product, dim) => product * dim, 1)
    if (elements === 0) return 'none'
    const means = values as Float32Array
    return means.every(Number.isFinite) ? { means, count: elements / means.length } : 'unsure'
  }

  /** Number of elements. */
  size(tensor: string): number {
    return this.scalar('size', tensor)
  }

  /** A tensor that was asked for whole; model inputs are those fed. */
  values(tensor: string): RuntimeTensor | undefined {
    // Not by `??`: tensors may be called "constructor".
    if (Object.hasOwn(this.results, tensor)) return this.results[tensor]
    return Object.hasOwn(this.feed, tensor) ? this.feed[tensor] : undefined
  }

  private scalar(probe: string, tensor: string): number {
    return Number(this.probe(probe, tensor).values[0])
  }

  private probe(probe: string, tensor: string, axis?: number): RuntimeTensor {
    return this.results[this.outputs.get(probeKey(probe, tensor, axis))!]!
  }
}

function probeKey(probe: string, tensor: string, axis?: number): string {
  return `${probe} ${axis ?? ''} ${tensor}`
}

/** The bytes of the model with its probes, and the names of their outputs by {@link probeKey}. */
function encodeWithProbes(model: ModelProto, { ranges = [], means = [], sizes = [], values = [] }: Probes) {
  const graph = new Graph(model)
  const { proto } = graph
  const outputs = new Map<string, string>()
  const added = new Map<string, NodeProto[]>()
  const initializers = [...proto.initializer]
  const probe = (kind: string, op: string, tensor: string, options: { axis?: number; axes?: readonly number[] } = {}) => {
    const key = probeKey(kind, tensor, options.axis)
    if (outputs.has(key)) return
    const output = graph.freshName(`probe_${outputs.size}`)
    const node = makeNode(op, [tensor], [output], op.startsWith('Reduce') ? { keepdims: 0 } : {})
    if (options.axes && (graph.opsetOf('') ?? OPSET_WITHOUT_IMPORT) >= AXES_INPUT_OPSET) {
      const axes = makeInt64(graph.freshName(`probe_axes_${outputs.size}`), [options.axes.length], options.axes)
      initializers.push(axes)
      node.input.push(axes.name)
    } else if (options.axes) node.attribute.push(...makeNode(op, [], [], { axes: options.axes }).attribute)
    outputs.set(key, output)
    added.set(tensor, [...(added.get(tensor) ?? []), node])
  }
  for (const tensor of ranges) {
    probe('min', 'ReduceMin', tensor)
    probe('max', 'ReduceMax', tensor)
    probe('sum', 'ReduceSum', tensor)
  }
  for (const { tensor, axis, rank } of means) {
    const kept = axis < 0 ? axis + rank : axis
    probe('mean', 'ReduceMean', tensor, { axis, axes: Array.from({ length: rank }, (_, index) => index).filter((index) => index !== kept) })
    probe('shape', 'Shape', tensor)
  }
  for (const tensor of sizes) probe('size', 'Size', tensor)

  const before = { node: proto.node, output: proto.output, initializer: proto.initializer }
  const opsets = [...model.opsetImport]
  // ONNX Runtime visits the ends of a graph from the last to the first in the file. So probes stand behind all nodes, those of the tensor made
  // first last: each tensor is reduced and freed before the run goes on, instead of all of them being held to the end.
  const made = [...[...proto.input, ...proto.initializer].map(({ name }) => name), ...proto.node.flatMap(({ output }) => output)]
  proto.node = [...proto.node, ...[...new Set(made)].reverse().flatMap((tensor) => added.get(tensor) ?? [])]
  const whole = new Set(values)
  const declared = proto.output.filter(({ name }) => whole.has(name))
  const further = [...whole].filter((name) => !graph.isGraphInput(name) && !graph.isGraphOutput(name))
  // Only names: ONNX Runtime infers the types. The model's other outputs need not be copied out.
  const named = [...further, ...outputs.values()].map((name) => Object.assign(makeValueInfo(name, 'float32', []), { type: undefined }))
  const asked = [...declared, ...named]
  // A session must give something out; inputs asked for whole come from the feed.
  if (asked.length > 0) proto.output = asked
  proto.initializer = initializers
  if (graph.opsetOf('') === undefined) graph.requireOpset('', OPSET_WITHOUT_IMPORT)
  try {
    return { bytes: encodeModel(model), outputs }
  } finally {
    Object.assign(proto, before)
    model.opsetImport = opsets
  }
}
