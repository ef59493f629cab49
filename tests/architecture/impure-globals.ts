import { isSyntaxNode, type Place, type SyntaxNode } from './syntax-walk.ts'

/** Globals that bring a clock, randomness, I/O or the surroundings into a file. Also banned as names of its own, so that nothing can hide behind one. */
const bannedNames: ReadonlySet<string> = new Set([
  'process',
  'Buffer',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'fetch',
  'globalThis',
  'global',
  'window',
  'self',
  'document',
  'performance',
  'crypto',
  'require',
  'console',
  'eval',
  'Function',
])

/** Fields in which an identifier is a name of a member, not a use of a variable. */
const memberNameFields: ReadonlySet<string> = new Set([
  'MemberExpression.property',
  'Property.key',
  'MethodDefinition.key',
  'PropertyDefinition.key',
  'AccessorProperty.key',
  'TSPropertySignature.key',
  'TSMethodSignature.key',
  'TSAbstractMethodDefinition.key',
  'TSAbstractPropertyDefinition.key',
  'TSQualifiedName.right',
  'TSImportType.qualifier',
  'ImportSpecifier.imported',
  'ExportSpecifier.exported',
])

/** What a node uses that a pure file may not, in words; null for nearly all nodes. */
export function impureUse(node: SyntaxNode, place: Place): string | null {
  if (node.type !== 'Identifier' || isMemberName(place)) return null
  const name = node.name as string
  // `Function` as a type says nothing about where code comes from.
  if (name === 'Function' && place.parent?.type === 'TSTypeReference') return null
  if (bannedNames.has(name)) return name
  if (name === 'Math') return impureMath(place)
  if (name === 'Date') return impureDate(place)
  return null
}

function isMemberName({ parent, field }: Place): boolean {
  return parent !== null && parent.computed !== true && memberNameFields.has(`${parent.type}.${field}`)
}

/** `Math.random` however written; `Math` handed on whole, because its `random` goes with it. */
function impureMath({ parent, field }: Place): string | null {
  if (parent?.type !== 'MemberExpression' || field !== 'object') return 'Math as a value'
  const member = memberName(parent)
  return member === null ? 'Math with a computed name' : member === 'random' ? 'Math.random' : null
}

/** `new Date(value)`, `Date.UTC`, `Date.parse` and the type are pure; `Date.now`, `new Date()`, `Date()` read the clock. */
function impureDate({ parent, field }: Place): string | null {
  if (parent?.type === 'TSTypeReference') return null
  if (parent?.type === 'MemberExpression' && field === 'object') {
    const member = memberName(parent)
    return member === 'UTC' || member === 'parse' ? null : `Date.${member ?? '[computed]'}`
  }
  if (parent?.type === 'NewExpression' && field === 'callee') return (parent.arguments as unknown[]).length > 0 ? null : 'new Date()'
  if (parent?.type === 'BinaryExpression' && parent.operator === 'instanceof') return null
  return 'Date as a value'
}

function memberName(member: SyntaxNode): string | null {
  if (!isSyntaxNode(member.property)) return null
  if (member.computed !== true) return member.property.name as string
  return typeof member.property.value === 'string' ? member.property.value : null
}
