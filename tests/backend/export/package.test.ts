import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ExportFolder } from '../../../src/backend/export/export-folder.ts'
import { archive } from '../../../src/backend/export/package/archive.ts'
import type { ExportResult } from '../../../src/contract/export.ts'
import { sha256OfFile } from '../../../src/platform/file-hash.ts'
import { type Exports, expectWhole, openExports, PATIENCE_MS } from './exports.ts'

describe('archive', () => {
  it('gives the same bytes for the same files, with rights and nothing of this computer', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgesmith-archive-'))
    const hashes: string[] = []
    for (const name of ['one', 'two']) {
      const target = await ExportFolder.open(join(folder, name), new AbortController().signal)
      await target.text('app/start.sh', '#!/bin/sh\n', { executable: true })
      await target.text('app/deep/file', 'x'.repeat(1000))
      await target.stream('app.tar.gz', archive(target, 'app/'))
      await target.finish()
      hashes.push(await sha256OfFile(join(folder, name, 'app.tar.gz')))
    }
    expect(hashes[0]).toBe(hashes[1])
    const listed = execFileSync('tar', ['--numeric-owner', '-tvzf', join(folder, 'one/app.tar.gz')], {
      encoding: 'utf8',
      env: { TZ: 'UTC', PATH: process.env.PATH },
    })
    expect(
      listed
        .trim()
        .split('\n')
        .map((line) => line.replace(/ +/g, ' ')),
    ).toEqual(['-rw-r--r-- 0/0 1000 1970-01-01 00:00 app/deep/file', '-rwxr-xr-x 0/0 10 1970-01-01 00:00 app/start.sh'])
    rmSync(folder, { recursive: true })
  })
})

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('export --format package', () => {
  let exports: Exports
  let result: ExportResult
  /** Where it is unpacked: a path with a space. */
  let place: string
  beforeAll(async () => {
    exports = await openExports()
    result = await exports.write('package')
    place = join(exports.folder, 'another place')
    mkdirSync(place)
    execFileSync('tar', ['-xzf', join(result.folder, 'small.tar.gz'), '-C', place])
    mkdirSync(join(exports.folder, 'read-only-home'), { mode: 0o555 })
  }, PATIENCE_MS)
  afterAll(() => exports.close())

  const script = (name: string) => join(place, 'small', name)
  /** Nothing of this computer's environment, another folder, a home that cannot be written to. */
  const options = () => ({ cwd: '/', env: { PATH: '/usr/bin:/bin', HOME: join(exports.folder, 'read-only-home') } })
  const run = (name: string, ...args: string[]) =>
    execFileSync(script(name), args, { ...options(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 })
  const ask = async (port: number, path: string, body?: string) => {
    const token = readFileSync(script('service/token'), 'utf8')
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    })
    return { status: response.status, body: JSON.parse(await response.text()) }
  }

  it('writes what SHA256SUMS lists, in the package too', () => {
    expectWhole(result)
    execFileSync('sha256sum', ['-c', '--quiet', 'SHA256SUMS'], { cwd: join(place, 'small') })
    expect(existsSync(script('service/token'))).toBe(false)
    for (const name of ['start.sh', 'stop.sh']) execFileSync('sh', ['-n', script(name)])
  })

  it('serves in the foreground with nothing but its files, and stops on a signal', async () => {
    const port = await freePort()
    const child = spawn(script('start.sh'), ['--port', String(port)], { ...options(), stdio: ['ignore', 'pipe', 'pipe'] })
    const printed = await linesUntil(child, '"event":"started"')
    expect(printed).toContain(`small: http://127.0.0.1:${port} `)
    expect(statSync(script('service/token')).mode & 0o777).toBe(0o600)
    const answer = await ask(port, '/predict', readFileSync(script('example-request.json'), 'utf8'))
    const expected = JSON.parse(readFileSync(script('example-answer.json'), 'utf8'))
    expect([answer.status, answer.body.outputs, answer.body.version]).toEqual([200, expected.outputs, expected.version])
    expect(JSON.parse(readFileSync(script('manifest.json'), 'utf8')).release).toBe(answer.body.version)
    child.kill('SIGTERM')
    expect(await once(child, 'close')).toEqual([0, null])
  })

  it('serves in the background with the same token and port until stop.sh', async () => {
    const token = readFileSync(script('service/token'), 'utf8')
    const { port } = JSON.parse(readFileSync(script('service/service.json'), 'utf8'))
    expect(run('start.sh', '--background')).toContain('Running as process')
    expect((await ask(port, '/health')).body).toMatchObject({ status: 'ok', service: 'small' })
    expect(() => run('start.sh', '--background')).toThrow('it runs already')
    expect(run('stop.sh')).toBe('Stopped.\n')
    await expect(ask(port, '/health')).rejects.toThrow()
    expect(readFileSync(script('service/token'), 'utf8')).toBe(token)
  })

  it('opens to the network only with names, and takes no nonsense', () => {
    const settings = () => JSON.parse(readFileSync(script('service/service.json'), 'utf8'))
    const before = settings()
    for (const args of [['--port', 'x'], ['--port', '70000'], ['--open', 'a b'], ['--open', ''], ['--nothing']]) {
      expect(() => run('start.sh', ...args)).toThrow(/start\.sh: /)
    }
    expect(settings()).toEqual(before)
    const configure = (port: string, hosts: string) =>
      execFileSync(script('agent/x64/node'), [script('configure.cjs'), script('service/service.json'), port, hosts])
    configure('9000', 'box.local,192.168.1.20')
    expect(settings()).toMatchObject({ port: 9000, host: '0.0.0.0', network: { hosts: ['box.local', '192.168.1.20'] } })
    configure('', '-')
    expect(settings()).toEqual({ ...before, port: 9000, host: '127.0.0.1', network: null })
  })

  it('says that it has nothing for another processor', () => {
    const tools = join(exports.folder, 'tools')
    mkdirSync(tools)
    writeFileSync(join(tools, 'uname'), '#!/bin/sh\n[ "$1" = -s ] && echo Linux || echo aarch64\n')
    chmodSync(join(tools, 'uname'), 0o755)
    const other = { ...options(), env: { PATH: `${tools}:/usr/bin:/bin` }, stdio: 'pipe' as const }
    expect(() => execFileSync(script('start.sh'), [], other)).toThrow('this package holds no files for arm64')
  })
})

async function linesUntil(child: ChildProcess, text: string): Promise<string> {
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (printed += chunk.toString('utf8')))
  while (!printed.includes(text)) {
    if (child.exitCode !== null) throw new Error(`ended: ${printed}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return printed
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
