import { parseSync } from 'oxc-parser'
import { impureUse } from './impure-globals.ts'
import { isSyntaxNode, type SyntaxNode, walkSyntax } from './syntax-walk.ts'

/** One place where a file names another module. */
interface ImportFact {
  /** The module as written; null when it is computed and cannot be read. */
  readonly specifier: string | null
  readonly line: number
  /** The import is erased before the program runs. */
  readonly typeOnly: boolean
}

/** What the architecture tests need to know of a source file. */
export interface SourceFacts {
  readonly imports: readonly ImportFact[]
  /** Uses of the clock, of randomness and of the surroundings, for example `Date.now`. */
  readonly impureUses: readonly { readonly what: string; readonly line: number }[]
  /** Lines with a default export. */
  readonly defaultExports: readonly number[]
}

/**
 * Parses a TypeScript file and collects every way it can name a module: static import, `export … from`, `import()`, `require()` (also one
 * made by `createRequire`), `import x = require()`, `import('…').Type` and `/// <reference types>`.
 *
 * @throws Error when the file has a syntax error
 */
export function readSourceFacts(path: string, text: string): SourceFacts {
  const parsed = parseSync(path, text)
  const problem = parsed.errors[0]
  if (problem) throw new Error(`${path}: ${problem.message}`)
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length
  const imports: ImportFact[] = []
  const impureUses: { what: string; line: number }[] = []
  const defaultExports: number[] = []
  const root = parsed.program as unknown as SyntaxNode
  const requireNames = namesOfRequire(root)

  const add = (source: unknown, node: SyntaxNode, typeOnly: boolean): void => {
    imports.push({ specifier: literalText(source), line: lineOf(node.start), typeOnly })
  }
  walkSyntax(root, (node, place) => {
    const impure = impureUse(node, place)
    if (impure) impureUses.push({ what: impure, line: lineOf(node.start) })
    switch (node.type) {
      case 'ImportDeclaration':
        return add(node.source, node, node.importKind === 'type')
      case 'ExportAllDeclaration':
      case 'ExportNamedDeclaration':
        if (node.source) add(node.source, node, node.exportKind === 'type')
        if (exportsDefaultName(node)) defaultExports.push(lineOf(node.start))
        return
      case 'ExportDefaultDeclaration':
      case 'TSExportAssignment':
        defaultExports.push(lineOf(node.start))
        return
      case 'ImportExpression':
        return add(node.source, node, false)
      case 'TSImportType':
        return add(node.source, node, true)
      case 'TSExternalModuleReference':
        return add(node.expression, node, false)
      case 'CallExpression':
        if (isRequire(node.callee, requireNames)) add((node.arguments as unknown[])[0], node, false)
        return
    }
  })
  for (const comment of parsed.comments) {
    const reference = /^\/\s*<reference\s+(?:types|path)\s*=\s*["']([^"']+)["']/.exec(comment.value)
    if (reference) imports.push({ specifier: reference[1] as string, line: lineOf(comment.start), typeOnly: true })
  }
  const byLine = (a: { line: number }, b: { line: number }): number => a.line - b.line
  return { imports: imports.sort(byLine), impureUses: impureUses.sort(byLine), defaultExports }
}

/** Text of a string literal or of a template without expressions; null for anything else. */
function literalText(node: unknown): string | null {
  if (!isSyntaxNode(node)) return null
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node.type === 'TemplateLiteral' && (node.expressions as unknown[]).length === 0) {
    const [quasi] = node.quasis as { value: { cooked: string } }[]
    return quasi?.value.cooked ?? null
  }
  return null
}

/** `require` and every variable that holds the result of `createRequire(…)`. */
function namesOfRequire(root: SyntaxNode): ReadonlySet<string> {
  const names = new Set(['require'])
  walkSyntax(root, (node) => {
    if (node.type === 'VariableDeclarator' && isCreateRequire(node.init) && isSyntaxNode(node.id) && typeof node.id.name === 'string') {
      names.add(node.id.name)
    }
  })
  return names
}

function isCreateRequire(node: unknown): boolean {
  if (!isSyntaxNode(node) || node.type !== 'CallExpression' || !isSyntaxNode(node.callee)) return false
  const callee = node.callee
  if (callee.type === 'Identifier') return callee.name === 'createRequire'
  return callee.type === 'MemberExpression' && isSyntaxNode(callee.property) && callee.property.name === 'createRequire'
}

function isRequire(callee: unknown, names: ReadonlySet<string>): boolean {
  if (isCreateRequire(callee)) return true
  return isSyntaxNode(callee) && callee.type === 'Identifier' && names.has(callee.name as string)
}

function exportsDefaultName(node: SyntaxNode): boolean {
  if (node.type !== 'ExportNamedDeclaration') return false
  return (node.specifiers as SyntaxNode[]).some(({ exported }) => isSyntaxNode(exported) && (exported.name ?? exported.value) === 'default')
}
