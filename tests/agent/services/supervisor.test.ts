import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { tryPort } from '../../../src/agent/services/listening-socket.ts'
import { ServiceFolder } from '../../../src/agent/services/service-folder.ts'
import { readSupervisorState } from '../../../src/agent/services/supervisor-state.ts'
import { type AgentBundle, bundleAgent } from '../agent-bundle.ts'
import { AgentProcess, isAlive } from '../agent-process.ts'
import { settings } from './service-files.ts'

// The supervisor is the bundled one; what it supervises is a small program, so that crashes and hand-overs take no time.
let bundle: AgentBundle
let runtime: string
const started: AgentProcess[] = []
const serving: number[] = []

beforeAll(async () => {
  bundle = await bundleAgent()
  runtime = join(bundle.folder, 'stand-in')
  await mkdir(runtime)
  await copyFile(join(import.meta.dirname, 'stand-in-agent.cjs'), join(runtime, 'agent.cjs'))
})
afterAll(() => bundle.remove())
afterEach(async () => {
  for (const agent of started.splice(0)) {
    agent.child.kill('SIGKILL')
    await agent.ended
  }
  for (const pid of serving.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
})

/** A service's folder on a free port, with a supervisor. */
async function supervised(name: string, behaviour: object = {}) {
  const folder = new ServiceFolder(join(bundle.folder, name))
  await mkdir(folder.path)
  const port = await tryPort('127.0.0.1', 0)
  await folder.writeSettings({ ...settings, port })
  await folder.writeRouting({ version: 1, current: '0123456789abcdef', previous: null, beside: [], watch: null })
  await folder.replace('runtime', `${runtime}\n`)
  await folder.replace('node', `${process.execPath}\n`)
  await behave(folder, behaviour)
  return { folder, port, supervisor: supervise(folder) }
}

function supervise(folder: ServiceFolder): AgentProcess {
  const agent = new AgentProcess(bundle, ['supervise', folder.path])
  started.push(agent)
  return agent
}

function behave(folder: ServiceFolder, behaviour: object): Promise<void> {
  return writeFile(folder.at('behaviour.json'), JSON.stringify(behaviour))
}

/** Process id of whoever serves next. */
async function servingPid(folder: ServiceFolder, not: number | null = null): Promise<number> {
  let pid = 0
  await expect
    .poll(
      async () => {
        pid = (await folder.readState())?.pid ?? 0
        return pid !== 0 && pid !== not
      },
      { timeout: 20_000, interval: 20 },
    )
    .toBe(true)
  serving.push(pid)
  return pid
}

function ask(port: number, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = get({ host: '127.0.0.1', port, path, agent: false, timeout: 20_000 }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.on('end', () => resolve(text))
      response.on('error', reject)
    })
    call.on('error', reject)
  })
}

