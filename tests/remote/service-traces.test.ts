import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endLocalServices, readLocalLog } from '../../src/remote/local-services.ts'
import { forgetTracesLines } from '../../src/remote/service-traces-script.ts'
import { eventually, isAlive } from './device-harness.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-traces-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('what starts services of a device again', () => {
  it('goes without an agent: units and cron lines of ours, and nothing else', () => {
    const [root, bin, units] = [join(folder, '.edgesmith'), join(folder, 'bin'), join(folder, '.config', 'systemd', 'user')]
    for (const path of [root, bin, join(units, 'default.target.wants')]) mkdirSync(path, { recursive: true })
    // Tools that note what they were told; the crontab is a file.
    const calls = join(folder, 'calls')
    for (const name of ['systemctl', 'loginctl'])
      writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >>'${calls}'\n`, { mode: 0o755 })
    const crontab = join(folder, 'crontab')
    const cron = `#!/bin/sh\ncase $1 in -l) cat '${crontab}';; -r) rm '${crontab}';; -) cat >'${crontab}';; esac\n`
    writeFileSync(join(bin, 'crontab'), cron, { mode: 0o755 })
    writeFileSync(join(units, 'edgesmith-a.service'), `[Service]\nExecStart=/bin/sh ${root}/services/a/start\n`)
    writeFileSync(join(units, 'default.target.wants', 'edgesmith-a.service'), '')
    writeFileSync(join(units, 'edgesmith-b.service'), '[Service]\nExecStart=/bin/sh /somewhere/else/services/b/start\n')
    writeFileSync(join(root, 'linger-turned-on'), '')
    const own = `5 4 * * * ls ${root}/x\n@daily /bin/true\n`
    writeFileSync(crontab, `${own}@reboot /bin/sh '${root}/services/a/start' # edgesmith ${root}/services/a\n`)

    const script = `root='${root}'\n${forgetTracesLines}`
    const run = () => spawnSync('/bin/sh', ['-c', script], { env: { HOME: folder, PATH: `${bin}:/usr/bin:/bin` }, encoding: 'utf8' })
    expect(run()).toMatchObject({ stdout: '', stderr: '', status: 0 })
    // Folders that were made for ours go when nothing is left in them.
    expect(readdirSync(units)).toEqual(['edgesmith-b.service'])
    expect(readFileSync(crontab, 'utf8')).toBe(own)
    expect(existsSync(join(root, 'linger-turned-on'))).toBe(false)
    expect(readFileSync(calls, 'utf8')).toMatch(/^systemctl --user disable --now edgesmith-a\.service\n.*loginctl disable-linger/s)
    // With nothing of ours it changes nothing, and a crontab with nothing else goes.
    writeFileSync(crontab, `@reboot x # edgesmith ${root}/services/a\n`)
    run()
    expect(existsSync(crontab)).toBe(false)
    expect(run()).toMatchObject({ stdout: '', stderr: '' })
  })
})

describe('services of this computer that no agent can end', () => {
  it('end by their command line; a process that only has the number of one stays', async () => {
    const ours = join(folder, 'services', 'shop')
    mkdirSync(ours, { recursive: true })
    const start = (argument: string) => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', argument], { stdio: 'ignore' })
    const [service, stranger] = [start(ours), start('something-else')]
    writeFileSync(join(ours, 'state.json'), JSON.stringify({ port: 4000, pid: service.pid, startedAt: 'now' }))
    writeFileSync(join(ours, 'supervisor.json'), JSON.stringify({ pid: stranger.pid }))
    await eventually('both run', () => isAlive(service.pid ?? 0) && isAlive(stranger.pid ?? 0))
    await endLocalServices(folder)
    expect(isAlive(service.pid ?? 0)).toBe(false)
    expect(isAlive(stranger.pid ?? 0)).toBe(true)
    stranger.kill('SIGKILL')
    await endLocalServices(join(folder, 'nowhere'))
  })

  it('are followed by their log without an agent', async () => {
    const ours = join(folder, 'services', 'shop')
    mkdirSync(ours, { recursive: true })
    expect(await readLocalLog(folder, 'shop', 5)).toBe('')
    writeFileSync(join(ours, 'log.1'), 'one\ntwo\n')
    writeFileSync(join(ours, 'log'), 'three\nfour\n')
    expect(await readLocalLog(folder, 'shop', 3)).toBe('two\nthree\nfour')
    await expect(readLocalLog(folder, 'nobody', 3)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
