import type { NodeProto } from 'onnx-buf'
import { subgraphs } from '../onnx/graph.ts'
import type { ScopeFacts } from './scope-facts.ts'

/**
 * `half`: reads and writes float16. `float`: stays in float32. `either`: gives out no floats and takes its one float input in
 * whichever type it comes.
 */
export type HalfMode = { readonly mode: 'half' | 'either' } | { readonly mode: 'float'; readonly reason: string }

/** Operators without a float16 form, or that lose too much in it (ONNX Runtime `float16.DEFAULT_OP_BLOCK_LIST`, and those with outputs fixed to float32). */
const BLOCKED: ReadonlySet<string> = new Set([
  'BlackmanWindow',
  'CumSum',
  'DFT',
  'DequantizeLinear',
  'DynamicQuantizeLinear',
  'HammingWindow',
  'HannWindow',
  'Max',
  'MelWeightMatrix',
  'Min',
  'NonMaxSuppression',
  'QuantizeLinear',
  'RandomUniformLike',
  'Range',
  'RoiAlign',
  'STFT',
  'TfIdfVectorizer',
  'TopK',
  'Upsample',
])

/** Operators that make floats of something else, and how they are told to make float16. */
const DTYPE_ATTRIBUTE: Readonly<Record<string, 'to' | 'dtype' | 'value'>> = {
  Cast: 'to',
  ConstantOfShape: 'value',
  EyeLike: 'dtype',
  Multinomial: 'dtype',
  RandomNormal: 'dtype',
  RandomNormalLike: 'dtype',
  RandomUniform: 'dtype',
}

/** The attribute that names an operator's output type, `undefined` when its output type follows its inputs. */
export function outputTypeAttribute(opType: string): 'to' | 'dtype' | 'value' | undefined {
  return DTYPE_ATTRIBUTE[opType]
}

/** Inputs that are float32 also in the float16 form of an operator: region and factors of Resize. */
export function keepsFloatInput(opType: string, slot: number, opset: number): boolean {
  return opType === 'Resize' && (slot === 2 || (slot === 1 && opset < 11))
}

/** Operators whose sub-graphs can be converted with them: what goes into a body and comes out of it has the type of the node. */
const HOLDERS: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan'])

/**
 * How a node is converted. A node with sub-graphs is `half` when what it passes to them and gets from them is float16; the nodes
 * in there are decided on their own.
 *
 * @param facts of the float32 model, as seen from the node
 * @param bodiesKnown whether the types in its sub-graphs are known
 */
export function halfMode(node: NodeProto, facts: ScopeFacts, bodiesKnown = true): HalfMode {
  const inputs = node.input.filter((name) => name !== '')
  const outputs = node.output.filter((name) => name !== '')
  const standard = node.domain === '' || node.domain === 'ai.onnx'
  const holder = subgraphs(node).length > 0
  if (holder && !(standard && HOLDERS.has(node.opType)))
    return { mode: 'float', reason: `the sub-graphs of ${node.opType} are left in float32` }
  if (!bodiesKnown) return { mode: 'float', reason: 'the types in its sub-graphs could not be found out' }
  if (![...inputs, ...outputs].every((name) => facts.has(name)))
    return { mode: 'float', reason: 'it works on sequences or optional values' }
  const floats = (names: readonly string[]): number => names.filter((name) => facts.get(name)?.type === 'float32').length
  if (floats(inputs) + floats(outputs) === 0) return { mode: 'either' }
  if (holder) return { mode: 'half' }
  if (!standard) return { mode: 'float', reason: `operators of the domain ${node.domain} are left in float32` }
  if (BLOCKED.has(node.opType)) return { mode: 'float', reason: `${node.opType} has no float16 form, or needs the precision of float32` }
  if (floats(outputs) === 0 && floats(inputs) === 1) return { mode: 'either' }
  if (floats(inputs) === 0 && !outputTypeAttribute(node.opType)) return { mode: 'float', reason: `${node.opType} always gives float32` }
  return { mode: 'half' }
}
