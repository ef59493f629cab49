/** What a processor is called and what it can do. */
export interface Processor {
  readonly name: string
  /** Instruction sets that decide how fast a model can be, as Linux names them. */
  readonly features: string[]
}

/** Those of /proc/cpuinfo's flags that matrix kernels are chosen by. */
const RELEVANT: ReadonlySet<string> = new Set([
  // x86-64
  'sse4_1',
  'avx',
  'fma',
  'f16c',
  'avx2',
  'avx512f',
  'avx512bw',
  'avx512_vnni',
  'avx512_bf16',
  'avx512_fp16',
  'avx_vnni',
  'avx_vnni_int8',
  'amx_tile',
  'amx_int8',
  'amx_bf16',
  // arm64: half precision, dot product, matrix multiply, bfloat16, scalable vectors
  'asimd',
  'asimdhp',
  'asimddp',
  'i8mm',
  'bf16',
  'sve',
  'sve2',
])

/** Arm's own cores by part number (implementer 0x41); arm64 Linux gives numbers only. Source: Arm's Main ID Register values. */
const ARM_PARTS: Readonly<Record<string, string>> = {
  '0xd03': 'Cortex-A53',
  '0xd04': 'Cortex-A35',
  '0xd05': 'Cortex-A55',
  '0xd07': 'Cortex-A57',
  '0xd08': 'Cortex-A72',
  '0xd09': 'Cortex-A73',
  '0xd0a': 'Cortex-A75',
  '0xd0b': 'Cortex-A76',
  '0xd0c': 'Neoverse N1',
  '0xd0d': 'Cortex-A77',
  '0xd40': 'Neoverse V1',
  '0xd41': 'Cortex-A78',
  '0xd42': 'Cortex-A78AE',
  '0xd44': 'Cortex-X1',
  '0xd46': 'Cortex-A510',
  '0xd47': 'Cortex-A710',
  '0xd49': 'Neoverse N2',
  '0xd4f': 'Neoverse V2',
}

/**
 * Reads /proc/cpuinfo. Where cores differ (big and little), all kinds are named.
 *
 * @param cpuinfo text of /proc/cpuinfo; `undefined` on systems without it
 * @param fallback name from elsewhere, for systems or cores the text does not name
 */
export function describeProcessor(cpuinfo: string | undefined, fallback: string): Processor {
  const fields = [...(cpuinfo ?? '').matchAll(/^([\w ]+?)\s*:\s*(.*)$/gm)].map(
    ([, key = '', value = '']) => [key.toLowerCase(), value] as const,
  )
  const all = (key: string) => [...new Set(fields.filter(([name]) => name === key).map(([, value]) => value))]
  const parts = all('cpu implementer').includes('0x41') ? all('cpu part').map((part) => ARM_PARTS[part] ?? `Arm part ${part}`) : []
  const name = all('model name')[0] ?? (parts.length > 0 ? parts.join(' + ') : fallback)
  const flags = new Set([...all('flags'), ...all('features')].flatMap((list) => list.split(' ')))
  return { name: name.trim() || 'unknown', features: [...RELEVANT].filter((feature) => flags.has(feature)) }
}
