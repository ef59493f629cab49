import type { NodeProto } from 'onnx-buf'
import type { Graph } from '../../onnx/graph.ts'

/** Nodes to be put before and after nodes of several graphs, all at once: one by one each would cost a walk over the graph. */
export class NodeInsertions {
  private readonly before = new Map<NodeProto, NodeProto[]>()
  private readonly after = new Map<NodeProto, NodeProto[]>()
  private readonly scopes = new Set<Graph>()

  /** Later additions come behind earlier ones. */
  addBefore(scope: Graph, anchor: NodeProto, nodes: readonly NodeProto[]): void {
    this.add(this.before, scope, anchor, nodes)
  }

  addAfter(scope: Graph, anchor: NodeProto, nodes: readonly NodeProto[]): void {
    this.add(this.after, scope, anchor, nodes)
  }

  /** Puts the nodes in and brings the graphs' look-ups up to date. */
  apply(): void {
    for (const scope of this.scopes) {
      scope.proto.node = scope.proto.node.flatMap((node) => [...(this.before.get(node) ?? []), node, ...(this.after.get(node) ?? [])])
      scope.reindex()
    }
  }

  private add(side: Map<NodeProto, NodeProto[]>, scope: Graph, anchor: NodeProto, nodes: readonly NodeProto[]): void {
    this.scopes.add(scope)
    side.set(anchor, [...(side.get(anchor) ?? []), ...nodes])
  }
}
