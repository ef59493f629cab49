import type { OpCall, OutputFacts, ShapeRule } from '../op-call.ts'
import type { Dim } from '../shapes.ts'

/** Directions and hidden size of an LSTM, GRU or RNN node; `gates` is 4, 3 or 1. */
export function recurrentSizes(call: OpCall): { readonly directions: number; readonly hidden: Dim } {
  const directions = call.text('direction', 'forward') === 'bidirectional' ? 2 : 1
  const attribute = call.int('hidden_size', 0)
  return { directions, hidden: attribute > 0 ? attribute : call.shape(2)?.[2] }
}

/** X [sequence, batch, input], or [batch, sequence, input] with layout 1 (opset 14). */
function recurrent(call: OpCall): OutputFacts {
  const x = call.shape(0)
  const type = call.type(0)
  if (x?.length !== 3) return [{ type }, { type }, { type }]
  const { directions, hidden } = recurrentSizes(call)
  const [first, second] = x
  const batchFirst = call.int('layout', 0) === 1
  const all = batchFirst ? [first, second, directions, hidden] : [first, directions, second, hidden]
  const last = batchFirst ? [first, directions, hidden] : [directions, second, hidden]
  return [
    { type, shape: all },
    { type, shape: last },
    { type, shape: last },
  ]
}

/** Recurrent layers. */
export const recurrentRules: Readonly<Record<string, ShapeRule>> = {
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
  'com.microsoft.DynamicQuantizeLSTM': (call) => (call.attribute('hidden_size') ? recurrent(call) : []),
}
