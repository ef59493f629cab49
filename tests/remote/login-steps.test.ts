import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect as connectTo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SshCredentials } from '../../src/remote/ssh-auth.ts'
import { makeKey, type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { personWho } from './answers.ts'
import { eventually } from './device-harness.ts'
import { allow, login, phrase } from './login-harness.ts'

let device: SshDevice
let folder: string
beforeAll(async () => {
  device = await startSshDevice()
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-steps-'))
})
afterAll(async () => {
  await device.stop()
  rmSync(folder, { recursive: true, force: true })
})

// Not as root an OpenSSH server cannot check passwords.
describe.runIf(process.getuid?.() === 0)('a real server that wants more than a key', () => {
  const passwordOf = (to: SshDevice) => to.password ?? expect.fail('no password')

  it('a password asked for, again when it was wrong', async () => {
    const person = personWho(['wrong'], [passwordOf(device)])
    expect(await login(device, [{ method: 'interactive' }], { ask: person.ask })).toBe('in')
    const place = `${device.user}@127.0.0.1:${device.port}`
    expect(person.asked.map(({ secretKey, again }) => [secretKey, again])).toEqual([
      [`password:${place}`, false],
      [`password:${place}`, true],
    ])
  })

  it.each([
    ['publickey,password', ['key', 'password']],
    ['password,publickey', ['key', 'password']],
    ['publickey,password', ['agent', 'ask']],
    ['publickey,password', ['locked', 'second']],
    ['publickey,publickey', ['key', 'other']],
    ['publickey,publickey,password', ['agent', 'ask']],
  ] as const)('AuthenticationMethods %s with %j', async (methods, ways) => {
    const strict = await startSshDevice({ config: [`AuthenticationMethods ${methods}`] })
    const socketPath = join(strict.folder, 'agent.sock')
    const agent = spawn('ssh-agent', ['-D', '-a', socketPath], { stdio: 'ignore' })
    try {
      await eventually('the agent listens', () => statSync(socketPath, { throwIfNoEntry: false }) !== undefined)
      const other = makeKey(join(strict.folder, 'other'), 'ecdsa')
      allow(strict, `${other}.pub`)
      const locked = join(strict.folder, 'locked')
      execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-a', '1', '-N', phrase, '-f', locked])
      allow(strict, `${locked}.pub`)
      const stranger = makeKey(join(strict.folder, 'stranger'), 'ecdsa')
      for (const path of [stranger, strict.keyPath, other]) {
        execFileSync('ssh-add', ['-q', path], { env: { ...process.env, SSH_AUTH_SOCK: socketPath }, stdio: 'pipe' })
      }
      const password = passwordOf(strict)
      const all: Record<(typeof ways)[number], SshCredentials> = {
        key: { method: 'key', keyPath: strict.keyPath },
        other: { method: 'key', keyPath: other },
        locked: { method: 'key', keyPath: locked, passphrase: 'wrong' },
        password: { method: 'password', password },
        agent: { method: 'agent', socketPath },
        ask: { method: 'interactive' },
        second: { method: 'interactive', secondStepOnly: true },
      }
      const person = personWho(...(ways[0] === 'locked' ? [[phrase]] : []), [password])
      const logins = ways.map((way) => all[way])
      expect(await login(strict, logins, { ask: person.ask })).toBe('in')
      const [firstOnly] = logins
      if (!methods.startsWith('password') && firstOnly) {
        const half = login(strict, [firstOnly, { method: 'interactive', secondStepOnly: true }], { ask: personWho([phrase], null).ask })
        await expect(half).rejects.toMatchObject({
          code: methods === 'publickey,publickey' ? 'DEVICE_AUTH_FAILED' : 'QUESTION_UNANSWERED',
        })
      }
    } finally {
      agent.kill()
      await strict.stop()
    }
  })

  it('PAM asks for the password, which is known or asked for', async () => {
    const pam = await startSshDevice({ config: ['UsePAM yes', 'KbdInteractiveAuthentication yes', 'PasswordAuthentication no'] })
    try {
      expect(await login(pam, [{ method: 'password', password: passwordOf(pam) }])).toBe('in')
      const person = personWho([passwordOf(pam)])
      expect(await login(pam, [{ method: 'interactive' }], { ask: person.ask })).toBe('in')
      expect(person.asked).toEqual([
        expect.objectContaining({
          secretKey: `password:${pam.user}@127.0.0.1:${pam.port}`,
          question: expect.objectContaining({ canRemember: true, prompts: [{ text: expect.stringContaining('assword'), hidden: true }] }),
        }),
      ])
    } finally {
      await pam.stop()
    }
  })
})

describe('an agent', () => {
  it('may wait for a person before it signs, longer than a server may be silent', async () => {
    const socketPath = join(folder, 'real.sock')
    const agent = spawn('ssh-agent', ['-D', '-a', socketPath], { stdio: 'ignore' })
    const slowPath = join(folder, 'slow.sock')
    const relay = createServer((near) => {
      const far = connectTo(socketPath)
      far.pipe(near)
      // The fifth byte of a request is its kind: 13 asks for a signature.
      near.on('data', (request) => setTimeout(() => far.write(request), request[4] === 13 ? 1500 : 0))
      for (const socket of [near, far]) socket.on('error', () => undefined).on('close', () => [near, far].map((one) => one.destroy()))
    })
    try {
      await eventually('the agent listens', () => statSync(socketPath, { throwIfNoEntry: false }) !== undefined)
      execFileSync('ssh-add', ['-q', device.keyPath], { env: { ...process.env, SSH_AUTH_SOCK: socketPath }, stdio: 'pipe' })
      await new Promise<void>((resolve) => relay.listen(slowPath, resolve))
      expect(await login(device, [{ method: 'agent', socketPath: slowPath }], { connectTimeoutMs: 1000 })).toBe('in')
    } finally {
      agent.kill()
      relay.close()
    }
  })

  it('with many keys offers those of the configuration first, or only those', async () => {
    const socketPath = join(folder, 'many.sock')
    const agent = spawn('ssh-agent', ['-D', '-a', socketPath], { stdio: 'ignore' })
    try {
      await eventually('the agent listens', () => statSync(socketPath, { throwIfNoEntry: false }) !== undefined)
      // A server hangs up after six keys.
      const keys = Array.from({ length: 8 }, (_, index) => makeKey(join(folder, `many-${index}`), 'ed25519'))
      for (const path of [...keys, device.keyPath]) {
        execFileSync('ssh-add', ['-q', path], { env: { ...process.env, SSH_AUTH_SOCK: socketPath }, stdio: 'pipe' })
      }
      await expect(login(device, [{ method: 'agent', socketPath }])).rejects.toMatchObject({ code: 'DEVICE_AUTH_FAILED' })
      expect(await login(device, [{ method: 'agent', socketPath, identityFiles: [device.keyPath] }])).toBe('in')
      expect(await login(device, [{ method: 'agent', socketPath, identityFiles: [`${device.keyPath}.pub`], identitiesOnly: true }])).toBe(
        'in',
      )
      const only = login(device, [{ method: 'agent', socketPath, identityFiles: [keys[0] ?? ''], identitiesOnly: true }])
      await expect(only).rejects.toMatchObject({ code: 'DEVICE_AUTH_FAILED', details: { tried: 'agent' } })
    } finally {
      agent.kill()
    }
  })
})
