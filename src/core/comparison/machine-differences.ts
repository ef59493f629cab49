/** What tells two machines apart, and what tells two states of one machine apart. The contract's `environmentSchema` fits. */
export interface MachineState {
  readonly hostname: string
  readonly machine: string
  readonly architecture: string
  readonly cpu: string
  readonly logicalCores: number
  readonly memoryBytes: number
  readonly system: string
  readonly governor: string | null
  readonly nodeVersion: string
  readonly onnxRuntimeVersion: string
  readonly edgesmithVersion: string
}

/** Kernels report a little more or less memory from boot to boot. */
const MEMORY_TOLERANCE = 0.05

/** True when both describe the same machine: name, processor, cores, and about the same memory. */
export function isSameMachine(a: MachineState, b: MachineState): boolean {
  const same = (['hostname', 'machine', 'architecture', 'cpu', 'logicalCores'] as const).every((key) => a[key] === b[key])
  return same && Math.abs(a.memoryBytes - b.memoryBytes) <= MEMORY_TOLERANCE * Math.max(a.memoryBytes, b.memoryBytes)
}

/** What changed on a machine between two measurements, a few words each: `ONNX Runtime 1.29.0, then 1.30.0`. */
export function stateDifferences(a: MachineState, b: MachineState): string[] {
  const named: readonly (readonly [string, keyof MachineState])[] = [
    ['ONNX Runtime', 'onnxRuntimeVersion'],
    ['Node.js', 'nodeVersion'],
    ['Edgesmith', 'edgesmithVersion'],
    ['system', 'system'],
    ['governor', 'governor'],
  ]
  return named.flatMap(([name, key]) => (a[key] === b[key] ? [] : [`${name} ${a[key] ?? 'unknown'}, then ${b[key] ?? 'unknown'}`]))
}
