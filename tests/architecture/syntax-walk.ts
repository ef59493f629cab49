import { visitorKeys } from 'oxc-parser'

/** A syntax node as the parser gives it; only the fields every node has are typed. */
export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

/** Where a node hangs: its parent and the parent's field that holds it. */
export interface Place {
  readonly parent: SyntaxNode | null
  readonly field: string
}

export function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** Calls `visit` for every node of a syntax tree, parents first. */
export function walkSyntax(root: SyntaxNode, visit: (node: SyntaxNode, place: Place) => void): void {
  const pending: { node: SyntaxNode; place: Place }[] = [{ node: root, place: { parent: null, field: '' } }]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { node, place } = next
    visit(node, place)
    const keys = visitorKeys[node.type]
    if (!keys) throw new Error(`the parser gave a node of unknown type ${node.type}`)
    for (const field of keys) {
      const value = node[field]
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isSyntaxNode(child)) pending.push({ node: child, place: { parent: node, field } })
      }
    }
  }
}
