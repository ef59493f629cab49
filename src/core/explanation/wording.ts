import type { NodeProto } from 'onnx-buf'
import { quoteName, quoteNames } from '../onnx/quote-name.ts'
import { nodeLabel } from './model-profile.ts'

/** Node names that a sentence repeats. */
const NAMED = 3

/** Milliseconds with three figures: `0.0123 ms`, `1.23 ms`, `123 ms`. */
export function inMs(ms: number): string {
  return `${Number(ms.toPrecision(3))} ms`
}

/** A share as whole percents: `12 %`; below one percent `under 1 %`. */
export function inPercent(part: number, whole: number): string {
  const percent = whole > 0 ? (100 * part) / whole : 0
  return percent > 0 && percent < 1 ? 'under 1 %' : `${Math.round(percent)} %`
}

/** `1 node`, `3 nodes` */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** `"a", "b", "c" and 4 more` */
export function someNodes(nodes: readonly NodeProto[]): string {
  const shown = nodes.slice(0, NAMED).map((node) => quoteName(nodeLabel(node)))
  return nodes.length > NAMED ? `${shown.join(', ')} and ${nodes.length - NAMED} more` : shown.join(', ')
}

/** Operators by how often they occur: `Conv (3), HardSwish (2)` */
export function byOperator(nodes: readonly NodeProto[]): string {
  const counts = new Map<string, number>()
  for (const { opType } of nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1)
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 2 * NAMED)
    .map(([op, count]) => `${op} (${count})`)
    .join(', ')
}

/** Node names as the value of an option on a command line. */
export function nodeList(names: readonly string[]): string {
  const most = 8
  if (names.length > most) return `… (${names.length} nodes: ${quoteNames(names, most)})`
  return names.map((name) => (/^[\w./:-]+$/.test(name) ? name : JSON.stringify(name))).join(',')
}

/** Decibels with one figure behind the point: `23.4 dB`; `no difference` where both are the same. */
export function inDb(db: number | null): string {
  return db === null ? 'no difference' : `${Number(db.toFixed(1))} dB`
}

/** A value with three figures. */
export function short(value: number): string {
  return `${Number(value.toPrecision(3))}`
}
