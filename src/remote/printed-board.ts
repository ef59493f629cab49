import {
  type BoardReading,
  type BoardSensors,
  findBoardSensors,
  NO_TOOLS,
  readBoard,
  type ToolAnswers,
} from '../core/telemetry/board-reading.ts'
import { pmicBoardPower, readPmicRails } from '../core/telemetry/pmic-power.ts'
import type { CpuTicks } from '../core/telemetry/system-load.ts'
import { readTegrastats } from '../core/telemetry/tegrastats.ts'
import { readFirmwareValue, readThrottled } from '../core/telemetry/vcgencmd.ts'
import { PrintedFiles } from './board-files-script.ts'

/** Lines of one `vcgencmd pmic_read_adc`, and room for more. */
const MOST_PMIC = 8000

/** Puts together readings from the lines that `telemetry-script.ts` prints. Unknown lines are ignored. */
export class PrintedBoard {
  readonly #printed = new PrintedFiles()
  #sensors: BoardSensors | null = null
  #tools: ToolAnswers = NO_TOOLS
  #firmwareC: number | null = null
  #pmic = ''
  #ticks: CpuTicks | null = null

  /** The reading that this line completes; null for all but the last line of a round. */
  add(line: string): { readonly reading: BoardReading; readonly powerSource: string | null } | null {
    const equals = line.indexOf('=')
    const value = line.slice(equals + 1)
    switch (line.slice(0, Math.max(0, equals))) {
      case 'f':
        this.#printed.add(value)
        return null
      case 'throttled':
        this.#tools = { ...this.#tools, firmwareBits: readThrottled(value) }
        return null
      case 'temp':
        this.#firmwareC = readFirmwareValue(value)?.value ?? null
        return null
      case 'pmic':
        if (this.#pmic.length < MOST_PMIC) this.#pmic += `${value}\n`
        return null
      case 'tegrastats':
        this.#tools = { ...this.#tools, tegrastats: readTegrastats(value) }
        return null
      case 'round':
        return this.#round()
      default:
        return null
    }
  }

  #round() {
    if (this.#pmic !== '') this.#tools = { ...this.#tools, pmicPower: pmicBoardPower(readPmicRails(this.#pmic)) }
    this.#pmic = ''
    // Sensors do not come and go; the first round has all of them.
    this.#sensors ??= findBoardSensors(this.#printed.files)
    const { reading, ticks, power } = readBoard(this.#printed.files, this.#sensors, this.#ticks, this.#tools)
    this.#ticks = ticks
    return { reading: { ...reading, temperatureC: reading.temperatureC ?? this.#firmwareC }, powerSource: power?.source ?? null }
  }
}
