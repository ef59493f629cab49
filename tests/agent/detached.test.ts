import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type DetachedFrame, type HostLine, UNWRITABLE_EXIT_CODE } from '../../src/contract/detached-run.ts'
import { type ReceivedFrame, readFrames } from '../../src/remote/read-frames.ts'

const entry = join(import.meta.dirname, '../../src/agent/agent-entry.ts')
const folder = mkdtempSync(join(tmpdir(), 'edgesmith-detached-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const owner = { hostId: 'test', pid: process.pid, host: 'here', user: 'me' }
const selfTest = JSON.stringify({ command: 'self-test' })

/** `agent host`, and what it says. */
class Host {
  readonly child: ChildProcess
  readonly frames: ReceivedFrame[] = []
  readonly #over: Promise<void>

  constructor(job: string) {
    this.child = spawn(process.execPath, ['--no-warnings', entry, 'host', job], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#over = this.#read()
  }

  say(line: HostLine | string): void {
    this.child.stdin?.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
  }

  async until(type: DetachedFrame['type']): Promise<DetachedFrame> {
    await expect.poll(() => this.frames.some(({ frame }) => frame.type === type), { timeout: 30_000 }).toBe(true)
    return this.frames.find(({ frame }) => frame.type === type)?.frame ?? expect.fail('no frame')
  }

  text(type: 'out' | 'err'): string {
    return Buffer.concat(this.frames.filter(({ frame }) => frame.type === type).map(({ content }) => content)).toString('utf8')
  }

  async end(): Promise<void> {
    this.child.stdin?.end()
    if (this.child.exitCode === null) await once(this.child, 'exit')
    await this.#over
  }

  async #read(): Promise<void> {
    if (!this.child.stdout) throw new Error('no standard output')
    for await (const received of readFrames(this.child.stdout, 'here')) this.frames.push(received)
  }
}

describe.runIf(process.platform === 'linux')('a run that goes on without its host', () => {
  it('is started, left, found again from any offset, and taken away with its folder', async () => {
    const job = join(folder, 'jobs', 'first')
    const one = new Host(job)
    expect(await one.until('jobs')).toEqual({ type: 'jobs', jobs: [] })
    one.say({ type: 'start', request: selfTest, owner })
    await one.until('out')
    await one.end()
    expect(readFileSync(join(job, 'owner'), 'utf8')).toBe(JSON.stringify(owner))

    const two = new Host(job)
    // A start that is repeated, because nobody knows whether the first one arrived, starts nothing.
    two.say({ type: 'start', request: selfTest, owner })
    expect(await two.until('end')).toEqual({ type: 'end', exitCode: 0, signal: null })
    await two.end()
    const messages = two.text('out').trimEnd().split('\n')
    expect(messages.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(['hello', 'result'])

    const three = new Host(job)
    three.say({ type: 'attach', out: 10, err: 0 })
    await three.until('end')
    expect(three.text('out')).toBe(two.text('out').slice(10))
    three.say({ type: 'taken' })
    await three.end()
    expect(readdirSync(join(folder, 'jobs'))).toEqual([])

    const four = new Host(job)
    four.say({ type: 'attach', out: 0, err: 0 })
    expect(await four.until('missing')).toEqual({ type: 'missing' })
    await four.end()
  })

  it('is seen by others, and ended and deleted by them', async () => {
    const job = join(folder, 'jobs', 'hanging')
    const one = new Host(job)
    // A named pipe that nobody writes to: reading the model takes for ever.
    const pipe = join(folder, 'pipe')
    await once(spawn('mkfifo', [pipe]), 'exit')
    one.say({ type: 'start', request: JSON.stringify({ command: 'bench', model: pipe, settings: {} }), owner })
    await one.until('out')
    await one.end()

    const other = new Host(join(folder, 'jobs', 'other'))
    const { jobs } = (await other.until('jobs')) as Extract<DetachedFrame, { type: 'jobs' }>
    expect(jobs).toEqual([{ id: 'hanging', owner, running: true, ageSeconds: expect.any(Number) }])
    const pid = Number(readFileSync(join(job, 'pid'), 'utf8'))
    // Temporary files go with the folder, however the run ends.
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')).toContain(`TMPDIR=${job}`)
    other.say({ type: 'clear', ids: ['hanging'] })
    await expect.poll(() => readdirSync(join(folder, 'jobs')), { timeout: 10_000 }).toEqual([])
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    await other.end()
  })

  it('is told at its end of a run of somebody else that came and went meanwhile, and of none of its own owner', async () => {
    const job = join(folder, 'jobs', 'long')
    const pipe = join(folder, 'another-pipe')
    await once(spawn('mkfifo', [pipe]), 'exit')
    const long = new Host(job)
    long.say({ type: 'start', request: JSON.stringify({ command: 'bench', model: pipe, settings: {} }), owner })
    await long.until('out')
    const stranger = { ...owner, hostId: 'another', user: 'somebody-else' }
    for (const [id, who] of [
      ['short', stranger],
      ['own', owner],
    ] as const) {
      const other = new Host(join(folder, 'jobs', id))
      await other.until('jobs')
      other.say({ type: 'start', request: selfTest, owner: who })
      await other.until('end')
      other.say({ type: 'taken' })
      await other.end()
    }
    expect(readdirSync(join(folder, 'jobs'))).toEqual(['long'])
    process.kill(Number(readFileSync(join(job, 'pid'), 'utf8')), 'SIGKILL')
    await long.until('end')
    const heard = long.frames.flatMap(({ frame }) => (frame.type === 'jobs' ? [frame.jobs] : []))
    expect(heard).toEqual([[], [{ id: 'short', owner: stranger, running: true, ageSeconds: expect.any(Number) }]])
    long.say({ type: 'taken' })
    await long.end()
    expect(readdirSync(join(folder, 'jobs'))).toEqual([])
  })

  it('says of another start of the system, and forgets what never began', async () => {
    const job = join(folder, 'jobs', 'rebooted')
    mkdirSync(job, { recursive: true })
    for (const [name, content] of [
      ['request', selfTest],
      ['boot', 'another'],
      ['messages', ''],
      ['stderr', ''],
      ['exit', '\n\n\n\n'],
      ['pid', '99999999\n'],
    ] as const) {
      writeFileSync(join(job, name), content)
    }
    const unfinished = join(folder, 'jobs', 'abc.123')
    mkdirSync(unfinished)
    utimesSync(unfinished, 0, 0)
    const host = new Host(job)
    host.say({ type: 'attach', out: 0, err: 0 })
    expect(await host.until('end')).toEqual({ type: 'end', exitCode: null, signal: null })
    expect(await host.until('note')).toEqual({ type: 'note', text: 'The device was started again while it measured' })
    host.say({ type: 'taken' })
    await host.end()
    const next = new Host(join(folder, 'jobs', 'next'))
    next.say({ type: 'start', request: selfTest, owner })
    await next.until('end')
    next.say({ type: 'taken' })
    await next.end()
    expect(readdirSync(join(folder, 'jobs'))).toEqual([])
  })

  it('leaves a link alone that says nonsense', async () => {
    const host = new Host(join(folder, 'jobs', 'nonsense'))
    await host.until('jobs')
    host.say('{"type":"start"}')
    await host.end()
    expect(host.child.exitCode).toBe(0)
    expect(readdirSync(join(folder, 'jobs'))).toEqual([])
  })

  it('ends when its messages cannot be written', async () => {
    const job = join(folder, 'full')
    mkdirSync(job)
    writeFileSync(join(job, 'request'), selfTest)
    const worker = spawn(process.execPath, ['--no-warnings', entry, 'work', job], {
      stdio: ['ignore', openSync('/dev/full', 'w'), 'inherit'],
    })
    expect(await once(worker, 'exit')).toEqual([UNWRITABLE_EXIT_CODE, null])
  })

  it('ends by itself when nobody followed it for long, whatever the clocks say', async () => {
    const attached = join(folder, 'attached')
    writeFileSync(attached, '')
    const program = `import { Worker } from 'node:worker_threads'
      import { endUnattended } from ${JSON.stringify(join(import.meta.dirname, '../../src/agent/unattended.ts'))}
      new Worker('(' + endUnattended + ')(' + ${JSON.stringify(JSON.stringify(attached))} + ', 1500, 50)', { eval: true })
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)`
    const worker = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], { stdio: 'inherit' })
    let ended = false
    const end = once(worker, 'exit').then((outcome) => {
      ended = true
      return outcome
    })
    for (let touches = 1; touches <= 10; touches++) {
      await new Promise((resolve) => setTimeout(resolve, 300))
      // Into the past, and into the future.
      utimesSync(attached, touches % 2 === 0 ? touches : 4_000_000_000 + touches, touches % 2 === 0 ? touches : 4_000_000_000 + touches)
    }
    expect(ended).toBe(false)
    expect(await end).toEqual([null, 'SIGKILL'])
  })
})
