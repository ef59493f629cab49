import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatSshAddress, parseSshAddress, suggestedName } from '../../src/renderer/pages/devices/ssh-address.ts'

const read = (text: string) => {
  const parsed = parseSshAddress(text)
  return parsed.ok ? parsed.address : parsed.problem
}

describe('parseSshAddress', () => {
  it.each([
    ['pi@raspberrypi.local', { user: 'pi', host: 'raspberrypi.local', port: 22 }],
    ['pi@192.168.1.20:2222', { user: 'pi', host: '192.168.1.20', port: 2222 }],
    ['  ssh pi@board ', { user: 'pi', host: 'board', port: 22 }],
    ['ssh://pi@board:2200', { user: 'pi', host: 'board', port: 2200 }],
    ['root@[fe80::1%eth0]:2022', { user: 'root', host: 'fe80::1%eth0', port: 2022 }],
    ['root@[::1]', { user: 'root', host: '::1', port: 22 }],
    ['root@fe80::1', { user: 'root', host: 'fe80::1', port: 22 }],
    ['ada@corp.example@host', { user: 'ada@corp.example', host: 'host', port: 22 }],
  ])('reads %s', (text, address) => expect(read(text)).toEqual(address))

  it.each([
    ['', /user@host/],
    ['board', /user is missing/],
    ['@board', /before @ is missing/],
    ['pi@', /host after @ is missing/],
    ['pi@:22', /host after @ is missing/],
    ['pi@-oProxyCommand=x', /not a host name/],
    ['-l@board', /not a user name/],
    ['pi@bo ard', /not a host name/],
    ['pi@board:', /port is a number/],
    ['pi@board:0', /port is a number/],
    ['pi@board:65536', /port is a number/],
    ['pi@board:22x', /port is a number/],
    ['pi@[::1', /not a host name/],
  ])('says what is wrong with “%s”', (text, problem) => expect(read(text)).toMatch(problem))

  it('reads what formatSshAddress writes', () => {
    const address = fc.record({
      user: fc.stringMatching(/^[a-z_][a-z0-9_.-]{0,10}$/),
      host: fc.oneof(fc.stringMatching(/^[a-z][a-z0-9.-]{0,15}$/), fc.ipV4(), fc.ipV6()),
      port: fc.integer({ min: 1, max: 65535 }),
    })
    fc.assert(
      fc.property(address, (written) => {
        expect(parseSshAddress(formatSshAddress(written))).toEqual({ ok: true, address: written })
      }),
    )
  })

  it('answers for any text', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof parseSshAddress(text).ok === 'boolean'))
  })
})

describe('suggestedName', () => {
  it.each([
    ['raspberrypi.local', 'raspberrypi'],
    ['Jetson_1.lab', 'jetson-1'],
    ['192.168.1.20', '192-168-1-20'],
    ['fe80::1', 'fe80-1'],
  ])('%s becomes %s', (host, name) => expect(suggestedName(host)).toBe(name))

  it('is a valid service name or empty', () => {
    fc.assert(
      fc.property(fc.domain(), (host) => {
        expect(suggestedName(host)).toMatch(/^(?:[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?)?$/)
      }),
    )
  })
})
