import { cpus, loadavg } from 'node:os'
import { describeProcessor } from '../src/engine/measure/processor.ts'
import { onnxRuntimeVersion } from '../src/engine/runtimes/onnx-runtime.ts'
import { readSystemFile } from '../src/platform/system-files.ts'

/** A table in Markdown; every row has as many cells as the heading. */
export function markdownTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]!.length), 3))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  return [line(heading), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

/** What numbers depend on: processor with the instruction sets that matter, cores, load and versions. No names of machines. */
export function machineLine(): string {
  const { name, features } = describeProcessor(readSystemFile('/', '/proc/cpuinfo'), cpus()[0]?.model ?? '')
  const load = (loadavg()[0] ?? 0).toFixed(1)
  return `${name} (${features.join(' ')}), ${cpus().length} logical cores, load ${load}; Node.js ${process.versions.node}, onnxruntime-node ${onnxRuntimeVersion}.`
}
