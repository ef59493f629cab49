import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shellQuote } from '../../src/core/shell-quote.ts'
import { runScript, startScript } from '../../src/remote/remote-script.ts'
import { connectSsh } from '../../src/remote/ssh-connect.ts'
import type { SshConnection } from '../../src/remote/ssh-connection.ts'
import { type HarnessedDevice, startHarnessedDevice } from './device-harness.ts'
import { recordingReporter } from './stand-in-agent.ts'

/** Words that end a quotation, start a substitution, or are taken apart by one shell or another. */
const nasty = [
  '',
  ' ',
  "it's",
  "'",
  "''",
  "'\\''",
  '"quoted"',
  '$HOME',
  '$(touch /tmp/pwned)',
  '`id`',
  '\\',
  '\\\\n',
  'a\nb\n\nc',
  'tab\there',
  '!history!!',
  '*?[a-z]',
  '~root',
  '-n',
  '--help',
  'a;b&c|d>e<f',
  '#comment',
  'ünïcödé ✓ 日本語',
  '\u0080\u0081\u0088\u009f',
  '%s%n',
  '{a,b}',
  '= ^ @ :',
  '\r\n',
  '\x07\x1b[31m',
]

const shells = ['/bin/sh', '/bin/bash', '/bin/dash', '/bin/busybox', '/bin/zsh', '/bin/ksh'].filter((path) => existsSync(path))

describe('quoting', () => {
  it.each(shells)('gives every value back: %s', (shell) => {
    const script = nasty.map((word) => `printf '%s\\000' ${shellQuote(word)}`).join('\n')
    const args = shell.endsWith('busybox') ? ['sh', '-c', script] : ['-c', script]
    const words = execFileSync(shell, args, {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'inherit'],
    }).split('\0')
    expect(words).toEqual([...nasty, ''])
  })

  it('gives any string back', () => {
    const word = fc.string({ unit: 'binary', maxLength: 60 }).filter((text) => !text.includes('\0') && text.isWellFormed())
    fc.assert(
      fc.property(fc.array(word, { minLength: 20, maxLength: 60 }), (words) => {
        const script = words.map((text) => `printf '%s\\000' ${shellQuote(text)}`).join('\n')
        expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0')).toEqual([...words, ''])
      }),
      { numRuns: 20 },
    )
  })

  it('refuses what no word can hold', () => {
    expect(() => shellQuote('a\0b')).toThrow('NUL')
  })
})

describe('scripts on a device', () => {
  let harnessed: HarnessedDevice
  let connection: SshConnection
  beforeAll(async () => {
    harnessed = await startHarnessedDevice({ config: ['MaxSessions 3'] })
    connection = await connectSsh(harnessed.options())
  })
  afterAll(async () => {
    connection.close()
    await harnessed.stop()
  })

  it('get values as they are, and standard input after the script', async () => {
    const script = nasty.map((word) => `printf '%s\\000' ${shellQuote(word)}`).join('\n')
    const { stdout, end } = await runScript(connection, `${script}\ncat\nexit 3`, { stdin: 'first\n\nlast' })
    expect(stdout.split('\0')).toEqual([...nasty, 'first\n\nlast'])
    expect(end).toEqual({ exitCode: 3, signal: null, connectionLost: false })
  })

  it('show no value in a command line that other users can see', async () => {
    const { stdout } = await runScript(connection, `secret=${shellQuote('s3cret')}\ncat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\000' ' '`)
    expect(stdout).toContain('IFS= read -r l')
    expect(stdout).not.toContain('s3cret')
  })

  it('are more than the server allows at once: they wait for each other', async () => {
    const results = await Promise.all(Array.from({ length: 12 }, (_, index) => runScript(connection, `sleep 0.05; echo ${index}`)))
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(Array.from({ length: 12 }, (_, index) => String(index)))
  })

  it('are ended when they take too long, say too much, or are cancelled', async () => {
    await expect(runScript(connection, 'sleep 30', { timeoutMs: 200 })).rejects.toMatchObject({ code: 'DEVICE_COMMAND_FAILED' })
    await expect(runScript(connection, 'while :; do echo yes; done', { maxOutputBytes: 100_000 })).rejects.toMatchObject({
      code: 'DEVICE_PROTOCOL',
    })
    const abort = new AbortController()
    const job = runScript(connection, 'sleep 30', { signal: abort.signal })
    setTimeout(() => abort.abort(), 100)
    await expect(job).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    await expect(runScript(connection, 'true', { signal: abort.signal })).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    expect((await runScript(connection, 'echo well')).stdout).toBe('well\n')
  })

  it('tell a signal from an exit code', async () => {
    expect((await runScript(connection, 'kill -9 $$')).end).toEqual({ exitCode: null, signal: 'SIGKILL', connectionLost: false })
  })

  it('leave what comes after them to the program they become', async () => {
    const script = await startScript(connection, 'exec cat')
    script.stdin.write('one\n')
    const first = await new Promise<Buffer>((resolve) => script.stdout.once('data', resolve))
    expect(first.toString()).toBe('one\n')
    script.stdin.end()
    script.stdout.resume()
    expect((await script.ended).exitCode).toBe(0)
  })

  it('are not sent when the connection was closed', async () => {
    const other = await connectSsh(harnessed.options())
    other.close()
    await other.onClose
    await expect(runScript(other, 'true')).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  })
})

describe('users with another kind of log-in', () => {
  it('whose profile prints and greets do not matter', async () => {
    const { device, open, stop } = await startHarnessedDevice({ config: ['SetEnv BASH_ENV=/dev/null'] })
    try {
      writeFileSync(`${device.home}/.bashrc`, 'echo Welcome; echo probe=9; printf "no newline"; echo oops >&2\n')
      const session = await open()
      expect(await session.probe()).toMatchObject({ fits: true })
      expect(await session.runAgent({ command: 'self-test' }, recordingReporter())).toMatchObject({ edgesmithVersion: '0.0.1' })
      session.close()
    } finally {
      await stop()
    }
  })

  it('that runs no shell is told', async () => {
    for (const command of ['echo This account is not available; exit 1', 'exec /nonexistent/shell', 'internal-sftp']) {
      const { open, stop } = await startHarnessedDevice({ config: [`ForceCommand ${command}`] })
      try {
        await expect(open()).rejects.toMatchObject({ code: 'DEVICE_UNSUPPORTED' })
        if (command.startsWith('echo')) await expect(open()).rejects.toThrow('This account is not available')
      } finally {
        await stop()
      }
    }
  })
})
