import type { Target } from '../contract/names.ts'

/** What is told about a processor: its name and the features that decide how fast models run. */
export interface CpuFacts {
  readonly name: string
  readonly features: readonly string[]
}

/** Features worth showing, as /proc/cpuinfo calls them: integer dot products, half precision, vector widths. */
const notableFeatures: ReadonlySet<string> = new Set([
  ...['asimd', 'asimddp', 'asimdhp', 'fphp', 'i8mm', 'bf16', 'sve', 'sve2', 'neon', 'atomics'],
  ...['sse4_1', 'sse4_2', 'avx', 'avx2', 'fma', 'f16c', 'avx512f', 'avx512bw', 'avx512_vnni', 'avx_vnni', 'avx512_bf16', 'amx_int8'],
])

/** Names of ARM cores by implementer and part number; source: util-linux sys-utils/lscpu-arm.c. Cores of boards in use, not all there are. */
const armCores: Readonly<Record<string, string>> = {
  '0x41/0xd03': 'Cortex-A53',
  '0x41/0xd04': 'Cortex-A35',
  '0x41/0xd05': 'Cortex-A55',
  '0x41/0xd07': 'Cortex-A57',
  '0x41/0xd08': 'Cortex-A72',
  '0x41/0xd09': 'Cortex-A73',
  '0x41/0xd0a': 'Cortex-A75',
  '0x41/0xd0b': 'Cortex-A76',
  '0x41/0xd0c': 'Neoverse-N1',
  '0x41/0xd0d': 'Cortex-A77',
  '0x41/0xd40': 'Neoverse-V1',
  '0x41/0xd41': 'Cortex-A78',
  '0x41/0xd42': 'Cortex-A78AE',
  '0x41/0xd44': 'Cortex-X1',
  '0x41/0xd49': 'Neoverse-N2',
  '0x41/0xd4f': 'Neoverse-V2',
  '0x4e/0x003': 'Denver 2',
  '0x4e/0x004': 'Carmel',
}

/** Reads the first processor's lines of /proc/cpuinfo (`key : value`). */
export function readCpuInfo(lines: readonly string[]): CpuFacts {
  const values = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon > 0) values.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  const words = (values.get('features') ?? values.get('flags') ?? '').split(/\s+/)
  const core = armCores[`${values.get('cpu implementer')}/${values.get('cpu part')}`]
  const part = values.get('cpu part')
  const name = core ?? values.get('model name') ?? (part ? `ARM core ${part}` : 'unknown processor')
  return { name, features: words.filter((word) => notableFeatures.has(word)) }
}

/**
 * The target whose graphs fit a processor (SPEC.md, "Target"), for ONNX Runtime on the CPU.
 * Null for a processor Edgesmith has no runtime for.
 */
export function proposeTarget(architecture: string, features: readonly string[]): Target | null {
  if (architecture === 'arm64') return features.includes('asimddp') ? 'arm64-dotprod' : 'arm64'
  if (architecture === 'x64') return features.includes('avx512_vnni') || features.includes('avx_vnni') ? 'x64-vnni' : 'x64'
  return null
}
