import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a board with next to nothing installed has: coreutils. Not in it: gzip, grep, sed, awk, find, ps, openssl, setsid. */
const coreutils = [
  '[',
  'basename',
  'cat',
  'chmod',
  'cp',
  'cut',
  'date',
  'dd',
  'df',
  'dirname',
  'du',
  'echo',
  'env',
  'expr',
  'head',
  'id',
  'ln',
  'ls',
]
const coreutilsToo = [
  'mkdir',
  'mktemp',
  'mv',
  'nohup',
  'nproc',
  'od',
  'printf',
  'pwd',
  'readlink',
  'rm',
  'rmdir',
  'sha256sum',
  'sleep',
  'sort',
  'stat',
]
const coreutilsLast = ['sync', 'tail', 'tee', 'test', 'touch', 'tr', 'true', 'false', 'uname', 'wc']

/**
 * Makes a folder for PATH that holds coreutils, sh and tar and nothing else.
 * @param without programs to leave out
 * @param instead programs to put in with another text (shell scripts)
 */
export function makeBarePath(folder: string, without: readonly string[] = [], instead: Readonly<Record<string, string>> = {}): string {
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o755)
  for (const name of [...coreutils, ...coreutilsToo, ...coreutilsLast, 'sh', 'tar']) {
    if (without.includes(name) || name in instead) continue
    const path = execFileSync('sh', ['-c', 'PATH=/usr/bin:/bin; command -v "$1" || true', 'sh', name], { encoding: 'utf8' }).trim()
    const real = path.startsWith('/') ? path : ['/usr/bin', '/bin'].map((place) => join(place, name)).find((place) => existsSync(place))
    if (real && !existsSync(join(folder, name))) symlinkSync(real, join(folder, name))
  }
  for (const [name, text] of Object.entries(instead)) {
    writeFileSync(join(folder, name), text)
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}
