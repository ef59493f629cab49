import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { resolveSshConfig } from '../../src/remote/ssh-config.ts'
import { readConfigFiles } from '../../src/remote/ssh-config-files.ts'

import { folder, golden, localUser, printed, resolve, write } from './ssh-config-harness.ts'

const first = `
# A configuration as people have it
ServerAliveInterval 20

Host pi
  HostName 192.168.1.20
  User pi
  IdentityFile ~/.ssh/id_pi

Host jetson nano nano-*
  HostName %h.lab.example
  Port 2222
  User = nvidia
  IdentityFile "~/.ssh/my key"
  IdentityFile ~/.ssh/%r_%n
  IdentitiesOnly yes

Host *.lab.example !secret.lab.example
  ProxyJump admin@gate.example:2200
  HashKnownHosts yes

Host secret.lab.example
  ProxyCommand ssh -W %h:%p gate # not a comment
  IdentityAgent none

Host v6
  HostName FE80::1
  ConnectTimeout 1m30s

host QUOTED "two words" single'quote'
\tHOSTNAME\tUpper.Example
\tuserknownhostsfile ~/.ssh/lab "/etc/with space" # trailing
  IdentityAgent "~/.agent sock"
  PreferredAuthentications publickey,password

Host many
  Port=2201
  User="bob"
  HostName  =  10.0.0.9
  ProxyJump a,b@c:23,[::1]:24
  GlobalKnownHostsFile /etc/one /etc/two

Host nojump.lab.example
Host nojump*
  ProxyJump none
Host nojump2
  ProxyJump later

Host nocommand
  ProxyCommand none
  ProxyJump never

Host percent
  HostName a%%b%h

Host ?x [ab]
  Port 77

Host *
  User everybody
  IdentityFile ~/.ssh/common
  ConnectTimeout 5
  ServerAliveInterval 99
`

const second = `
Match host pi,jetson
  Port 1001
Match originalhost p* user root,${localUser}
  IdentityFile /keys/original
Host alias
  HostName target.example
  User deploy
Match host target.example
  Port 1002
Match user deploy
  IdentityFile /keys/deploy
Match !host target.example,pi
  IdentityFile /keys/other
Match host *.example !user deploy
  IdentityFile /keys/not-deploy
Match localuser ${localUser} host x?
  Port 1003
Match localuser "nobody else"
  Port 9
Match originalhost Alias
  Port 8
Match !all
  Port 7
Match all
  IdentitiesOnly yes
Match host=eq
  Port 1004
Host up
  HostName UP.Example
Match host up.example
  IdentityFile /keys/up
Match final host up.example
  IdentityFile /keys/final
Match final !originalhost up,alias
  HashKnownHosts yes
  HostName never.example
Host #pi
  Port 3
Host target.example
  UserKnownHostsFile none
Match host lonely # comment
  Port 1005
`

const third = [
  `Include INC/d/*.conf
Host here
  Include INC/inside
  Port 4
Host after
  Include INC/missing INC/d/[ab].conf INC/nothing-*
  HostName after.example
Include "INC/last one"
`,
  {
    'd/a.conf': 'Host from-a here\n  User a\n  Port 1\n',
    'd/b.conf': 'Host from-b after\n  User b\nInclude INC/deep\n',
    'd/.hidden.conf': 'User hidden\n',
    'd/c.txt': 'User text\n',
    inside: 'IdentityFile /keys/inside\nHost elsewhere\n  IdentityFile /keys/elsewhere\nHost here\n  IdentityFile /keys/again\n',
    deep: 'Host deep-*\n  HostName %h.deep\nMatch host after\n  IdentityFile /keys/deep\n',
    'last one': 'User last\n',
  },
] as const

