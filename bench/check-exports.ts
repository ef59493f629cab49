// Checks exported folders with the tools of those who will run them, as far as they are installed: promtool (Debian: prometheus), hadolint,
// shellcheck, docker compose, kubeconform or kubectl, systemd-analyze. What is missing is said and skipped.
//
//   node bench/check-exports.ts FOLDER …      folders that `edgesmith export --format docker|kserve|package` wrote

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

interface Check {
  readonly what: string
  readonly program: string
  readonly args: readonly string[]
  readonly folder: string
}

/** Checks of whatever is in a folder. */
function checksOf(folder: string): Check[] {
  const has = (path: string) => existsSync(join(folder, path))
  const check = (what: string, program: string, ...args: string[]): Check => ({ what, program, args, folder })
  const files = readdirSync(folder, { recursive: true }).map(String)
  const manifests = files.filter((path) => path.endsWith('.yaml') && !path.endsWith('kustomization.yaml'))
  return [
    ...(has('SHA256SUMS') ? [check('checksums', 'sha256sum', '--check', '--quiet', 'SHA256SUMS')] : []),
    ...(has('monitoring/prometheus.yml')
      ? [
          // The token's file is there in the container only.
          check('Prometheus configuration', 'promtool', 'check', 'config', '--syntax-only', 'monitoring/prometheus.yml'),
          check('alert rules', 'promtool', 'check', 'rules', 'monitoring/alerts.yml'),
        ]
      : []),
    ...files.filter((path) => /^Dockerfile(\.\w+)?$/.test(path)).map((path) => check(path, 'hadolint', path)),
    ...(has('docker-compose.yml') ? [check('composition', 'docker', 'compose', 'config', '--quiet')] : []),
    ...files.filter((path) => path.endsWith('.sh')).map((path) => check(path, 'shellcheck', '--shell=sh', path)),
    ...files.filter((path) => path.endsWith('.service')).map((path) => check(path, 'systemd-analyze', 'verify', path)),
    ...(manifests.length > 0
      ? [
          check('manifests', 'kubeconform', '-strict', '-ignore-missing-schemas', '-summary', ...manifests),
          ...manifests.map((path) => check(path, 'kubectl', 'apply', '--dry-run=client', '--validate=strict', '-f', path)),
        ]
      : []),
  ]
}

/** What a package's unit starts is not there before it is installed. */
const expectedComplaint = /^.*: Command \/opt\/\S+ is not executable: No such file or directory\n?$/

/** Parts of Docker's program that may be missing although it is there. */
function lacksCompose(program: string): boolean {
  return program === 'docker' && spawnSync('docker', ['compose', 'version']).status !== 0
}

const folders = process.argv.slice(2)
if (folders.length === 0) {
  process.stderr.write('Usage: node bench/check-exports.ts FOLDER …\n')
  process.exit(2)
}
const missing = new Set<string>()
let failed = 0
for (const folder of folders) {
  for (const { what, program, args } of checksOf(folder)) {
    const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' })
    if (error || lacksCompose(program)) {
      missing.add(program === 'docker' ? 'docker compose' : program)
      continue
    }
    const passed = status === 0 || (program === 'systemd-analyze' && expectedComplaint.test(stderr))
    if (!passed) failed++
    process.stdout.write(`${passed ? 'ok  ' : 'FAIL'} ${folder}: ${what} (${program})\n`)
    if (!passed) process.stdout.write(`${stdout}${stderr}`.replace(/^/gm, '     '))
  }
}
if (missing.size > 0) process.stdout.write(`Not installed, so not checked: ${[...missing].join(', ')}\n`)
process.exitCode = failed > 0 ? 1 : 0
