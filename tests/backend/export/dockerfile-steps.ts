import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'

interface Instruction {
  readonly name: string
  readonly text: string
}

/** One stage of a Dockerfile. */
export interface Stage {
  readonly from: string
  readonly name: string
  readonly instructions: readonly Instruction[]
}

/** Reads a Dockerfile as far as ours go: comments, lines that go on with a backslash, no here-documents. */
export function readDockerfile(text: string): Stage[] {
  const joined = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line) && line.trim() !== '')
    .join('\n')
    .replace(/\\\n/g, ' ')
  const stages: { from: string; name: string; instructions: Instruction[] }[] = []
  for (const line of joined.split('\n')) {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? []
    if (name === 'FROM') {
      const [, from = '', as = ''] = /^(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?$/.exec(rest) ?? []
      stages.push({ from, name: as, instructions: [] })
    } else stages.at(-1)?.instructions.push({ name, text: rest })
  }
  return stages
}

/** What an instruction of the last stage says; the last one counts. */
export function saidBy(stage: Stage, name: string): string {
  return stage.instructions.filter((each) => each.name === name).at(-1)?.text ?? ''
}

/** Whether this machine lets us mount and change root: why not, or null. */
export function imageProblem(): string | null {
  if (process.platform !== 'linux') return 'not Linux'
  if (process.getuid?.() !== 0) return 'not root'
  const tried = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt'], { encoding: 'utf8' })
  return tried.status === 0 ? null : `no mounts: ${tried.error?.message ?? tried.stderr.trim()}`
}

/**
 * Carries out a Dockerfile's COPY, WORKDIR and RUN into folders, one for each stage, without Docker. Programs and libraries of the base images
 * are this computer's, which must have what they have.
 * @returns the folder of the last stage
 */
export function performDockerfile(text: string, context: string, targetArch: string, under: string): string {
  const roots = new Map<string, string>()
  let last = ''
  for (const [index, { name, instructions }] of readDockerfile(text).entries()) {
    last = join(under, `stage-${index}`)
    mkdirSync(last, { recursive: true })
    roots.set(name, last)
    let folder = '/'
    const arguments_: Record<string, string> = {}
    const filled = (value: string) => value.replace(/\$\{(\w+)\}/g, (_, key: string) => arguments_[key] ?? '')
    for (const { name: instruction, text: rest } of instructions) {
      if (instruction === 'ARG') arguments_[rest] = rest === 'TARGETARCH' ? targetArch : ''
      if (instruction === 'WORKDIR') {
        folder = rest
        mkdirSync(join(last, folder), { recursive: true })
      }
      if (instruction === 'COPY') copy(filled(rest), { context, roots, root: last, folder })
      if (instruction === 'RUN')
        execFileSync('unshare', ['-m', 'sh', '-c', rootScript(last, { folder, env: arguments_ }), 'sh', 'sh', '-c', rest])
    }
  }
  return last
}

interface CopyPlaces {
  readonly context: string
  readonly roots: ReadonlyMap<string, string>
  readonly root: string
  readonly folder: string
}

/** A folder's content goes into the destination, a file to it or into it. */
function copy(rest: string, { context, roots, root, folder }: CopyPlaces): void {
  const words = rest.split(/\s+/)
  const [, from] = /^--from=(.*)$/.exec(words[0] ?? '') ?? []
  const paths = from === undefined ? words : words.slice(1)
  const base = from === undefined ? context : (roots.get(from) ?? '')
  const destination = paths.at(-1) as string
  const target = destination.startsWith('/') ? join(root, destination) : join(root, folder, destination)
  for (const path of paths.slice(0, -1)) {
    const source = join(base, path)
    if (statSync(source).isDirectory()) cpSync(source, target, { recursive: true })
    else cpSync(source, destination.endsWith('/') || destination === '.' ? join(target, basename(path)) : target)
  }
}

export interface RootOptions {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** Number of the user and group. */
  readonly user?: string
  /** Nothing may be written but /tmp. */
  readonly readOnly?: boolean
  /** Files here that are mounted over files there. */
  readonly mounts?: Readonly<Record<string, string>>
}

/** Of this computer's root, what stands in for Debian's. */
const system = ['bin', 'sbin', 'lib', 'lib64', 'usr', 'proc', 'dev']

/** A shell script for `unshare -m sh -c SCRIPT sh COMMAND…` that runs the command with a folder as its root. */
export function rootScript(root: string, { folder, env, user, readOnly = false, mounts = {} }: RootOptions): string {
  const lines = ['set -e', `mount --bind ${quoted(root)} ${quoted(root)}`]
  for (const name of system) {
    const here = `/${name}`
    if (!existsSync(here)) continue
    const there = join(root, name)
    if (lstatSync(here).isSymbolicLink()) {
      if (!existsSync(there)) symlinkSync(readlinkSync(here), there)
      continue
    }
    mkdirSync(there, { recursive: true })
    lines.push(`mount --rbind ${here} ${quoted(there)}`)
  }
  mkdirSync(join(root, 'tmp'), { recursive: true })
  lines.push(`mount -t tmpfs -o mode=1777 tmpfs ${quoted(join(root, 'tmp'))}`)
  for (const [there, here] of Object.entries(mounts)) lines.push(`mount --bind ${quoted(here)} ${quoted(join(root, there))}`)
  if (readOnly) lines.push(`mount -o remount,bind,ro ${quoted(root)}`)
  const variables = Object.entries({ PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...env })
    .map(([name, value]) => quoted(`${name}=${value}`))
    .join(' ')
  const as = user === undefined ? '' : `--userspec=${user} --groups= `
  lines.push(`exec chroot ${as}${quoted(root)} env -i ${variables} sh -c ${quoted(`cd ${folder} && exec "$@"`)} sh "$@"`)
  return lines.join('\n')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Takes the mount points away again, so that the folder can be deleted. */
export function clearRoot(root: string): void {
  for (const name of readdirSync(root))
    if (system.includes(name) || name === 'tmp') rmSync(join(root, name), { recursive: true, force: true })
}
