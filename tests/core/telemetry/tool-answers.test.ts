import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jetPackOf, packageVersion, readL4tRelease } from '../../../src/core/telemetry/l4t-release.ts'
import { readPowerMode } from '../../../src/core/telemetry/nvpmodel.ts'
import { pmicBoardPower, readPmicRails } from '../../../src/core/telemetry/pmic-power.ts'
import { firmwareWords, readFirmwareValue, readThrottled } from '../../../src/core/telemetry/vcgencmd.ts'

const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', `${name}.txt`), 'utf8')

describe('vcgencmd', () => {
  it('tells values with their units', () => {
    expect(readFirmwareValue("temp=48.2'C\n")).toEqual({ name: 'temp', value: 48.2 })
    expect(readFirmwareValue('frequency(48)=1500398464\n')).toEqual({ name: 'frequency', value: 1500398464 })
    expect(readFirmwareValue('frequency(0)=2400033792')).toEqual({ name: 'frequency', value: 2400033792 })
    expect(readFirmwareValue('volt=0.8768V')).toEqual({ name: 'volt', value: 0.8768 })
    for (const text of ['', 'error=1 error_msg="Command not registered"', "temp=48.2'F", 'VCHI initialization failed', 'volt=1.2']) {
      expect(readFirmwareValue(text)).toBeNull()
    }
  })

  it('tells throttling, now and since the start', () => {
    expect(readThrottled('throttled=0x0\n')).toBe(0)
    const bits = readThrottled('throttled=0x50005')
    expect(bits).toBe(0x50005)
    expect(firmwareWords(0x50005)).toEqual(['under-voltage (weak power supply)', 'throttling'])
    // Since the start only: nothing now.
    expect(firmwareWords(0xe0000)).toEqual([])
    expect(firmwareWords(0xa)).toEqual(['capped clock', 'the soft temperature limit'])
    for (const text of ['', 'throttled=', 'throttled=0x', 'throttled=0x123456789', 'error=1']) expect(readThrottled(text)).toBeNull()
  })
})

describe('pmic_read_adc', () => {
  it('is summed over the rails with current and voltage, and scaled', () => {
    const rails = readPmicRails(fixture('pmic-raspberry-pi-5'))
    expect(rails).toHaveLength(12)
    expect(rails.find(({ name }) => name === 'VDD_CORE')?.watts).toBeCloseTo(5.03652 * 0.8936988, 6)
    // Golden: awk '/_A /{split($2,a,"=");c[substr($1,1,length($1)-2)]=a[2]+0} /_V /{split($2,a,"=");v[substr($1,1,length($1)-2)]=a[2]+0}
    // END{for(k in c)if(k in v)s+=c[k]*v[k];printf "%.6f %.6f\n",s,s*1.1451+0.5879}' pmic-raspberry-pi-5.txt
    const sum = rails.reduce((total, { watts }) => total + (watts ?? 0), 0)
    expect(sum).toBeCloseTo(5.921612, 5)
    expect(pmicBoardPower(rails)).toMatchObject({ estimated: true, source: expect.stringContaining('estimated') })
    expect(pmicBoardPower(rails)?.watts).toBeCloseTo(7.368738, 5)
  })

  it('of another board is none', () => {
    expect(pmicBoardPower(readPmicRails('error=1 error_msg="Command not registered"\n'))).toBeNull()
    expect(readPmicRails('A_A current(1)=1.0V\nA_V volt(2)=1.0A\nB_A volt(1)=2A\n')).toEqual([])
    expect(pmicBoardPower(readPmicRails('VDD_CORE_A current(7)=1.0A\nVDD_CORE_V volt(15)=0.7V\n'))).toBeNull()
  })
})

