import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TelemetryReading, telemetryReadingSchema } from '../../src/contract/telemetry.ts'
import { findBoardSensors, NO_TOOLS, readBoard } from '../../src/core/telemetry/board-reading.ts'
import { rootedFiles } from '../../src/platform/system-files.ts'
import { boardFilesScript, PrintedFiles } from '../../src/remote/board-files-script.ts'
import { PrintedBoard } from '../../src/remote/printed-board.ts'
import { telemetryScript } from '../../src/remote/telemetry-script.ts'
import { watchThisComputer } from '../../src/remote/telemetry-stream.ts'
import { makeBarePath } from '../devices/bare-path.ts'
import { boardFiles } from '../devices/board-files.ts'
import { eventually, startHarnessedDevice } from './device-harness.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'edgesmith-board-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text, { mode: 0o755 })
}

function board(name: Parameters<typeof boardFiles>[0]): void {
  for (const [path, text] of Object.entries(boardFiles(name, 4))) put(path, text)
  put('/proc/stat', 'cpu  100 0 0 900 0 0 0 0 0 0\ncpu0 1 2 3 4 5\n')
  put('/proc/meminfo', 'MemTotal: 8000000 kB\nMemFree: 1 kB\nMemAvailable: 6000000 kB\nSwapTotal: 100 kB\n')
}

/** Output of a script in a shell whose PATH has only what is given. */
function printed(shell: string, script: string, path: string): string {
  return execFileSync(shell, ['-c', script], { encoding: 'utf8', env: { PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] })
}

const SHELLS = ['/bin/sh', '/bin/bash']

describe('what the script prints of a board', () => {
  it.each(SHELLS)('is what its files say: %s', (shell) => {
    for (const name of ['pi5', 'orin', 'nano-jetpack-4'] as const) {
      rmSync(root, { recursive: true, force: true })
      board(name)
      const kept = new PrintedFiles()
      const script = `${boardFilesScript(`'${root}'`)}\nstill_files\nmoving_files\nexit 0\n`
      for (const line of printed(shell, script, '/nowhere').split('\n')) if (line.startsWith('f=')) kept.add(line.slice(2))
      const direct = rootedFiles(root)
      const [there, here] = [kept.files, direct].map((files) => {
        const sensors = findBoardSensors(files)
        return { ...readBoard(files, sensors, null, NO_TOOLS), sensors }
      })
      expect(there).toEqual(here)
      expect(there?.reading.temperatureC).toBeGreaterThan(20)
    }
  })
})

describe('rounds of the script', () => {
  /** Runs it until a number of readings came. */
  async function rounds(
    count: number,
    tools: Readonly<Record<string, string>>,
  ): Promise<{ readings: object[]; sources: (string | null)[] }> {
    const bin = makeBarePath(join(root, 'tools'), [], tools)
    const shell = spawn('/bin/sh', ['-c', telemetryScript(100, `'${root}'`)], { env: { PATH: bin }, stdio: ['ignore', 'pipe', 'pipe'] })
    const shown = new PrintedBoard()
    const readings: object[] = []
    const sources: (string | null)[] = []
    let rest = ''
    for await (const chunk of shell.stdout) {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const found = shown.add(line)
        if (!found) continue
        readings.push(found.reading)
        sources.push(found.powerSource)
      }
      if (readings.length >= count) break
    }
    // Leaving the loop closed its output: it must end by itself.
    await new Promise((resolve) =>
      shell.exitCode === null && shell.signalCode === null ? shell.once('exit', resolve) : resolve(undefined),
    )
    return { readings, sources }
  }

  it('tell a Raspberry Pi 5 with what its firmware says, and end when nobody reads', async () => {
    board('pi5')
    const pmic = join(root, 'usr/local/board/pmic')
    const vcgencmd = `#!/bin/sh\ncase $1 in get_throttled) echo throttled=0x2;; measure_temp) echo "temp=51.0'C";; *) while IFS= read -r l; do echo "$l"; done <${pmic};; esac\n`
    const { readings, sources } = await rounds(3, { vcgencmd })
    expect(readings[0]).toMatchObject({ temperatureC: 48.312, clockMhz: 1500, throttled: ['capped clock'], cpuLoad: null })
    expect(sources[0]).toContain('Raspberry Pi 5 (estimated')
    expect(readings[2]).toMatchObject({ powerW: (readings[0] as TelemetryReading).powerW })
  })

  it('take load and power from tegrastats where no file tells them', async () => {
    put('/proc/stat', 'cpu  100 0 0 900 0 0 0 0 0 0\n')
    const line = 'RAM 1343/3956MB (lfb 157x4MB) GR3D_FREQ 12%@76 PLL@28C CPU@31.5C POM_5V_IN 1388/1388'
    const tegrastats = `#!/bin/sh\nwhile :; do echo '${line}' || exit; sleep 0.05; done\n`
    const { readings, sources } = await rounds(8, { tegrastats })
    expect(readings.at(-1)).toMatchObject({ gpuLoad: 0.12, gpuClockMhz: 76, powerW: 1.388, temperatureC: 31.5 })
    expect(sources.at(-1)).toBe('tegrastats POM_5V_IN')
  })

  it('leave tegrastats alone where files tell enough', async () => {
    board('orin')
    put('/sys/class/devfreq/17000000.gpu/cur_freq', '306000000\n')
    put('/sys/class/devfreq/17000000.gpu/device/load', '0\n')
    const started = join(root, 'started')
    const { readings, sources } = await rounds(2, { tegrastats: `#!/bin/sh\necho x >${started}\n` })
    expect(readings[1]).toMatchObject({ powerW: 5.25, gpuLoad: 0, gpuClockMhz: 306 })
    expect(sources[1]).toBe('INA3221 VDD_IN')
    expect(() => rootedFiles(root).read('started')).not.toThrow()
    expect(rootedFiles(root).read('started')).toBeUndefined()
  })
})

