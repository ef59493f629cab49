import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** How the stand-in behaves. */
export interface StandInTrtexec {
  /** One of those with a help text in tests/core/tensorrt/fixtures; the patch level is 2. */
  readonly version: '7.1' | '8.0' | '8.2' | '8.4' | '8.5' | '8.6' | '10.3' | '10.13' | '11.1'
  readonly gpu?: string
  /** What goes wrong: parsing, memory while building, an engine that is not written, the inference. */
  readonly fail?: 'build' | 'memory' | 'nothing' | 'timing'
  readonly failOp?: string
  readonly buildSeconds?: number
  /** Microseconds of one query. */
  readonly periodUs?: number
}

const fixtures = join(import.meta.dirname, '../core/tensorrt/fixtures')

/** Puts a stand-in for trtexec into a folder, or changes the one there. Answers the program's path. */
export function installTrtexec(
  folder: string,
  { version, gpu = 'Orin', fail, failOp = 'QLinearConv', buildSeconds = 0, periodUs = 2000 }: StandInTrtexec,
): string {
  const [major, minor] = version.split('.').map(Number) as [number, number]
  const number = major >= 10 ? major * 10_000 + minor * 100 + 2 : major * 1000 + minor * 100 + 2
  const old = major === 7
  const settings: Record<string, string | number> = {
    VERSION: `${version}.2`,
    NUMBER: old ? '' : number,
    GPU: gpu,
    FAIL: fail ?? '',
    FAIL_OP: failOp,
    BUILD_SECONDS: buildSeconds,
    PERIOD: periodUs,
    LISTS_WARMUP: major < 8 || (major === 8 && minor < 5) ? 'yes' : 'no',
    IN: old ? 'startInMs' : 'startH2dMs',
    OUT: old ? 'endOutMs' : 'endD2hMs',
    IN_LENGTH: old ? 'inMs' : 'h2dMs',
    OUT_LENGTH: old ? 'outMs' : 'd2hMs',
  }
  mkdirSync(folder, { recursive: true })
  const program = join(folder, 'trtexec')
  copyFileSync(join(import.meta.dirname, 'trtexec-stand-in.sh'), program)
  chmodSync(program, 0o755)
  copyFileSync(join(fixtures, `help-${version}.txt`), join(folder, 'trtexec.help'))
  writeFileSync(
    join(folder, 'trtexec.conf'),
    Object.entries(settings)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join(''),
  )
  return program
}

/** Calls so far, oldest first: process id and arguments. Calls for help are left out. */
export function trtexecCalls(folder: string): { readonly pid: number; readonly operands: readonly string[] }[] {
  const path = join(folder, 'trtexec.calls')
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith('--help'))
    .map((line) => {
      const [pid, ...operands] = line.split(' ')
      return { pid: Number(pid), operands }
    })
}

export function forgetTrtexecCalls(folder: string): void {
  rmSync(join(folder, 'trtexec.calls'), { force: true })
}
