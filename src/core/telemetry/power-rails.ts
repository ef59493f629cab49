/** A supply rail and the power it carries; null: it is there and shows nothing right now. */
export interface PowerRail {
  readonly name: string
  readonly watts: number | null
}

/** Power of a whole board, and where the number comes from. */
export interface BoardPower {
  readonly watts: number
  /** For example `INA3221 VDD_IN`. */
  readonly source: string
  /** Not measured whole, but scaled by a published formula. */
  readonly estimated: boolean
}

/**
 * Rails that carry everything a module or board uses. VDD_IN: input of the module (Jetson TX1, TX2, Xavier NX, Orin NX and Nano;
 * NVIDIA Jetson Linux Developer Guide, "INA3221 power monitors"). POM_5V_IN: input of the Jetson Nano. VIN: input of the Jetson Thor.
 */
const WHOLE = ['VDD_IN', 'POM_5V_IN', 'VIN']

/**
 * Boards without such a rail, where rails side by side make up the module's input. AGX Xavier: its two monitors measure six separate supplies
 * (Jetson AGX Xavier Product Design Guide DG-09840, 5.6.2). AGX Orin: VDDQ_VDD2_1V8AO hangs on VIN_SYS_5V0 and is contained in it
 * (Jetson Linux Developer Guide 35, "Jetson AGX Orin power monitors").
 */
const SUMS: readonly (readonly string[])[] = [
  ['GPU', 'CPU', 'SOC', 'CV', 'VDDRQ', 'SYS5V'],
  ['VDD_GPU_SOC', 'VDD_CPU_CV', 'VIN_SYS_5V0'],
]

/**
 * Power of the whole board from its rails; null where no rail or documented sum of rails is the whole board.
 * @param chip what measures, for the source's name
 */
export function boardPower(rails: readonly PowerRail[], chip: string): BoardPower | null {
  const wattsOf = (name: string) => rails.find((rail) => rail.name === name)?.watts ?? null
  for (const name of WHOLE) {
    const watts = wattsOf(name)
    if (watts !== null) return { watts, source: `${chip} ${name}`, estimated: false }
  }
  for (const names of SUMS) {
    const watts = names.map(wattsOf)
    if (watts.every((value) => value !== null)) {
      return { watts: watts.reduce((sum, value) => sum + value, 0), source: `${chip} ${names.join(' + ')}`, estimated: false }
    }
  }
  return null
}
