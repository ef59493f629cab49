import { chmodSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EdgesmithError } from '../../src/contract/errors.ts'
import { parseJumps } from '../../src/remote/ssh-jump.ts'

import { folder, resolve, write } from './ssh-config-harness.ts'

describe('a configuration that cannot be used says where and why', () => {
  const refused: readonly (readonly [text: string, message: string, included?: Readonly<Record<string, string>>])[] = [
    ['Port many', 'config:1 has "many" where a port'],
    ['Host pi\n  Port 70000', 'config:2 has "70000" where a port'],
    ['HashKnownHosts perhaps', 'where yes or no'],
    ['ConnectTimeout soon', 'where a time'],
    [`ConnectTimeout ${'1'.repeat(30)}!`, 'where a time'],
    ['User', 'has no value for user'],
    ['User ""', 'has no value for user'],
    ['User "bob', 'a quote that is not closed'],
    ['User bob alice', 'more than one value for user'],
    ['ProxyJump', 'has no value for proxyjump'],
    ['Host', 'a Host without a pattern'],
    ['Match', 'a Match without a criterion'],
    ['Match host', 'a Match host without a value'],
    ['Match all host x', 'a Match all beside'],
    ['Include', 'an Include without a path'],
    ['Include INC/config', 'a circle'],
    ['Include INC/a', 'a circle', { a: 'Include INC/b', b: 'Include INC/a' }],
    [`User ${'x'.repeat(20_000)}`, 'is longer than'],
    [`${'User x\n'.repeat(120_000)}`, 'limit of 100000 lines'],
    ['#'.repeat(2_000_000), 'is larger than'],
    ['HostName a%zb', 'the token %z'],
    ['Include INC/a INC/a INC/a\n'.repeat(200), 'limit of 500', { a: 'Port 1' }],
  ]
  it.each(refused.map(([text, message, included = {}]) => ({ text, message, included })))(
    '$message',
    async ({ text, message, included }) => {
      const attempt = resolve(write(text, included), 'pi')
      await expect(attempt).rejects.toThrow(message)
      await expect(attempt).rejects.toMatchObject({ code: 'SSH_CONFIG_INVALID', hint: expect.any(String) })
    },
  )

  it('unless the line does not apply, or its keyword is not known', async () => {
    const path = write('Host other\n  Port many\n  ProxyCommand x\nHost *\n  Frobnicate yes\n  RemoteForward\n  User bob\n')
    expect(await resolve(path, 'pi')).toMatchObject({ user: 'bob', port: null, proxyCommand: null })
  })

  it('includes deeper than OpenSSH follows them', async () => {
    const chain = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`f${index}`, `Include INC/f${index + 1}\n`]))
    await expect(resolve(write('Include INC/f0', chain), 'pi')).rejects.toThrow('more than 16 deep')
    // The same through links, where no path occurs twice.
    const linked = write('')
    symlinkSync('.', join(dirname(linked), 'loop'))
    writeFileSync(linked, 'Include INC/loop/config'.replace('INC', dirname(linked)), { mode: 0o600 })
    await expect(resolve(linked, 'pi')).rejects.toThrow('a circle')
  })

  it('a file that others may write', async () => {
    const path = write('User bob\n')
    chmodSync(path, 0o666)
    await expect(resolve(path, 'pi')).rejects.toThrow('may be written by others')
    await expect(resolve(folder, 'pi')).rejects.toThrow('is not a file')
  })
})

describe('jump hosts', () => {
  it.each([
    ['gate', [{ user: null, host: 'gate', port: null }]],
    ['me@gate:2200', [{ user: 'me', host: 'gate', port: 2200 }]],
    [
      'a, b@[fe80::1]:22,fe80::2',
      [
        { user: null, host: 'a', port: null },
        { user: 'b', host: 'fe80::1', port: 22 },
        { user: null, host: 'fe80::2', port: null },
      ],
    ],
    ['ssh://me@gate:2200/', [{ user: 'me', host: 'gate', port: 2200 }]],
    ['me@realm@gate', [{ user: 'me@realm', host: 'gate', port: null }]],
  ])('%s', (text, wanted) => expect(parseJumps(text)).toEqual(wanted))

  it.each(['', 'a,,b', '@gate', 'gate:', 'gate:0', 'gate:99999', 'a b', '[::1', 'a,b,c,d,e,f,g,h,i'])('refuses "%s"', (text) => {
    expect(() => parseJumps(text)).toThrow(expect.objectContaining({ code: 'SSH_CONFIG_INVALID' }))
  })
})

describe('any text', () => {
  const pieces = [
    ...['Host', 'Match', 'HostName', 'Port', 'User', 'IdentityFile', 'ProxyJump', 'ConnectTimeout', 'UserKnownHostsFile', 'host'],
    ...[
      'all',
      'final',
      'exec',
      'pi',
      '*',
      '!',
      '?',
      '"',
      "'",
      '=',
      '#',
      '\\',
      ',',
      '%h',
      '%',
      '~',
      '\n',
      '\n',
      ' ',
      ' ',
      '\t',
      '22',
      '1m',
      'none',
    ],
  ]
  const line = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join('')),
  )
  it('is read or refused with a reason', async () => {
    const path = write('')
    await fc.assert(
      fc.asyncProperty(line, fc.constantFrom('pi', 'a.b', '::1'), async (text, alias) => {
        writeFileSync(path, text.replace(/include/gi, ''))
        try {
          const settings = await resolve(path, alias)
          if (settings.proxyJump) parseJumps(settings.proxyJump)
        } catch (error) {
          expect(error).toBeInstanceOf(EdgesmithError)
        }
      }),
      { numRuns: 300 },
    )
  })
})
