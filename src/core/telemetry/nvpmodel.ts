/** A Jetson's power mode. */
export interface PowerMode {
  readonly name: string
  readonly id: number | null
}

/**
 * The mode in the answer of `nvpmodel -q`. Around the two lines that matter (`NV Power Mode: MODE_15W_6CORE`, then its number) JetPack 4 says
 * something of the fan before, and whoever is not root gets errors after. With `--verbose` the line has a prefix. Null where there is no mode.
 */
export function readPowerMode(text: string): PowerMode | null {
  const found =
    /^(?:NVPM VERB: Current mode: )?NV Power Mode:[ \t]*(\S[^\n]{0,59}?)[ \t]*\r?(?:\n(?:NVPM[^\n]*\n)*[ \t]*(\d{1,3})[ \t]*\r?(?:\n|$)|\n|$)/m.exec(
      text.slice(0, 20_000),
    )
  return found ? { name: found[1] as string, id: found[2] === undefined ? null : Number(found[2]) } : null
}
