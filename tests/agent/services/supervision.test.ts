import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startScript } from '../../../src/agent/services/launch.ts'
import { CronLine } from '../../../src/agent/services/supervision/cron.ts'
import { hasCronLine, withCronLine, withoutCronLine } from '../../../src/agent/services/supervision/cron-text.ts'
import { systemUnitText, userUnitText } from '../../../src/agent/services/supervision/unit-text.ts'

let base: string
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'edgesmith-units-'))
})
afterAll(() => rm(base, { recursive: true, force: true }))

const root = '/home/pi/.edgesmith'
const places = { service: 'box', folder: `${root}/services/box`, root, read: [`${root}/agents/a`, `${root}/store/b`] }

/** Values of a key in a unit. */
function valuesOf(unit: string, key: string): string[] {
  return unit.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []))
}

describe('a system unit', () => {
  it('serves as the user, with no more rights than the work needs', () => {
    const unit = systemUnitText(places, 'pi')
    expect(valuesOf(unit, 'User')).toEqual(['pi'])
    expect(valuesOf(unit, 'ExecStart')).toEqual([`/bin/sh "${places.folder}/start"`])
    expect(valuesOf(unit, 'Restart')).toEqual(['always'])
    expect(valuesOf(unit, 'ProtectHome')).toEqual(['tmpfs'])
    expect(valuesOf(unit, 'ReadWritePaths')).toEqual([`"${places.folder}"`])
    expect(valuesOf(unit, 'CapabilityBoundingSet')).toEqual([''])
    expect(unit).not.toContain('MemoryDenyWriteExecute')
    // A model elsewhere in a home must be readable.
    expect(valuesOf(systemUnitText({ ...places, read: ['/home/pi/models/m.onnx'] }, 'pi'), 'ProtectHome')).toEqual(['read-only'])
  })

  const analyze = spawnSync('systemd-analyze', ['--version']).status === 0
  it.skipIf(!analyze)('is what systemd understands, whatever the folder is called', async () => {
    for (const name of ['plain', 'a b%c$d"e\\f:g']) {
      const folder = join(base, name)
      await mkdir(folder)
      await writeFile(join(folder, 'start'), startScript(folder), { mode: 0o700 })
      const odd = { service: 'box', folder, root: base, read: [] }
      for (const [kind, text] of [
        ['system', systemUnitText(odd, 'root')],
        ['user', userUnitText(odd)],
      ] as const) {
        const path = join(base, `edgesmith-${kind}.service`)
        await writeFile(path, text)
        const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', path], { encoding: 'utf8' })
        expect({ name, kind, stderr: stderr.split('\n').filter((line) => line.includes(path)) }).toEqual({ name, kind, stderr: [] })
        expect(status).toBe(0)
      }
    }
  })
})

describe('the start script', () => {
  it('becomes the supervisor of the agent that the service names, with its own node or the one that is noted', async () => {
    const folder = join(base, "it's")
    const runtime = join(base, 'run time')
    await mkdir(folder)
    await mkdir(runtime)
    await writeFile(join(folder, 'start'), startScript(folder), { mode: 0o700 })
    await writeFile(join(folder, 'runtime'), `${runtime}\n`)
    const echo = '#!/bin/sh\nfor word; do echo "$0 $word"; done\n'
    await writeFile(join(base, 'other-node'), echo, { mode: 0o700 })
    await writeFile(join(folder, 'node'), `${join(base, 'other-node')}\n`)
    const run = () =>
      execFileSync('/bin/sh', [join(folder, 'start')], { encoding: 'utf8' })
        .trim()
        .split('\n')
    const said = run()
    expect(said.slice(-3)).toEqual([`${runtime}/agent.cjs`, 'supervise', folder].map((word) => `${join(base, 'other-node')} ${word}`))
    await writeFile(join(runtime, 'node'), echo, { mode: 0o700 })
    expect(run().at(-1)).toBe(`${join(runtime, 'node')} ${folder}`)
  })
})

