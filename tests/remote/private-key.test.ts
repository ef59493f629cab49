import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EdgesmithError } from '../../src/contract/errors.ts'
import { readKeyFile, readPublicKey, unlockKeyFile } from '../../src/remote/private-key.ts'

const phrase = 'open sesame'
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-keys-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function makeKey(name: string, ...args: string[]): string {
  const path = join(folder, name)
  execFileSync('ssh-keygen', ['-q', '-N', phrase, '-C', 'test', '-f', path, ...args])
  return path
}

describe('a protected key file', () => {
  it('shows its public half without the passphrase, or has it in a file beside it', async () => {
    for (const args of [
      ['-t', 'ed25519', '-a', '1'],
      ['-t', 'ecdsa', '-m', 'PEM'],
    ]) {
      const path = makeKey(args.join(''), ...args)
      const wanted = (await readPublicKey(`${path}.pub`))?.getPublicSSH()
      const file = await readKeyFile(path)
      expect(file.key).toBeNull()
      expect(file.publicKey?.getPublicSSH()).toEqual(wanted)
      expect(unlockKeyFile(file, phrase)?.getPublicSSH()).toEqual(wanted)
      expect(unlockKeyFile(file, 'wrong')).toBeNull()
      expect(unlockKeyFile(file, '')).toBeNull()
      rmSync(`${path}.pub`)
      expect((await readKeyFile(path)).publicKey === null).toBe(args.includes('PEM'))
    }
  })

  it('that would take minutes to unlock is left to the agent', async () => {
    const path = makeKey('careful', '-t', 'ed25519', '-a', '201')
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'KEY_UNREADABLE', message: expect.stringContaining('201 rounds') })
  })

  it('damaged in any way is read or refused, never more', async () => {
    const whole = readFileSync(makeKey('whole', '-t', 'ed25519', '-a', '1'), 'utf8')
    const body = Buffer.from(whole.replace(/-----.*-----/g, ''), 'base64')
    const path = join(folder, 'damaged')
    const change = fc.record({ at: fc.nat(body.length - 1), byte: fc.nat(255), cut: fc.nat(body.length) })
    await fc.assert(
      fc.asyncProperty(change, fc.boolean(), async ({ at, byte, cut }, cuts) => {
        const bytes = Buffer.from(body)
        bytes[at] = byte
        const text = (cuts ? bytes.subarray(0, cut) : bytes).toString('base64').replace(/(.{70})/g, '$1\n')
        writeFileSync(path, `-----BEGIN OPENSSH PRIVATE KEY-----\n${text}\n-----END OPENSSH PRIVATE KEY-----\n`)
        try {
          const file = await readKeyFile(path)
          // Unlocking takes time in proportion to the rounds, which are below the limit by now.
          if (at < 30) unlockKeyFile(file, phrase)
        } catch (error) {
          expect(error).toBeInstanceOf(EdgesmithError)
          expect(error).toMatchObject({ code: 'KEY_UNREADABLE' })
        }
      }),
      { numRuns: 200 },
    )
  })
})
