import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import type { Layer } from './layer-table.ts'
import { readSourceFacts, type SourceFacts } from './source-facts.ts'

/** A source file: its path from the repository root with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** A package that must not be reachable from a layer through any chain of imports that exist at run time. */
export interface ForbiddenReach {
  readonly layer: string
  readonly packages: readonly string[]
}

/** What the table itself cannot say. */
export interface ExtraRules {
  readonly forbidden?: readonly ForbiddenReach[]
  /** Files that may import a module whose name is only known at run time; one that does not is a breach too, so that the list stays short. */
  readonly computedImports?: readonly string[]
}

/** A checked file with the layer it belongs to. */
interface Placed {
  readonly path: string
  readonly layer: Layer
  readonly facts: SourceFacts
}

/** The pure layer: no clock, no randomness, no surroundings. */
const PURE_LAYER = 'core'

/**
 * Every breach of the layer table in `files`, one line each, empty when all is well. Checked: imports of other layers, npm packages, Node.js
 * built-ins, imports that cannot be read, impure globals in `core`, default exports, file names, files outside every layer, and
 * packages that must not be reachable at run time, however long the chain.
 */
export function findBreaches(files: readonly SourceFile[], layers: readonly Layer[], extra: ExtraRules = {}): string[] {
  const { forbidden = [], computedImports = [] } = extra
  const breaches: string[] = []
  const placed: Placed[] = []
  for (const { path, text } of files) {
    if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.d|\.module)?\.[a-z]+$/.test(posix.basename(path))) breaches.push(`${path}: file names are kebab-case`)
    const layer = layerOf(path, layers)
    if (!layer) breaches.push(`${path}: belongs to no layer of the table`)
    else if (isCode(path)) placed.push({ path, layer, facts: readSourceFacts(path, text) })
  }
  for (const file of placed) {
    const mayCompute = computedImports.includes(file.path)
    const computed = file.facts.imports.filter(({ specifier }) => specifier === null)
    if (mayCompute && computed.length === 0) breaches.push(`${file.path}: has no computed import any more, take it off the list`)
    for (const { line } of mayCompute ? [] : computed) {
      breaches.push(`${file.path}:${line} imports a computed module: name it, so that it can be checked`)
    }
    breaches.push(...importBreaches(file, layers), ...styleBreaches(file))
  }
  for (const rule of forbidden) breaches.push(...reachBreaches(rule, placed))
  return breaches
}

function isCode(path: string): boolean {
  return /\.(ts|tsx|mts|cts|js|jsx|mjs|cjs)$/.test(path)
}

/** The layer with the longest folder that holds the path. */
function layerOf(path: string, layers: readonly Layer[]): Layer | undefined {
  return layers
    .filter(({ name }) => path.startsWith(`src/${name}/`))
    .reduce<Layer | undefined>((best, layer) => (best && best.name.length >= layer.name.length ? best : layer), undefined)
}

function importBreaches({ path, layer, facts }: Placed, layers: readonly Layer[]): string[] {
  return facts.imports.flatMap(({ specifier, line }) => {
    const at = `${path}:${line}`
    if (specifier === null) return []
    if (specifier.startsWith('.')) return relativeBreach(at, path, specifier, layer, layers)
    if (specifier.startsWith('/') || /^(file|data|https?):/.test(specifier))
      return [`${at} imports ${specifier}: only relative paths and packages`]
    if (isBuiltin(specifier)) {
      if (!specifier.startsWith('node:')) return [`${at} imports ${specifier}: write node:${specifier}`]
      return layer.node ? [] : [`${at} imports ${specifier}: src/${layer.name} may not use Node.js built-ins`]
    }
    const name = packageName(specifier)
    if (layer.packages.some((allowed) => allowed === name || (allowed.endsWith('/*') && name.startsWith(allowed.slice(0, -1))))) return []
    return [`${at} imports package ${name}: src/${layer.name} may use ${layer.packages.join(', ') || 'no packages'}`]
  })
}

function relativeBreach(at: string, path: string, specifier: string, layer: Layer, layers: readonly Layer[]): string[] {
  const target = resolveRelative(path, specifier)
  if (!/\.[a-z]+$/.test(target)) return [`${at} imports ${specifier}: relative imports carry their extension`]
  const other = layerOf(target, layers)
  if (!other) return [`${at} imports ${target}: it belongs to no layer`]
  if (other === layer || layer.mayImport.includes(other.name)) return []
  return [`${at} imports ${target}: src/${layer.name} may import ${layer.mayImport.join(', ') || 'nothing of ours'}, not ${other.name}`]
}

/** Path from the repository root of a relative import; Vite's `?url` and the like are cut off. */
function resolveRelative(path: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(path), specifier.replace(/\?.*$/, '')))
}

function packageName(specifier: string): string {
  const [first = '', second] = specifier.split('/')
  return first.startsWith('@') && second ? `${first}/${second}` : first
}

function styleBreaches({ path, layer, facts }: Placed): string[] {
  const breaches = facts.defaultExports.map((line) => `${path}:${line} has a default export: exports are named`)
  if (layer.name !== PURE_LAYER) return breaches
  for (const { what, line } of facts.impureUses) {
    breaches.push(`${path}:${line} uses ${what}: src/${PURE_LAYER} has no clock, no randomness and no surroundings`)
  }
  return breaches
}

/** Follows run-time imports from the files of a layer and reports the first chain that ends at each forbidden package. */
function reachBreaches(rule: ForbiddenReach, placed: readonly Placed[]): string[] {
  const byPath = new Map(placed.map((file) => [file.path, file]))
  const chains = placed.filter(({ layer }) => layer.name === rule.layer).map(({ path }) => [path])
  const seen = new Set(chains.flat())
  const found = new Map<string, string>()
  for (let chain = chains.shift(); chain; chain = chains.shift()) {
    const file = byPath.get(chain[chain.length - 1] as string)
    for (const { specifier, typeOnly } of file?.facts.imports ?? []) {
      if (specifier === null || typeOnly || !file) continue
      if (specifier.startsWith('.')) {
        const target = resolveRelative(file.path, specifier)
        if (!seen.has(target)) chains.push([...chain, target])
        seen.add(target)
      } else if (rule.packages.includes(packageName(specifier)) && !found.has(packageName(specifier))) {
        const name = packageName(specifier)
        found.set(name, `src/${rule.layer} must not reach ${name} at run time: ${[...chain, name].join(' → ')}`)
      }
    }
  }
  return [...found.values()]
}
