import type { ElementType } from '../data-types.ts'
import type { OpCall, OutputFacts, ShapeRule } from '../op-call.ts'
import { broadcastShapes, normalizeAxis, type Shape } from '../shapes.ts'

/** One output like the first input. */
function sameAsFirst(call: OpCall): OutputFacts {
  return [{ type: call.type(0), shape: call.shape(0) }]
}

/** One output of the first input's shape with another element type. */
function typed(type: ElementType): ShapeRule {
  return (call) => [{ type, shape: call.shape(0) }]
}

function broadcast(type?: ElementType): ShapeRule {
  return (call) => [
    {
      type: type ?? call.type(0) ?? call.type(1),
      shape: broadcastShapes(Array.from({ length: call.inputCount }, (_, index) => call.shape(index))),
    },
  ]
}

function where(call: OpCall): OutputFacts {
  return [{ type: call.type(1) ?? call.type(2), shape: broadcastShapes([call.shape(0), call.shape(1), call.shape(2)]) }]
}

function dropout(call: OpCall): OutputFacts {
  return [
    { type: call.type(0), shape: call.shape(0) },
    // The mask became boolean in opset 10.
    { type: call.opset < 10 ? call.type(0) : 'bool', shape: call.shape(0) },
  ]
}

/** Y like X; in training mode further outputs are per channel. */
function batchNormalization(call: OpCall): OutputFacts {
  const perChannel = { type: call.type(1), shape: call.shape(1) }
  return [{ type: call.type(0), shape: call.shape(0) }, perChannel, perChannel, perChannel, perChannel]
}

/** Y like X; mean and inverse deviation keep the dimensions before `axis` and have 1 from there on. */
function layerNormalization(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  const axis = shape && normalizeAxis(call.int('axis', -1), shape.length)
  const statistics: Shape | undefined = axis === undefined ? undefined : shape?.map((dim, index) => (index < axis ? dim : 1))
  return [
    { type: call.type(0), shape },
    { type: 'float32', shape: statistics },
    { type: 'float32', shape: statistics },
  ]
}

/** com.microsoft operators on quantized tensors of two inputs: A, A_scale, A_zero_point, B, … */
function quantizedBroadcast(call: OpCall): OutputFacts {
  return [{ type: call.type(0), shape: broadcastShapes([call.shape(0), call.shape(3)]) }]
}

const unary = [
  ...['Abs', 'Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Ceil', 'Celu', 'Clip', 'Cos', 'Cosh', 'CumSum', 'Elu', 'Erf', 'Exp'],
  ...['Floor', 'Gelu', 'HardSigmoid', 'HardSwish', 'Hardmax', 'Identity', 'InstanceNormalization', 'GroupNormalization', 'LeakyRelu'],
  ...['Log', 'LogSoftmax', 'LpNormalization', 'LRN', 'MeanVarianceNormalization', 'Mish', 'Neg', 'Not', 'PRelu', 'Reciprocal', 'Relu'],
  ...['ReverseSequence', 'RMSNormalization', 'Round', 'RotaryEmbedding', 'Scatter', 'ScatterElements', 'ScatterND', 'Selu', 'Shrink'],
  ...['Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softmax', 'Softplus', 'Softsign', 'Sqrt', 'Swish', 'Tan', 'Tanh', 'TensorScatter'],
  ...['ThresholdedRelu', 'Trilu', 'BitwiseNot', 'CumProd'],
]
const binary = ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Mod', 'Max', 'Min', 'Mean', 'Sum', 'And', 'Or', 'Xor']

/** Operators that work element by element, keep the shape, or broadcast. Source: ONNX Operators.md, opsets 7 to 26. */
export const elementwiseRules: Readonly<Record<string, ShapeRule>> = {
  ...Object.fromEntries(unary.map((op) => [op, sameAsFirst])),
  ...Object.fromEntries(binary.map((op) => [op, broadcast()])),
  ...Object.fromEntries(['BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'StringConcat'].map((op) => [op, broadcast()])),
  ...Object.fromEntries(['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'].map((op) => [op, broadcast('bool')])),
  IsNaN: typed('bool'),
  IsInf: typed('bool'),
  Where: where,
  Dropout: dropout,
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  // ONNX Runtime's own fused operators, found in files it has optimized.
  ...Object.fromEntries(
    ['FastGelu', 'QuickGelu', 'SimplifiedLayerNormalization', 'SkipLayerNormalization', 'SkipSimplifiedLayerNormalization'].map((op) => [
      `com.microsoft.${op}`,
      sameAsFirst,
    ]),
  ),
  SimplifiedLayerNormalization: sameAsFirst,
  'com.microsoft.Gelu': sameAsFirst,
  'com.microsoft.BiasGelu': broadcast(),
  'com.microsoft.QLinearAdd': quantizedBroadcast,
  'com.microsoft.QLinearMul': quantizedBroadcast,
  ...Object.fromEntries(['QLinearSigmoid', 'QLinearLeakyRelu', 'QLinearSoftmax'].map((op) => [`com.microsoft.${op}`, sameAsFirst])),
  // Classical machine learning: same shape, float32 whatever came in.
  ...Object.fromEntries(['Scaler', 'Normalizer'].map((op) => [`ai.onnx.ml.${op}`, typed('float32')])),
  ...Object.fromEntries(['Imputer', 'Binarizer'].map((op) => [`ai.onnx.ml.${op}`, sameAsFirst])),
}
