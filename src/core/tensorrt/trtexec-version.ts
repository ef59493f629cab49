/** Version of TensorRT as far as trtexec's banner tells it: major, minor, patch. */
export interface TensorRtVersion {
  readonly major: number
  readonly minor: number
  readonly patch: number
}

/** From here on the number has two digits for minor and patch each. */
const WIDE_NUMBER = 100_000

/**
 * Reads the version out of the banner that every call prints first: `&&&& RUNNING TensorRT.trtexec [TensorRT v8502] # …`.
 * Up to TensorRT 9 the number is `NV_TENSORRT_VERSION` = 1000·major + 100·minor + patch (8502 is 8.5.2, 8412 is 8.4.12), from 10 on it is
 * 10000·major + 100·minor + patch (100300 is 10.3.0). Source: samples/common/logging.h and NvInferVersion.h of NVIDIA/TensorRT.
 *
 * @returns `undefined` where the text has no such banner (TensorRT 7.1 and older print none with a number)
 */
export function tensorRtVersion(text: string): TensorRtVersion | undefined {
  const digits = /\[TensorRT v(\d{4,7})\]/.exec(text)?.[1]
  if (digits === undefined) return undefined
  const number = Number(digits)
  const [unit, rest] = number >= WIDE_NUMBER ? [10_000, number % 10_000] : [1000, number % 1000]
  return { major: Math.floor(number / unit), minor: Math.floor(rest / 100), patch: rest % 100 }
}

/** `8.5.2`; `7 or older` where the banner had no number. */
export function tensorRtVersionText(version: TensorRtVersion | undefined): string {
  return version ? `${version.major}.${version.minor}.${version.patch}` : '7 or older'
}

/** Whether it is at least that version; an unknown one is an old one. */
export function isAtLeast(version: TensorRtVersion | undefined, major: number, minor: number): boolean {
  if (!version) return false
  return version.major > major || (version.major === major && version.minor >= minor)
}