describe('nvpmodel -q', () => {
  it.each([
    ['nvpmodel-nano-jetpack-4', 'MAXN', 0],
    ['nvpmodel-agx-xavier-jetpack-4', 'MODE_15W_DESKTOP', 7],
    ['nvpmodel-verbose-xavier', 'MODE_15W_6CORE', 2],
    ['nvpmodel-orin-jetpack-5', 'MODE_30W', 2],
    ['nvpmodel-orin-nano-jetpack-6', '25W', 1],
  ])('%s', (name, mode, id) => {
    expect(readPowerMode(fixture(name))).toEqual({ name: mode, id })
  })

  it('without a number, with errors between, and without a mode', () => {
    expect(readPowerMode('NV Power Mode: MAXN_SUPER')).toEqual({ name: 'MAXN_SUPER', id: null })
    expect(readPowerMode('NV Power Mode: MAXN_SUPER\r\n2\r\n')).toEqual({ name: 'MAXN_SUPER', id: 2 })
    expect(readPowerMode('NV Power Mode: MAXN\nNVPM ERROR: no\n3\n')).toEqual({ name: 'MAXN', id: 3 })
    expect(readPowerMode('NV Power Mode: MAXN\nnonsense\n3\n')).toEqual({ name: 'MAXN', id: null })
    for (const text of ['', 'NVPM ERROR: nothing', 'NV Power Mode', 'NV Power Mode:\n2']) expect(readPowerMode(text)).toBeNull()
  })
})

describe('releases of Jetson Linux', () => {
  it.each([
    ['# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, DATE: Wed Jan  8 01:49:37 UTC 2025', '36.4.3', '6.2'],
    [
      '# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref, EABI: aarch64, DATE: Tue Aug  1 19:57:35 UTC 2023',
      '35.4.1',
      '5.1.2',
    ],
    ['# R32 (release), REVISION: 6.1, GCID: 27863751, BOARD: t186ref, EABI: aarch64, DATE: Mon Jul 26 19:36:31 UTC 2021', '32.6.1', '4.6'],
    ['# R32 (release), REVISION: 1.0, GCID: 14531094, BOARD: t210ref, EABI: aarch64, DATE: Wed Mar 13 07:46:13 UTC 2019', '32.1.0', '4.2'],
  ])('%s', (line, l4t, jetPack) => {
    expect(readL4tRelease(line)).toBe(l4t)
    expect(jetPackOf(l4t)).toBe(jetPack)
  })

  it('that are not known are not guessed', () => {
    expect(readL4tRelease('# R99 (release), REVISION: 9.9, GCID: 1')).toBe('99.9.9')
    expect(jetPackOf('99.9.9')).toBeNull()
    expect(jetPackOf('constructor')).toBeNull()
    expect(jetPackOf('32.5')).toBe('4.5')
    expect(readL4tRelease('Ubuntu 22.04')).toBeNull()
  })

  it('versions of packages lose their builds', () => {
    expect(packageVersion('36.4.3-20250107174145')).toBe('36.4.3')
    expect(packageVersion('6.2+b77')).toBe('6.2')
    expect(packageVersion('10.3.0.30-1+cuda12.5')).toBe('10.3.0.30')
    expect(packageVersion('1:4.6.4-b39')).toBe('4.6.4')
    expect(packageVersion('unknown')).toBeNull()
  })
})

describe('any text', () => {
  it('is read without failing', () => {
    const tools = [readFirmwareValue, readThrottled, readPmicRails, readPowerMode, readL4tRelease, packageVersion, jetPackOf]
    const part = fc.constantFrom(
      'NV Power Mode: ',
      'NVPM ERROR: ',
      '\n',
      '\r\n',
      '2',
      'throttled=0x',
      'A_A current(1)=',
      '1.0A',
      'R36 (release), ',
      'REVISION: ',
    )
    const text = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.array(part, { maxLength: 40 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (answer) => {
        for (const read of tools) expect(() => read(answer)).not.toThrow()
      }),
      { numRuns: 2000 },
    )
  })

  it('of many lines ends soon', () => {
    const long = 'NV Power Mode: X\nNVPM '.repeat(100_000)
    expect(readPowerMode(long)).not.toBeNull()
    expect(readPmicRails('A_A current(1)=1.0A\n'.repeat(1_000_000)).length).toBeLessThanOrEqual(200)
  })
})