describe('a supervisor', () => {
  it('starts the serving process, brings it back after a crash, and ends it when it is told to', async () => {
    const { folder, port, supervisor } = await supervised('crash', { words: 'hello' })
    const first = await servingPid(folder)
    expect(await ask(port)).toBe(String(first))
    expect(await readSupervisorState(folder.path)).toMatchObject({ pid: supervisor.child.pid, port, child: first, crashes: 0 })

    // Who comes between crash and comeback waits in the socket, and is answered.
    const cut = expect(ask(port, '/crash')).rejects.toThrow()
    await cut
    const waiting = ask(port)
    const second = await servingPid(folder, first)
    expect(await waiting).toBe(String(second))
    expect(await readSupervisorState(folder.path)).toMatchObject({ crashes: 1 })
    expect(await folder.readEvents(10)).toMatchObject([{ kind: 'crashed', text: expect.stringContaining('code 9') }])
    expect(await folder.logTail(20)).toContain('serving hello')

    // A second supervisor sees the first and leaves it alone.
    expect((await supervise(folder).ended).code).toBe(78)
    supervisor.child.kill('SIGTERM')
    expect(await supervisor.ended).toEqual({ code: 0, signal: null })
    expect(isAlive(second)).toBe(false)
    expect(await readSupervisorState(folder.path)).toBeNull()
    await expect(ask(port)).rejects.toThrow('ECONNREFUSED')
  })

  it('hands over under load without losing a request, and keeps the old process where the new one fails', async () => {
    const { folder, port, supervisor } = await supervised('hand-over')
    let pid = await servingPid(folder)
    let going = true
    const seen = new Map<string, number>()
    const failures: unknown[] = []
    const clients = Array.from({ length: 8 }, async () => {
      while (going) {
        try {
          const answer = await ask(port)
          seen.set(answer, (seen.get(answer) ?? 0) + 1)
        } catch (error) {
          failures.push(error)
        }
      }
    })
    for (let round = 1; round <= 5; round++) {
      await behave(folder, { readyMs: 40 })
      supervisor.child.kill('SIGHUP')
      const next = await servingPid(folder, pid)
      await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
      expect((await readSupervisorState(folder.path))?.handOvers).toBe(round)
      pid = next
    }
    await behave(folder, { exitCode: 1 })
    supervisor.child.kill('SIGHUP')
    await expect
      .poll(async () => (await readSupervisorState(folder.path))?.failure ?? '', { timeout: 10_000 })
      .toContain('did not become ready')
    expect(await readSupervisorState(folder.path)).toMatchObject({ handOvers: 6, child: pid, crashes: 0 })
    const before = seen.get(String(pid)) ?? 0
    await expect.poll(() => seen.get(String(pid)), { timeout: 10_000 }).toBeGreaterThan(before + 10)
    going = false
    await Promise.all(clients)
    expect(failures).toEqual([])
    expect(seen.size).toBe(6)
  })

  it('that was killed leaves the service serving; the next one takes it over', async () => {
    const { folder, port, supervisor } = await supervised('orphan')
    const first = await servingPid(folder)
    supervisor.child.kill('SIGKILL')
    await supervisor.ended
    expect(await ask(port)).toBe(String(first))
    const next = supervise(folder)
    const second = await servingPid(folder, first)
    expect(isAlive(first)).toBe(false)
    expect(await ask(port)).toBe(String(second))
    expect((await readSupervisorState(folder.path))?.pid).toBe(next.child.pid)
  })

  it.skipIf(process.platform !== 'linux')(
    'that was killed while its process started leaves nothing in the way of the next one',
    async () => {
      const { folder, port, supervisor } = await supervised('killed-early', { firstHangs: true })
      await expect.poll(async () => (await readSupervisorState(folder.path))?.child ?? null, { timeout: 10_000 }).not.toBeNull()
      await expect.poll(() => existsSync(folder.at('hangs')), { timeout: 10_000 }).toBe(true)
      const orphan = (await readSupervisorState(folder.path))?.child ?? 0
      serving.push(orphan)
      supervisor.child.kill('SIGKILL')
      await supervisor.ended
      const next = supervise(folder)
      const pid = await servingPid(folder)
      expect(pid).not.toBe(orphan)
      expect(await ask(port)).toBe(String(pid))
      expect(isAlive(orphan)).toBe(false)
      expect(await readSupervisorState(folder.path)).toMatchObject({ pid: next.child.pid, child: pid, crashes: 0 })
    },
  )

  it('gives up on settings that are wrong, and waits for a port that is taken', async () => {
    const wrong = await supervised('wrong', { exitCode: 2 })
    expect((await wrong.supervisor.ended).code).toBe(78)
    expect(await wrong.folder.readEvents(5)).toMatchObject([{ kind: 'crashed' }, { kind: 'failed' }])

    const other = createServer()
    const port = await new Promise<number>((resolve) =>
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port)),
    )
    const folder = new ServiceFolder(join(bundle.folder, 'taken'))
    await mkdir(folder.path)
    await folder.writeSettings({ ...settings, port })
    await folder.writeRouting({ version: 1, current: '0123456789abcdef', previous: null, beside: [], watch: null })
    await folder.replace('runtime', `${runtime}\n`)
    supervise(folder)
    await expect.poll(async () => (await readSupervisorState(folder.path))?.failure ?? '', { timeout: 10_000 }).toContain(String(port))
    await new Promise((resolve) => other.close(resolve))
    expect(await ask(port).catch(() => servingPid(folder).then(() => ask(port)))).toBe(String((await folder.readState())?.pid))
    serving.push(Number((await folder.readState())?.pid))
  })

  it('has nothing to do where the user stopped the service, or none was deployed', async () => {
    const folder = new ServiceFolder(join(bundle.folder, 'nothing'))
    expect((await supervise(folder).ended).code).toBe(78)
    await folder.writeSettings(settings)
    await folder.writeRouting({ version: 1, current: '0123456789abcdef', previous: null, beside: [], watch: null })
    await folder.replace('stopped', '')
    expect((await supervise(folder).ended).code).toBe(78)
    expect(await readFile(folder.at('routing.json'), 'utf8')).toContain('0123456789abcdef')
  })
})
