import { type NodeProto, TensorProto_DataType } from 'onnx-buf'
import { type Graph, intAttribute, subgraphs } from '../onnx/graph.ts'

const { FLOAT, FLOAT16 } = TensorProto_DataType

/**
 * Takes out casts that change nothing: float16 to float16, and float16 → float32 → float16. (float32 → float16 → float32 rounds,
 * so it stays.) What a graph gives out keeps its name, and the Cast that writes it.
 *
 * @param graph its look-ups and those of its sub-graphs are rebuilt
 * @param isHalf whether a tensor of that graph is float16
 */
export function cancelCasts(graph: Graph, isHalf: (tensor: string) => boolean): void {
  const casts = new Map(graph.nodes.flatMap((node) => (isCast(node) ? [[node.output[0] ?? '', node] as const] : [])))
  const instead = new Map<string, string>()
  for (const node of graph.nodes) {
    if (!isCast(node) || target(node) !== FLOAT16) continue
    const [read = ''] = node.input
    const origin = isHalf(read) ? read : widened(casts.get(read), isHalf)
    if (origin !== undefined) instead.set(node.output[0]!, origin)
  }
  if (instead.size === 0) return
  const replace = (nodes: readonly NodeProto[]): void => {
    for (const node of nodes) {
      node.input = node.input.map((name) => resolved(name, instead))
      for (const body of subgraphs(node)) {
        replace(body.node)
        for (const output of body.output) output.name = resolved(output.name, instead)
      }
    }
  }
  replace(graph.nodes)
  graph.reindex()
  for (;;) {
    const unread = graph.nodes.filter((node) => isCast(node) && node.output.every((name) => isUnread(graph, name)))
    if (unread.length === 0) return
    graph.removeNodes(unread)
  }
}

/** What a Cast to float32 read, when that was float16. */
function widened(cast: NodeProto | undefined, isHalf: (tensor: string) => boolean): string | undefined {
  const read = cast && target(cast) === FLOAT ? cast.input[0] : undefined
  return read !== undefined && isHalf(read) ? read : undefined
}

function resolved(name: string, instead: ReadonlyMap<string, string>): string {
  let found = name
  for (let next = instead.get(found); next !== undefined; next = instead.get(found)) found = next
  return found
}

function isUnread(graph: Graph, tensor: string): boolean {
  return graph.consumers(tensor).length === 0 && !graph.isGraphOutput(tensor)
}

function isCast({ opType, domain }: NodeProto): boolean {
  return opType === 'Cast' && (domain === '' || domain === 'ai.onnx')
}

function target(node: NodeProto): number {
  return intAttribute(node, 'to', 0)
}
