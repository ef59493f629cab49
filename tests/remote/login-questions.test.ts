import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { questionSchema } from '../../src/contract/question.ts'
import type { SshCredentials } from '../../src/remote/ssh-auth.ts'
import { connectSsh, type SshConnectionOptions } from '../../src/remote/ssh-connect.ts'
import { startLoginServer } from '../devices/login-server.ts'
import { type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { personWho } from './answers.ts'
import { allow, type Changes, login, options, phrase } from './login-harness.ts'

const putty = join(import.meta.dirname, 'fixtures', 'putty')
let device: SshDevice
let folder: string
beforeAll(async () => {
  device = await startSshDevice()
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-questions-'))
})
afterAll(async () => {
  await device.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A key that a passphrase protects, of every kind that is read. */
function lockedKey(kind: string): string {
  const path = join(folder, kind)
  if (existsSync(path)) return path
  const generate = (...args: string[]) => execFileSync('ssh-keygen', ['-q', '-N', phrase, '-f', path, ...args])
  // The usual 16 rounds for one of them only: they take a second each here.
  if (kind === 'ed25519') generate('-t', kind)
  else if (kind === 'ecdsa' || kind === 'rsa') generate('-t', kind, '-a', '1')
  else if (kind === 'rsa.pem') generate('-t', 'rsa', '-b', '2048', '-m', 'PEM')
  else if (kind === 'ecdsa.pkcs8') generate('-t', 'ecdsa', '-m', 'PKCS8')
  else if (kind === 'rsa.pkcs8') generate('-t', 'rsa', '-b', '2048', '-m', 'PKCS8')
  else if (kind === 'ed25519.cbc') generate('-t', 'ed25519', '-Z', 'aes256-cbc', '-a', '1')
  else for (const name of [kind, `${kind}.pub`]) copyFileSync(join(putty, name), join(folder, name))
  return path
}
const kinds = ['ed25519', 'ecdsa', 'rsa', 'rsa.pem', 'rsa.pkcs8', 'ecdsa.pkcs8', 'ed25519.cbc', 'rsa-v2.ppk']

describe('a key with a passphrase', () => {
  it.each(kinds)('%s: given, or asked for when it was wrong', async (kind) => {
    const keyPath = lockedKey(kind)
    allow(device, `${keyPath}.pub`)
    expect(await login(device, [{ method: 'key', keyPath, passphrase: phrase }])).toBe('in')
    const person = personWho(['also wrong'], [phrase])
    expect(await login(device, [{ method: 'key', keyPath, passphrase: 'wrong' }], { ask: person.ask })).toBe('in')
    expect(person.asked.map(({ secretKey, again }) => [secretKey, again])).toEqual([
      [`key-passphrase:${keyPath}`, true],
      [`key-passphrase:${keyPath}`, true],
    ])
  })

  it('is asked for with a hidden prompt whose answer may be kept', async () => {
    const keyPath = lockedKey('ecdsa')
    const person = personWho([phrase])
    expect(await login(device, [{ method: 'key', keyPath }], { ask: person.ask })).toBe('in')
    const [asked] = person.asked
    expect(asked).toMatchObject({
      secretKey: `key-passphrase:${keyPath}`,
      again: false,
      question: { asker: keyPath, canRemember: true, prompts: [{ hidden: true }] },
    })
    expect(questionSchema.omit({ id: true }).parse(asked?.question)).toEqual(asked?.question)
  })

  it('is not asked for when the server would not take the key', async () => {
    const keyPath = join(folder, 'stranger')
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-a', '1', '-N', phrase, '-f', keyPath])
    const person = personWho([phrase])
    await expect(login(device, [{ method: 'key', keyPath }], { ask: person.ask })).rejects.toMatchObject({ code: 'DEVICE_AUTH_FAILED' })
    expect(person.asked).toEqual([])
  })

  it('that is always wrong, or that nobody gives, or cannot be asked for', async () => {
    const keyPath = lockedKey('ecdsa')
    const key: SshCredentials = { method: 'key', keyPath }
    const wrong = personWho(['a'], ['b'], ['c'], [phrase])
    await expect(login(device, [key], { ask: wrong.ask })).rejects.toMatchObject({ code: 'KEY_UNREADABLE', details: { path: keyPath } })
    expect(wrong.asked).toHaveLength(3)
    await expect(login(device, [key], { ask: personWho(null).ask })).rejects.toMatchObject({
      code: 'QUESTION_UNANSWERED',
      message: expect.stringContaining(`The key ${keyPath}`),
      hint: expect.stringContaining('--passphrase-env'),
    })
    // The one given is what is wrong, not that nobody gave another.
    await expect(login(device, [{ ...key, passphrase: 'wrong' }], { ask: personWho(null).ask })).rejects.toThrow(
      'another passphrase than the one given',
    )
    await expect(login(device, [key])).rejects.toMatchObject({ code: 'KEY_UNREADABLE', hint: expect.stringContaining('ssh-add') })
    await expect(login(device, [{ ...key, passphrase: 'wrong' }])).rejects.toThrow('another passphrase than the one given')
  })

  it('of a PuTTY format that is not read says how to convert it', async () => {
    for (const name of ['rsa-v3.ppk', 'ed25519-v2.ppk']) {
      await expect(login(device, [{ method: 'key', keyPath: join(putty, name) }])).rejects.toMatchObject({
        code: 'KEY_UNREADABLE',
        hint: expect.stringContaining('-O private-openssh'),
      })
    }
  })

  it('that cannot be used is passed over when it is only one of several, and named when nothing helps', async () => {
    const locked: SshCredentials = { method: 'key', keyPath: lockedKey('ecdsa'), optional: true }
    const missing: SshCredentials = { method: 'key', keyPath: join(folder, 'missing'), optional: true }
    expect(await login(device, [locked, missing, { method: 'key', keyPath: device.keyPath }])).toBe('in')
    expect(await login(device, [locked, { method: 'key', keyPath: device.keyPath }], { ask: personWho(null).ask })).toBe('in')
    const failure = login(device, [locked, missing])
    await expect(failure).rejects.toMatchObject({ code: 'DEVICE_AUTH_FAILED' })
    await expect(failure).rejects.toThrow(/protected by a passphrase.*does not exist/)
  })
})

describe('questions of a server', () => {
  it('reach the person in order, cleaned of control characters, round after round', async () => {
    const rounds: string[][] = []
    const server = await startLoginServer(join(device.folder, 'host_ed25519'), (attempt) => {
      if (attempt.method !== 'keyboard-interactive') return ['keyboard-interactive']
      attempt.prompt(
        [
          { prompt: 'Name:\u001b[31m ', echo: true },
          { prompt: 'Code: ', echo: false },
        ],
        'Two \u0007steps',
        'Look at\nyour phone',
        (answers) => {
          rounds.push(answers)
          attempt.prompt([{ prompt: 'Another: ', echo: false }], (more) => {
            rounds.push(more)
            if (more[0] === 'yes') attempt.accept()
            else attempt.reject(['keyboard-interactive'])
          })
        },
      )
      return false
    })
    try {
      const person = personWho(['me', '123 456'], ['no'], ['me', '999'], ['yes'])
      const connection = await connectSsh(options(device, [{ method: 'interactive' }], { port: server.port, ask: person.ask }))
      connection.close()
      expect(rounds).toEqual([['me', '123 456'], ['no'], ['me', '999'], ['yes']])
      expect(person.asked[0]).toEqual({
        secretKey: null,
        again: false,
        question: {
          asker: `${device.user}@127.0.0.1:${server.port}`,
          title: 'Two steps',
          instructions: 'Look at\nyour phone',
          prompts: [
            { text: 'Name:', hidden: false },
            { text: 'Code:', hidden: true },
          ],
          canRemember: false,
        },
      })
      expect(person.asked.map(({ again }) => again)).toEqual([false, false, true, false])
      for (const { question } of person.asked) expect(questionSchema.omit({ id: true }).parse(question)).toEqual(question)
    } finally {
      await server.stop()
    }
  })

  it('that never end, or are too many at once, end the attempt', async () => {
    for (const [count, wanted] of [
      [1, 20],
      [11, 0],
    ] as const) {
      const server = await startLoginServer(join(device.folder, 'host_ed25519'), (attempt) => {
        if (attempt.method !== 'keyboard-interactive') return ['keyboard-interactive']
        const ask = () => attempt.prompt(new Array(count).fill({ prompt: 'More? ', echo: true }), ask)
        ask()
        return false
      })
      try {
        const person = personWho(...new Array(100).fill(['no']))
        const attempt = connectSsh(options(device, [{ method: 'interactive' }], { port: server.port, ask: person.ask }))
        await expect(attempt).rejects.toMatchObject({ code: 'DEVICE_AUTH_FAILED' })
        expect(person.asked).toHaveLength(wanted)
      } finally {
        await server.stop()
      }
    }
  })

  it('nobody answers', async () => {
    const server = await startLoginServer(join(device.folder, 'host_ed25519'), (attempt) => {
      if (attempt.method !== 'keyboard-interactive') return ['keyboard-interactive']
      attempt.prompt([{ prompt: 'Code: ', echo: false }], () => attempt.reject())
      return false
    })
    try {
      const to = (changes: Changes) => connectSsh(options(device, [{ method: 'interactive' }], { port: server.port, ...changes }))
      await expect(to({ ask: personWho(null).ask })).rejects.toMatchObject({ code: 'QUESTION_UNANSWERED' })
      await expect(to({})).rejects.toMatchObject({ code: 'QUESTION_UNANSWERED' })
    } finally {
      await server.stop()
    }
  })

  it('may take longer than a server may be silent, end with the connection, and with the job', async () => {
    const server = await startLoginServer(join(device.folder, 'host_ed25519'), (attempt) => {
      if (attempt.method !== 'keyboard-interactive') return ['keyboard-interactive']
      attempt.prompt([{ prompt: 'Code: ', echo: false }], ([answer]) => (answer === 'yes' ? attempt.accept() : attempt.reject()))
      return false
    })
    try {
      const to = (changes: Changes) =>
        connectSsh(options(device, [{ method: 'interactive' }], { port: server.port, connectTimeoutMs: 400, ...changes }))
      const connection = await to({ ask: async () => delay(1200, ['yes']) })
      connection.close()
      let ended = 0
      const forever: SshConnectionOptions['ask'] = (_question, _key, signal) =>
        new Promise((resolve) =>
          signal?.addEventListener('abort', () => {
            ended++
            resolve(null)
          }),
        )
      const cut = to({ ask: forever })
      setTimeout(() => void server.hangUp(), 500)
      await expect(cut).rejects.toMatchObject({ code: 'DEVICE_AUTH_FAILED' })
      const job = new AbortController()
      const cancelled = to({ ask: forever, signal: job.signal })
      setTimeout(() => job.abort(), 300)
      await expect(cancelled).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
      expect(ended).toBe(2)
    } finally {
      await server.stop()
    }
  })
})
