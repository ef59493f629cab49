import type { BoardPower, PowerRail } from './power-rails.ts'

/** A Raspberry Pi 5 prints 26 lines. */
const MOST_LINES = 200

/**
 * The rails of `vcgencmd pmic_read_adc` that have a current and a voltage (Raspberry Pi 5): lines `VDD_CORE_A current(7)=1.0A` and
 * `VDD_CORE_V volt(15)=0.72V`. The input EXT5V and the clock's battery have no current. Other lines are ignored; none for other boards.
 */
export function readPmicRails(text: string): PowerRail[] {
  const amperes = new Map<string, number>()
  const volts = new Map<string, number>()
  for (const line of text.split('\n', MOST_LINES)) {
    const found = /^\s*(\w{1,30})_([AV])\s+(current|volt)\(\d{1,3}\)=(\d{1,4}(?:\.\d{1,12})?)([AV])\s*$/.exec(line)
    if (!found || found[2] !== found[5] || (found[2] === 'A') !== (found[3] === 'current')) continue
    const values = found[2] === 'A' ? amperes : volts
    values.set(found[1] as string, Number(found[4]))
  }
  return [...amperes].flatMap(([name, current]) => {
    const voltage = volts.get(name)
    return voltage === undefined ? [] : [{ name, watts: current * voltage }]
  })
}

/** Slope and offset of a line fitted to a power meter at the plug over the sum of the rails; source: github.com/jfikar/RPi5-power. */
const METER_SLOPE = 1.1451
const METER_OFFSET_W = 0.5879
/** Fewer rails than a Raspberry Pi 5 has would make the sum another one than the formula was fitted to. */
const FEWEST_RAILS = 10

/** Estimated power of a Raspberry Pi 5 at its plug. The rails alone show less: they leave out losses and the 5 V outlets. */
export function pmicBoardPower(rails: readonly PowerRail[]): BoardPower | null {
  if (rails.length < FEWEST_RAILS) return null
  const sum = rails.reduce((total, { watts }) => total + (watts ?? 0), 0)
  return { watts: sum * METER_SLOPE + METER_OFFSET_W, source: 'PMIC of the Raspberry Pi 5 (estimated from its rails)', estimated: true }
}