describe('the configuration of ssh, resolved as ssh does', () => {
  const hosts: Readonly<Record<string, readonly string[]>> = {
    first:
      `pi PI jetson nano nano-7 x.lab.example secret.lab.example v6 QUOTED quoted singlequote many nojump nojump.lab.example nojump2 nocommand percent ax bx a b unknown 10.0.0.7 ::1`.split(
        ' ',
      ),
    second: 'pi jetson alias Alias xy target.example other.example eq up UP lonely Pi'.split(' '),
    third: 'from-a from-b here after elsewhere deep-1 other'.split(' '),
  }
  const configurations: Readonly<Record<string, () => string>> = {
    first: () => write(first),
    second: () => write(second),
    third: () => write(third[0], third[1]),
  }
  it.each(Object.entries(hosts).flatMap(([name, aliases]) => aliases.map((alias) => [name, alias] as const)))(
    'configuration %s, host %s',
    async (name, alias) => {
      const path = configurations[name]?.() ?? expect.fail(name)
      const wanted = golden(path, alias)
      expect(printed(await resolve(path, alias), golden(write(''), alias))).toEqual(wanted)
    },
  )

  it('what is given wins, and decides which Match blocks apply', async () => {
    const path = write(`Match user deploy\n  IdentityFile /keys/deploy\nHost pi\n  User pi\n  Port 7\n`)
    for (const alias of ['pi', 'other']) {
      const wanted = golden(path, alias, ['-l', 'deploy', '-p', '2022'])
      expect(printed(await resolve(path, alias, { user: 'deploy', port: 2022 }), golden(write(''), alias))).toEqual(wanted)
    }
  })

  it('a file of the system comes after that of the user', async () => {
    const user = write('Host pi\n  User mine\n')
    const system = write('Host pi\n  User theirs\n  Port 9\n')
    const read = await readConfigFiles({ home: folder, configPaths: [user, join(folder, 'none'), system] })
    expect(resolveSshConfig(read, { alias: 'pi', localUser })).toMatchObject({ user: 'mine', port: 9 })
  })

  it('includes are relative to ~/.ssh, and ~ leads home', async () => {
    const home = join(folder, 'home')
    mkdirSync(join(home, '.ssh', 'conf.d'), { recursive: true })
    writeFileSync(join(home, '.ssh', 'conf.d', 'one'), 'User one\n', { mode: 0o600 })
    writeFileSync(join(home, 'two'), 'Port 2\n', { mode: 0o600 })
    const read = await readConfigFiles({ home, configPaths: [write('Include conf.d/*\nInclude ~/two\n')] })
    expect(resolveSshConfig(read, { alias: 'pi', localUser })).toMatchObject({ user: 'one', port: 2 })
  })

  it('a Match that would run a program never applies, and says so', async () => {
    const path = write(
      'Match exec "touch INC/ran"\n  User evil\nMatch !exec false host pi\n  User evil\nMatch localnetwork 10.0.0.0/8\n  Port 1\n',
    )
    const settings = await resolve(path, 'pi')
    expect(settings).toMatchObject({ user: null, port: null })
    expect(settings.warnings).toEqual([
      expect.stringContaining(`${path}:1: the block of "Match exec"`),
      expect.stringContaining(`${path}:3: the block of "Match exec"`),
      expect.stringContaining(`${path}:5: the block of "Match localnetwork"`),
    ])
  })

  it('says the same as ssh where ssh says anything', async () => {
    const words = ['pi', 'p*', '!pi', '"p i"', "'pi'", 'other', '*', '?i', 'pi\\ ', '#x']
    const block = fc.tuple(
      fc.constantFrom('Host', 'host =', 'Match host', 'Match user', 'Match !host', 'Match originalhost', '"Host"'),
      fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(' ', '\t'),
      fc.array(
        fc.constantFrom('User a', 'User=b', 'Port 5', 'HostName %h.x', 'IdentityFile k', 'ProxyJump j', 'IdentitiesOnly YES', '# c', ''),
        {
          maxLength: 4,
        },
      ),
    )
    const path = write('')
    const defaults = golden(path, 'pi')
    let said = 0
    await fc.assert(
      fc.asyncProperty(fc.array(block, { maxLength: 4 }), async (blocks) => {
        writeFileSync(path, blocks.map(([keyword, hosts, gap, lines]) => `${keyword} ${hosts.join(gap)}\n${lines.join('\n')}\n`).join(''))
        let wanted: Record<string, string[]>
        try {
          wanted = golden(path, 'pi')
        } catch {
          return
        }
        said++
        expect(printed(await resolve(path, 'pi'), defaults)).toEqual(wanted)
      }),
      { numRuns: 60 },
    )
    expect(said).toBeGreaterThan(15)
  })
})
