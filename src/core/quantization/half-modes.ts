import type { NodeProto } from 'onnx-buf'
import { subgraphs } from '../onnx/graph.ts'
import type { TensorFactsByName } from './tensor-facts.ts'

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

/** How a node of the main graph is converted; `facts` are those of the float32 model. */
export function halfMode(node: NodeProto, facts: TensorFactsByName): HalfMode {
  const inputs = node.input.filter((name) => name !== '')
  const outputs = node.output.filter((name) => name !== '')
  if (subgraphs(node).length > 0) return { mode: 'float', reason: `the sub-graphs of ${node.opType} are left in float32` }
  if (![...inputs, ...outputs].every((name) => facts.has(name)))
    return { mode: 'float', reason: 'it works on sequences or optional values' }
  const floats = (names: readonly string[]): number => names.filter((name) => facts.get(name)?.type === 'float32').length
  if (floats(inputs) + floats(outputs) === 0) return { mode: 'either' }
  if (node.domain !== '' && node.domain !== 'ai.onnx')
    return { mode: 'float', reason: `operators of the domain ${node.domain} are left in float32` }
  if (BLOCKED.has(node.opType)) return { mode: 'float', reason: `${node.opType} has no float16 form, or needs the precision of float32` }
  if (floats(outputs) === 0 && floats(inputs) === 1) return { mode: 'either' }
  if (floats(inputs) === 0 && !outputTypeAttribute(node.opType)) return { mode: 'float', reason: `${node.opType} always gives float32` }
  return { mode: 'half' }
}
