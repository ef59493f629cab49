import type { NodeProto } from 'onnx-buf'
import { stringAttribute } from '../onnx/graph.ts'
import type { Match, MatchContext } from './fusable-units.ts'
import { isFloatActivation } from './unit-matching.ts'

/** Operators that give out values of their first input, or the largest of several: they run on 8-bit values as they are. */
export function matchMove(node: NodeProto, context: MatchContext): Match {
  if (!isFloatActivation(node.input[0], context)) return undefined
  if (node.opType === 'MaxPool' && (node.output[1] ?? '') !== '') return { reason: 'it also gives out the positions of the largest values' }
  if (node.opType === 'Resize') {
    const mode = stringAttribute(node, 'mode', 'nearest')
    if (mode !== 'nearest') return { reason: `ONNX Runtime has no 8-bit kernel for Resize with ${mode} interpolation` }
    if (stringAttribute(node, 'coordinate_transformation_mode', '') === 'tf_crop_and_resize')
      return { reason: 'ONNX Runtime has no 8-bit kernel for Resize that crops' }
  }
  return { kind: 'moving', node, activations: [0], floatOutput: false }
}
