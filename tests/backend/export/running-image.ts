import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { clearRoot, performDockerfile, type RootOptions, readDockerfile, rootScript, type Stage, saidBy } from './dockerfile-steps.ts'

/** An image that runs as a container would: its own root, read-only, as its user. */
export interface RunningImage {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  ask(path: string, body?: object, token?: string): Promise<{ readonly status: number; readonly body: any }>
  /** Exit code of the image's health check. */
  healthCheck(): number | null
  log(): string
  /** Sends the stop signal; answers the exit code. */
  stop(): Promise<number | null>
  close(): Promise<void>
}

/** Builds an exported image for x64 and starts it with a token file and a port of its own, as the composition does. */
export async function startImage(context: string, under: string): Promise<RunningImage> {
  const text = readFileSync(join(context, 'Dockerfile'), 'utf8')
  mkdirSync(under)
  const root = performDockerfile(text, context, 'amd64', under)
  const image = readDockerfile(text).at(-1) as Stage
  const port = await freePort()
  const settings = { ...JSON.parse(readFileSync(join(context, 'service/service.json'), 'utf8')), host: '127.0.0.1', port }
  writeFileSync(join(under, 'service.json'), JSON.stringify(settings))
  const token = randomBytes(24).toString('hex')
  // Docker makes the mount points of secrets.
  mkdirSync(join(root, 'run/secrets'), { recursive: true })
  for (const path of [join(under, 'token'), join(root, 'run/secrets/token')]) writeFileSync(path, token, { mode: 0o444 })
  const options: RootOptions = {
    folder: saidBy(image, 'WORKDIR'),
    env: { ...environmentOf(image), EDGESMITH_TOKEN_FILE: '/run/secrets/token' },
    user: saidBy(image, 'USER'),
    readOnly: true,
    mounts: { '/service/service.json': join(under, 'service.json') },
  }
  const script = rootScript(root, options)
  const command = [...(JSON.parse(saidBy(image, 'ENTRYPOINT')) as string[]), ...(JSON.parse(saidBy(image, 'CMD')) as string[])]
  const child = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      log += chunk.toString('utf8')
    })
  }
  const ask: RunningImage['ask'] = async (path, body, given = token) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${given}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const answer = await response.text()
    return { status: response.status, body: response.headers.get('content-type')?.includes('json') ? JSON.parse(answer) : answer }
  }
  const check = /CMD (\[.*\])$/.exec(saidBy(image, 'HEALTHCHECK'))?.[1] ?? '[]'
  const running: RunningImage = {
    ask,
    healthCheck: () =>
      spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', ...(JSON.parse(check) as string[])], { stdio: 'inherit' }).status,
    log: () => log,
    stop: () => stopped(child, saidBy(image, 'STOPSIGNAL') as NodeJS.Signals),
    async close() {
      await stopped(child, 'SIGKILL')
      clearRoot(root)
    },
  }
  try {
    await ready(child, ask, () => log)
    return running
  } catch (error) {
    await running.close()
    throw error
  }
}

/** `NAME=value` words of the last ENV. */
function environmentOf(image: Stage): Record<string, string> {
  const words = saidBy(image, 'ENV').split(/\s+/)
  return Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]))
}

async function ready(child: ChildProcess, ask: RunningImage['ask'], log: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the image ended: ${log()}`)
    const status = await ask('/ready').then(
      (answer) => answer.status,
      () => 0,
    )
    if (status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function stopped(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal)
    await once(child, 'close')
  }
  return child.exitCode
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
