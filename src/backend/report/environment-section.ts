import type { Comparison, Environment } from '../../contract/measurement.ts'
import { html, type Markup } from './html.ts'
import { formatBytes, formatCount, formatCounted } from './quantities.ts'

/** The machine and software, the settings of the run, and everything that makes the numbers less sure. */
export function environmentSection(comparison: Comparison): Markup {
  const facts = [...environmentFacts(comparison.environment), ...settingFacts(comparison)]
  const warnings = comparison.rows.flatMap((row, index) => row.warnings.map((warning) => ({ warning, row, number: index + 1 })))
  return html`<h3>Where and how it ran</h3><table class="facts">${facts.map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>`)}</table>
<h3>Warnings</h3>${
    warnings.length > 0
      ? html`<ul>${warnings.map(({ warning, row, number }) => html`<li class="warning">${number} ${row.model}: ${warning}</li>`)}</ul>`
      : html`<p>None: the machine was quiet and its clocks were steady as far as it tells.</p>`
  }`
}

function environmentFacts(environment: Environment): (readonly [string, string])[] {
  const { loadAverage, temperatureC } = environment
  return [
    ['machine', environment.machine],
    ['host name', environment.hostname],
    ['system', environment.system],
    ['processor', `${environment.cpu}, ${formatCounted(environment.logicalCores, 'logical core')} (${environment.architecture})`],
    ['instruction sets', environment.cpuFeatures.join(', ') || 'not reported'],
    ['memory', formatBytes(environment.memoryBytes)],
    ['clock governor', environment.governor ?? 'not reported'],
    ['load average before', loadAverage === null ? 'not reported' : loadAverage.toFixed(2)],
    ['temperature', temperatureC === null ? 'no sensor' : `${temperatureC.toFixed(1)} °C`],
    [
      'software',
      `ONNX Runtime ${environment.onnxRuntimeVersion}, Node.js ${environment.nodeVersion}, Edgesmith ${environment.edgesmithVersion}`,
    ],
  ]
}

function settingFacts({ settings, dataset, rows, createdAt }: Comparison): (readonly [string, string])[] {
  const blocks = Math.max(0, ...rows.map(({ speedup }) => speedup?.blocks ?? 0))
  const length = settings.seconds === undefined ? formatCounted(settings.runs, 'run') : `${settings.seconds} s`
  return [
    [
      'measured',
      `${length} per model in ${formatCounted(blocks, 'block')}, batch ${formatCount(settings.batch)}, ${formatCounted(settings.threads, 'thread')} inside an operator`,
    ],
    [
      'warm-up',
      `at least ${formatCounted(settings.warmupRuns, 'run')} and ${settings.warmupSeconds} s before the first block of each model`,
    ],
    ['dataset', dataset ?? 'none: accuracy was not measured'],
    ['when', createdAt],
  ]
}
