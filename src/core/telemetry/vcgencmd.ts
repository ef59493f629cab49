/** A value `vcgencmd` printed: `temp=48.2'C`, `frequency(48)=1500398464`, `volt=0.8768V`. */
export interface FirmwareValue {
  readonly name: 'temp' | 'frequency' | 'volt'
  /** Degrees Celsius, Hz, or volts. */
  readonly value: number
}

const UNITS = { temp: "'C", frequency: '', volt: 'V' } as const

/** Reads the answer of `vcgencmd measure_temp`, `measure_clock` or `measure_volts`; null for anything else (errors, other tools). */
export function readFirmwareValue(text: string): FirmwareValue | null {
  const found = /^\s*(temp|frequency|volt)(?:\(\d{1,3}\))?=(-?\d{1,12}(?:\.\d{1,9})?)('C|V)?\s*$/.exec(text)
  if (!found) return null
  const name = found[1] as FirmwareValue['name']
  return (found[3] ?? '') === UNITS[name] ? { name, value: Number(found[2]) } : null
}

/** Bits of `vcgencmd get_throttled` (`throttled=0x50005`); null for anything else. */
export function readThrottled(text: string): number | null {
  const found = /^\s*throttled=0x([0-9a-f]{1,8})\s*$/i.exec(text)
  return found ? Number.parseInt(found[1] as string, 16) : null
}

/** Raspberry Pi documentation, `vcgencmd get_throttled`: bits 0 to 3 tell what is so now, 16 to 19 what was so since the start. */
const WORDS = ['under-voltage (weak power supply)', 'capped clock', 'throttling', 'the soft temperature limit']

/** What the bits say is so right now, in words. */
export function firmwareWords(bits: number): string[] {
  return WORDS.filter((_, bit) => bits & (1 << bit))
}
