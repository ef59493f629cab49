import { type ModelProto, TensorProto_DataType } from 'onnx-buf'
import { foldConstants } from '../graph-surgery/fold-constants.ts'
import type { InferenceRuntime } from '../inference-runtime.ts'
import { cloneModel } from '../onnx/clone-model.ts'
import { Graph, subgraphs } from '../onnx/graph.ts'
import { floatValues, makeTensor } from '../onnx/tensor-values.ts'
import { requireFloatModel } from './already-quantized.ts'
import { upgradeOpset } from './opset-upgrade.ts'
import { inferTensorFacts, type TensorFactsByName } from './tensor-facts.ts'

/** A float32 model ready to be quantized. */
export interface QuantizableModel {
  readonly graph: Graph
  readonly facts: TensorFactsByName
}

/**
 * Folds BatchNormalization and constants (see {@link foldConstants}), turns divisions by constants into products, which have
 * an 8-bit kernel, raises the opset to 13 where it is older, gives every node a name. Metadata, producer and imported domains
 * stay those of the source.
 *
 * @param source is not changed
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when the model is quantized already or cannot be raised to opset 13
 * @throws the runtime's load errors
 */
export async function prepareForQuantization(source: ModelProto, runtime: InferenceRuntime): Promise<QuantizableModel> {
  const named = cloneModel(source)
  requireFloatModel(new Graph(named))
  nameNodes(new Graph(named))
  const model = await foldConstants(named, runtime)
  restoreDescription(model, source)
  const graph = new Graph(model)
  const facts = await inferTensorFacts(model, runtime)
  divisionsToProducts(graph)
  const opset = graph.opset
  upgradeOpset(graph, facts)
  nameNodes(graph)
  return { graph, facts: graph.opset === opset ? facts : await inferTensorFacts(model, runtime) }
}

/** Gives nodes without a name one made of operator and position; names twice in the file get a number. */
export function nameNodes(graph: Graph): void {
  const seen = new Set<string>()
  for (const [index, node] of graph.nodes.entries()) {
    if (node.name === '' || seen.has(node.name)) node.name = graph.freshName(node.name || `${node.opType}_${index}`)
    seen.add(node.name)
  }
}

/** x / c → x · (1/c) for constant c without zeros; the same but for the last bit. */
function divisionsToProducts(graph: Graph): void {
  for (const node of graph.nodes) {
    if (node.opType !== 'Div' || (node.domain !== '' && node.domain !== 'ai.onnx')) continue
    const [x = '', name = ''] = node.input
    const divisor = graph.constant(name)
    if (divisor?.dataType !== TensorProto_DataType.FLOAT) continue
    const values = floatValues(divisor)
    if (!values.every((value) => Number.isFinite(1 / value))) continue
    const reciprocal = graph.freshName(`${name}_reciprocal`)
    graph.addInitializer(
      makeTensor(
        reciprocal,
        'float32',
        divisor.dims.map(Number),
        values.map((value) => 1 / value),
      ),
    )
    node.opType = 'Mul'
    node.input = [x, reciprocal]
  }
  graph.reindex()
}

/**
 * Gives a model that ONNX Runtime has written what the source says of itself: it imports all domains it knows and keeps no
 * producer.
 */
export function restoreDescription(model: ModelProto, source: ModelProto): void {
  const used = new Set(allDomains(new Graph(model)))
  model.opsetImport = model.opsetImport.filter(({ domain }) => used.has(domain === 'ai.onnx' ? '' : domain))
  model.producerName = source.producerName
  model.producerVersion = source.producerVersion
  model.domain = source.domain
  model.modelVersion = source.modelVersion
  model.docString = source.docString
  model.metadataProps = source.metadataProps.map((entry) => ({ ...entry }))
}

function allDomains(graph: Graph): string[] {
  const domains = ['']
  const visit = (nodes: typeof graph.nodes): void => {
    for (const node of nodes) {
      domains.push(node.domain === 'ai.onnx' ? '' : node.domain)
      for (const body of subgraphs(node)) visit(body.node)
    }
  }
  visit(graph.nodes)
  return domains
}
