import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keyFingerprint, keyTypeOf, knownKeyTypes, lookUpHostKey, matchesKnownHost, parseKnownHosts } from '../../src/remote/known-hosts.ts'
import { readKnownHosts, rememberHostKey } from '../../src/remote/known-hosts-file.ts'
import { fingerprintOf, makeKey } from '../devices/ssh-device.ts'

let folder: string
const keys = new Map<string, { blob: Buffer; text: string; fingerprint: string }>()
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-known-hosts-'))
  for (const name of ['ed25519', 'ecdsa', 'rsa', 'other']) {
    const path = makeKey(join(folder, name), name === 'other' ? 'ed25519' : name)
    const text = readFileSync(`${path}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')
    keys.set(name, { text, blob: Buffer.from(text.split(' ')[1] ?? '', 'base64'), fingerprint: fingerprintOf(`${path}.pub`) })
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const key = (name: string) => keys.get(name) ?? expect.fail(`no key ${name}`)
const stateOf = (text: string, host: string, port: number, name: string) =>
  lookUpHostKey(parseKnownHosts(text, 'f'), host, port, key(name).blob).state

describe('reading known_hosts', () => {
  it.each([
    ['pi', 22, 'pi', true],
    ['PI.local', 22, 'pi.local', true],
    ['pi', 22, 'other,pi,third', true],
    ['pi', 22, 'pie', false],
    ['pi', 2222, '[pi]:2222', true],
    ['pi', 2222, '[pi]:2223', false],
    ['10.0.0.7', 22, '10.0.0.*', true],
    ['10.0.0.7', 22, '10.0.0.?', true],
    ['10.0.0.77', 22, '10.0.0.?', false],
    ['10.0.0.7', 22, '10.0.0.*,!10.0.0.7', false],
    ['10.0.0.7', 22, '!10.0.0.7,*', false],
    ['fe80::1', 22, 'fe80::1', true],
    ['fe80::1', 2222, '[fe80::1]:2222', true],
    ['*', 22, '\\*', false],
  ])('knows %s port %i by "%s": %s', (host, port, hosts, known) => {
    expect(stateOf(`${hosts} ${key('ed25519').text}\n`, host, port, 'ed25519')).toBe(known ? 'known' : 'unknown')
  })

  it('tells known, changed, unknown and revoked apart', () => {
    const text = `# mine\n\npi ${key('ed25519').text} me@laptop\n@revoked * ${key('other').text}\n@cert-authority * ${key('rsa').text}\n`
    expect(stateOf(text, 'pi', 22, 'ed25519')).toBe('known')
    expect(stateOf(text, 'pi', 22, 'ecdsa')).toBe('changed')
    expect(stateOf(text, 'pi', 22, 'rsa')).toBe('changed')
    expect(stateOf(text, 'pi', 22, 'other')).toBe('revoked')
    expect(stateOf(text, 'nano', 22, 'rsa')).toBe('unknown')
    expect(stateOf('', 'pi', 22, 'rsa')).toBe('unknown')
  })

  it('takes a line without port as knowledge about another port, but not as a contradiction', () => {
    const text = `pi ${key('ed25519').text}\n`
    expect(stateOf(text, 'pi', 2222, 'ed25519')).toBe('known')
    expect(stateOf(text, 'pi', 2222, 'ecdsa')).toBe('unknown')
  })

  it('names the types on file', () => {
    const entries = parseKnownHosts(`pi ${key('rsa').text}\npi ${key('ecdsa').text}\n@revoked pi ${key('ed25519').text}\n`, 'f')
    expect(knownKeyTypes(entries, 'pi', 22)).toEqual(['ssh-rsa', 'ecdsa-sha2-nistp256'])
  })

  it('reads what ssh-keygen hashed, and agrees with it about every name', () => {
    const path = join(folder, 'hashed')
    writeFileSync(path, `pi,10.0.0.7 ${key('ed25519').text}\n[pi]:2222 ${key('rsa').text}\n`)
    execFileSync('ssh-keygen', ['-q', '-H', '-f', path], { stdio: 'pipe' })
    const text = readFileSync(path, 'utf8')
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => line.slice(0, 3)),
    ).toEqual(['|1|', '|1|', '|1|'])
    for (const [name, host, port, type] of [
      ['pi', 'pi', 22, 'ed25519'],
      ['10.0.0.7', '10.0.0.7', 22, 'ed25519'],
      ['[pi]:2222', 'pi', 2222, 'rsa'],
    ] as const) {
      expect(execFileSync('ssh-keygen', ['-F', name, '-f', path], { encoding: 'utf8' })).toContain('found')
      expect(stateOf(text, host, port, type)).toBe('known')
    }
    expect(stateOf(text, 'pi.local', 22, 'ed25519')).toBe('unknown')
  })

  it('prints fingerprints and types as ssh-keygen does', () => {
    for (const { blob, text, fingerprint } of keys.values()) {
      expect(keyFingerprint(blob)).toBe(fingerprint)
      expect(keyTypeOf(blob)).toBe(text.split(' ')[0])
    }
    expect(keyTypeOf(Buffer.alloc(3))).toBe('')
    expect(keyTypeOf(Buffer.from([0xff, 0xff, 0xff, 0xff]))).toBe('')
  })

  it('is not thrown by any text, nor slow with patterns made to be', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void parseKnownHosts(text, 'f')))
    fc.assert(fc.property(fc.string(), fc.string(), (hosts, name) => void matchesKnownHost(hosts, name)))
    expect(matchesKnownHost(`${'*a'.repeat(4000)}b`, 'a'.repeat(255))).toBe(false)
  })
})

describe('writing known_hosts', () => {
  it('keeps the lines of others and replaces the one of the host', async () => {
    const path = join(folder, 'new', 'known_hosts')
    await rememberHostKey(path, 'Pi', 22, key('ed25519').blob)
    await rememberHostKey(path, 'nano', 2222, key('rsa').blob)
    writeFileSync(path, `${readFileSync(path, 'utf8')}# by hand\npi,nano ${key('ecdsa').text}\n@revoked pi ${key('rsa').text}`)
    await rememberHostKey(path, 'pi', 22, key('other').blob)
    expect(readFileSync(path, 'utf8').split('\n')).toEqual([
      `[nano]:2222 ${key('rsa').text}`,
      '# by hand',
      `pi,nano ${key('ecdsa').text}`,
      `@revoked pi ${key('rsa').text}`,
      `pi ${key('other').text}`,
      '',
    ])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(folder, 'new'))).toEqual(['known_hosts'])
    const found = execFileSync('ssh-keygen', ['-lF', '[nano]:2222', '-f', path], { encoding: 'utf8' })
    expect(found).toContain(key('rsa').fingerprint)
  })

  it('replaces a line that ssh-keygen hashed', async () => {
    const path = join(folder, 'rehash')
    await rememberHostKey(path, 'pi', 22, key('ed25519').blob)
    execFileSync('ssh-keygen', ['-q', '-H', '-f', path], { stdio: 'pipe' })
    await rememberHostKey(path, 'pi', 22, key('other').blob)
    expect(readFileSync(path, 'utf8')).toBe(`pi ${key('other').text}\n`)
  })

  it('loses nothing when many write at once', async () => {
    const path = join(folder, 'busy')
    await Promise.all(Array.from({ length: 12 }, (_, index) => rememberHostKey(path, `host-${index}`, 22, key('ed25519').blob)))
    expect((await readKnownHosts([path, join(folder, 'missing')])).map(({ hosts }) => hosts).sort()).toEqual(
      Array.from({ length: 12 }, (_, index) => `host-${index}`).sort(),
    )
  })
})