describe('any answer', () => {
  it('is read without failing, in bounded memory', () => {
    const line = fc.oneof(
      fc.string({ maxLength: 80 }),
      fc.constantFrom(
        'round=1',
        'f=/proc/stat cpu 1 2 3 4 5',
        'f=/proc/meminfo MemTotal: 1 kB',
        'f=',
        'f=/etc/passwd x',
        'pmic=A_A current(1)=1A',
        'throttled=x',
        'temp=',
      ),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
        const board = new PrintedBoard()
        for (const text of lines) {
          const found = board.add(text)
          if (found) expect(telemetryReadingSchema.parse({ atMs: 0, ...found.reading })).toBeTruthy()
        }
      }),
      { numRuns: 500 },
    )
    const kept = new PrintedFiles()
    for (let i = 0; i < 10_000; i++) kept.add(`/sys/class/thermal/thermal_zone${i}/temp ${'9'.repeat(5000)}`)
    expect(kept.files.size).toBeLessThanOrEqual(4000)
    expect(kept.files.read('/sys/class/thermal/thermal_zone0/temp')?.length).toBeLessThan(1000)
  })
})

describe('a session', () => {
  it('gives readings until nobody wants them, and leaves nothing running', async () => {
    // Of the tools only what coreutils have.
    chmodSync(root, 0o755)
    const { device, open, stop } = await startHarnessedDevice({ path: makeBarePath(join(root, 'bin'), []) })
    try {
      const session = await open()
      const readings: TelemetryReading[] = []
      const end = new AbortController()
      const watching = session.watchTelemetry((reading) => readings.push(reading), end.signal, 100)
      await eventually('three readings', () => readings.length >= 3)
      for (const reading of readings) expect(telemetryReadingSchema.parse(reading)).toEqual(reading)
      expect(readings[2]).toMatchObject({ memoryUsedBytes: expect.any(Number), cpuLoad: expect.any(Number) })
      expect(Math.abs((readings[2]?.atMs ?? 0) - Date.now())).toBeLessThan(60_000)
      end.abort()
      await watching
      const seen = readings.length
      await eventually('the device is at rest', () => device.processes().length === 0)
      expect(readings.length).toBe(seen)
      session.close()
    } finally {
      await stop()
    }
  })

  it('says when the link broke, and nothing goes on there', async () => {
    const { device, open, stop } = await startHarnessedDevice()
    try {
      const session = await open()
      let count = 0
      const watching = session.watchTelemetry(() => count++, new AbortController().signal, 100)
      await eventually('a reading', () => count > 0)
      device.cutConnections()
      await expect(watching).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
      await eventually('the device is at rest', () => device.processes().length === 0)
      session.close()
    } finally {
      await stop()
    }
  })

  it('of this computer reads its files', async () => {
    board('orin')
    const readings: TelemetryReading[] = []
    const end = new AbortController()
    await watchThisComputer(
      10,
      (reading, source) => {
        expect(source).toBe('INA3221 VDD_IN')
        if (readings.push(reading) === 2) end.abort()
      },
      end.signal,
      root,
    )
    expect(readings[1]).toMatchObject({ powerW: 5.25, temperatureC: 49.312, cpuLoad: null })
  })
})
