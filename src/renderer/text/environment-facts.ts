import type { Environment } from '../../contract/environment.ts'
import type { Fact } from '../components/facts.tsx'
import { formatBytes } from '../format/bytes.ts'
import { formatCounted } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'

/** The machine and the software of a measurement. */
export function environmentFacts(environment: Environment): Fact[] {
  return [
    { label: 'Machine', value: plainText(environment.machine, 120) },
    { label: 'Processor', value: `${plainText(environment.cpu, 120)}, ${formatCounted(environment.logicalCores, 'core')}` },
    { label: 'Memory', value: formatBytes(environment.memoryBytes) },
    { label: 'System', value: `${plainText(environment.system, 120)} (${plainText(environment.architecture, 20)})` },
    { label: 'Clock governor', value: environment.governor ? plainText(environment.governor, 40) : 'not readable' },
    { label: 'Load at start', value: environment.loadAverage === null ? 'not readable' : environment.loadAverage.toFixed(2) },
    { label: 'Temperature', value: environment.temperatureC === null ? 'not readable' : `${environment.temperatureC.toFixed(1)} °C` },
    {
      label: 'Runtime',
      value: `ONNX Runtime ${plainText(environment.onnxRuntimeVersion, 30)}, Node ${plainText(environment.nodeVersion, 30)}`,
    },
  ]
}