describe('a crontab', () => {
  it('gets one line for each service, and is as before when it goes', () => {
    const others = '# mine\nMAILTO=""\n\n5 4 * * * /usr/bin/true %done\n@reboot sh /home/pi/services/boxes/start'
    const once = withCronLine(others, '/home/pi/services/box')
    expect(once).toBe(
      `${others}\n@reboot /bin/sh '/home/pi/services/box/start' </dev/null >/dev/null 2>&1 # edgesmith /home/pi/services/box\n`,
    )
    expect(withCronLine(once, '/home/pi/services/box')).toBe(once)
    const both = withCronLine(once, '/home/pi/services/boxes')
    expect(withoutCronLine(both, '/home/pi/services/boxes')).toBe(once)
    expect(withoutCronLine(once, '/home/pi/services/box')).toBe(`${others}\n`)
    expect(withCronLine('', '/a%b')).toBe("@reboot /bin/sh '/a\\%b/start' </dev/null >/dev/null 2>&1 # edgesmith /a\\%b\n")
  })

  it('keeps every other line whatever there is', () => {
    const line = fc.string().map((text) => text.replaceAll(/[\n\r]/g, ' '))
    fc.assert(
      fc.property(fc.array(line), line, (lines, name) => {
        const crontab = lines.map((text) => `${text}\n`).join('')
        const folder = `/srv/${name}`
        fc.pre(!hasCronLine(crontab, folder))
        const added = withCronLine(crontab, folder)
        expect(hasCronLine(added, folder)).toBe(true)
        expect(withoutCronLine(added, folder)).toBe(crontab)
      }),
    )
  })
})

describe.skipIf(process.platform !== 'linux')('a service kept by cron', () => {
  it('has its line in the crontab while cron runs, and says so where it does not', async () => {
    const tools = join(base, 'tools')
    const table = join(base, 'table')
    await mkdir(tools)
    // As the crontab of Debian: `-l` fails where there is none.
    const crontab = `#!/bin/sh
case $1 in
-l) [ -f '${table}' ] || { echo 'no crontab for pi' >&2; exit 1; }; cat '${table}';;
-r) rm '${table}';;
-) cat >'${table}';;
esac
`
    await writeFile(join(tools, 'crontab'), crontab, { mode: 0o700 })
    await copyFile('/bin/sleep', join(tools, 'cron'))
    const path = process.env.PATH
    process.env.PATH = `${tools}:${path}`
    const daemon = spawn(join(tools, 'cron'), ['60'])
    try {
      await once(daemon, 'spawn')
      const cron = new CronLine('/home/pi/services/box')
      await expect.poll(() => cron.problem()).toBeNull()
      expect(await cron.isInstalled()).toBe(false)
      await cron.install()
      await cron.install()
      expect(await readFile(table, 'utf8')).toBe(withCronLine('', '/home/pi/services/box'))
      expect(await cron.rebootNote()).toBeNull()
      await writeFile(table, `5 4 * * * true\n${await readFile(table, 'utf8')}`)
      await cron.uninstall()
      expect(await readFile(table, 'utf8')).toBe('5 4 * * * true\n')
      expect(await cron.rebootNote()).toContain('gone from the crontab')
      await writeFile(table, '')
      await cron.install()
      await cron.uninstall()
      expect(existsSync(table)).toBe(false)
      // Other lines come back byte by byte, whatever text they are; what cannot be read is not replaced.
      const others = Buffer.concat([Buffer.from('# caf\xe9 \xff\n', 'latin1'), Buffer.from(`# ${'ü'.repeat(100_000)}\n`)])
      await writeFile(table, others)
      const umlaut = new CronLine('/home/jürgen/services/box')
      await umlaut.install()
      expect((await readFile(table)).toString('utf8')).toContain('/home/jürgen/services/box/start')
      await umlaut.uninstall()
      expect((await readFile(table)).equals(others)).toBe(true)
      await writeFile(join(tools, 'crontab'), '#!/bin/sh\necho "crontab: disk trouble" >&2; exit 1\n')
      await expect(cron.install()).rejects.toMatchObject({ code: 'DEVICE_COMMAND_FAILED', hint: expect.any(String) })
      expect((await readFile(table)).equals(others)).toBe(true)
    } finally {
      process.env.PATH = path
      daemon.kill()
    }
  })
})
