import { LOCAL_DEVICE_NAME } from '../../../contract/device.ts'
import type { Environment } from '../../../contract/environment.ts'
import type { ReportDocument } from '../../../contract/report.ts'
import { type Block, facts, heading, text } from '../blocks/report-block.ts'
import { formatBytes, formatCounted } from '../quantities.ts'
import type { ReportNames } from './report-names.ts'

interface Place {
  readonly device: string
  readonly environment: Environment
}

/** Every machine that something in the report ran on, with its software; runs with the same of both are named together. */
export function environmentBlocks(document: ReportDocument, names: ReportNames): Block[] {
  const places = new Map<string, Place[]>()
  for (const place of placesOf(document, names)) {
    const { loadAverage: _load, temperatureC: _temperature, ...lasting } = place.environment
    const key = JSON.stringify([place.device, lasting])
    places.set(key, [...(places.get(key) ?? []), place])
  }
  if (places.size === 0) return []
  return [
    heading(2, 'Where it ran'),
    ...[...places.values()].flatMap((same): Block[] => {
      const [first] = same
      if (!first) return []
      const title = places.size > 1 ? [heading(3, first.device)] : []
      return [...title, facts([['device', first.device], ...environmentFacts(first.environment), ...states(same)])]
    }),
    ...(places.size > 1 ? [text('Numbers of different machines or software stand beside each other here; they are not compared.')] : []),
  ]
}

function placesOf({ comparisons, benchmarks, evaluations, analyses }: ReportDocument, names: ReportNames): Place[] {
  return [
    ...comparisons.map(({ device, environment }) => ({ device, environment })),
    ...[...benchmarks, ...evaluations].map(({ deviceId, environment }) => ({ device: names.device(deviceId), environment })),
    ...analyses.flatMap((analysis) =>
      'environment' in analysis.result ? [{ device: names.device(analysis.deviceId), environment: analysis.result.environment }] : [],
    ),
    ...analyses.flatMap((analysis) =>
      analysis.kind === 'parity'
        ? [
            { device: names.device(analysis.deviceId), environment: analysis.result.there },
            { device: LOCAL_DEVICE_NAME, environment: analysis.result.here },
          ]
        : [],
    ),
  ]
}

function environmentFacts(environment: Environment): (readonly [string, string])[] {
  return [
    ['machine', environment.machine],
    ['host name', environment.hostname],
    ['system', environment.system],
    ['processor', `${environment.cpu}, ${formatCounted(environment.logicalCores, 'logical core')} (${environment.architecture})`],
    ['instruction sets', environment.cpuFeatures.join(', ') || 'not reported'],
    ['memory', formatBytes(environment.memoryBytes)],
    ['clock governor', environment.governor ?? 'not reported'],
    [
      'software',
      `ONNX Runtime ${environment.onnxRuntimeVersion}, Node.js ${environment.nodeVersion}, Edgesmith ${environment.edgesmithVersion}`,
    ],
  ]
}

/** Load and temperature before each run. */
function states(places: readonly Place[]): (readonly [string, string])[] {
  const loads = places.flatMap(({ environment }) => environment.loadAverage ?? [])
  const temperatures = places.flatMap(({ environment }) => environment.temperatureC ?? [])
  return [
    ['load average before', range(loads, (value) => value.toFixed(2)) ?? 'not reported'],
    ['temperature', range(temperatures, (value) => `${value.toFixed(1)} °C`) ?? 'no sensor'],
  ]
}

function range(values: readonly number[], format: (value: number) => string): string | null {
  if (values.length === 0) return null
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))].map((value) => format(value))
  return low === high ? `${low}` : `${low} to ${high}`
}
