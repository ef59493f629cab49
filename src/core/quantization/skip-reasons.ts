import type { NodeProto } from 'onnx-buf'
import { subgraphs } from '../onnx/graph.ts'
import type { MatchContext } from './fusable-units.ts'

const NO_KERNEL = 'has no 8-bit kernel in ONNX Runtime; Q/DQ around it would cost time and gain nothing'

/** Operators that compute on floats without an 8-bit kernel in ONNX Runtime's CPU provider (1.30). */
const WITHOUT_KERNEL: ReadonlySet<string> = new Set([
  'BatchNormalization',
  'Celu',
  'ConvTranspose',
  'CumSum',
  'DepthToSpace',
  'Div',
  'Einsum',
  'Elu',
  'Erf',
  'Exp',
  'GRU',
  'Gelu',
  'GlobalMaxPool',
  'GroupNormalization',
  'HardSigmoid',
  'HardSwish',
  'InstanceNormalization',
  'LSTM',
  'LayerNormalization',
  'Log',
  'LogSoftmax',
  'LpNormalization',
  'Max',
  'Min',
  'Mish',
  'PRelu',
  'Pad',
  'Pow',
  'RNN',
  'ReduceMean',
  'ReduceSum',
  'Selu',
  'Softplus',
  'Softsign',
  'SpaceToDepth',
  'Sqrt',
  'Sub',
  'Tanh',
  'TopK',
])

/** Why a node that is no fusable unit stays in float32; `undefined` for one that does not compute on float activations. */
export function skipReason(node: NodeProto, { facts, graph, rules }: MatchContext): { readonly reason: string } | undefined {
  const readsFloat = node.input.some((name) => facts.get(name)?.type === 'float32' && !graph.constant(name))
  if (subgraphs(node).length > 0) return { reason: `the sub-graphs of ${node.opType} are left in float32` }
  if (!readsFloat) return undefined
  if (node.domain !== '' && node.domain !== 'ai.onnx') return { reason: `operators of the domain ${node.domain} are left as they are` }
  if (rules.placement === 'around' && (node.opType === 'Relu' || node.opType === 'Clip'))
    return { reason: 'what it limits does not come from a quantized operator alone' }
  return WITHOUT_KERNEL.has(node.opType) ? { reason: `${node.opType} ${NO_KERNEL}` } : undefined
}
