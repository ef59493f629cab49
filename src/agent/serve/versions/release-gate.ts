import type { GateCheck, ReleaseGate } from '../../../contract/routing.ts'
import type { PrepareResult } from '../../../contract/service-protocol.ts'
import { percentileOfSorted } from '../../../core/statistics/percentiles.ts'
import { checkGolden } from './golden-answers.ts'
import type { LoadedVersion } from './load-version.ts'
import type { ServedVersion } from './served-version.ts'
import { timeRuns } from './timed-runs.ts'

/** Enough for a p95 that means something, and after ten seconds no more. */
const LATENCY_RUNS = { fewest: 20, longEnoughMs: 10_000 }

/**
 * What a release must show before it gets its first request, one thing after the other; nothing behind the first that fails.
 *
 * @param checkFiles @throws where a file is not the one that was deployed
 * @param load answers the version, loaded for this or before
 */
export async function runGate(
  gate: ReleaseGate,
  checkFiles: () => Promise<void>,
  load: () => Promise<LoadedVersion>,
): Promise<{ readonly result: PrepareResult; readonly version: ServedVersion | null }> {
  const checks: GateCheck[] = []
  const ended = (version: ServedVersion | null, latencyP95Ms: number | null = null) => ({
    result: { passed: checks.every(({ passed }) => passed), checks, latencyP95Ms },
    version,
  })
  const failed = (name: GateCheck['name'], error: unknown) =>
    checks.push({ name, passed: false, text: (error instanceof Error ? error.message : String(error)).slice(0, 2000) })
  try {
    await checkFiles()
    checks.push({ name: 'files', passed: true, text: 'The release and its model are those that were sent.' })
  } catch (error) {
    failed('files', error)
    return ended(null)
  }
  let loaded: LoadedVersion
  const start = performance.now()
  try {
    loaded = await load()
    const loadMs = Math.round(performance.now() - start)
    checks.push({ name: 'load', passed: true, text: loadMs === 0 ? 'It was loaded already.' : `Loaded within ${loadMs} ms.` })
  } catch (error) {
    failed('load', error)
    return ended(null)
  }
  const { version } = loaded
  checks.push(warmUpCheck(loaded))
  if (checks.at(-1)?.passed === false) return ended(version)
  const { golden } = version.config
  const { model } = version.placed
  checks.push(
    golden ? await checkGolden(model, golden) : { name: 'golden answers', passed: true, text: 'None came with the release: not checked.' },
  )
  if (checks.at(-1)?.passed === false) return ended(version)
  if (loaded.warmUpFailure !== null) return ended(version)
  try {
    const times = await timeRuns(model, { runs: gate.runs, ...LATENCY_RUNS, turns: true })
    const p95 = percentileOfSorted(times, 95)
    checks.push(latencyCheck(p95, times.length, gate))
    return ended(version, p95)
  } catch (error) {
    failed('latency', error)
    return ended(version)
  }
}

/** A model whose inputs' values decide whether it can run at all cannot be judged by made-up ones. */
function warmUpCheck({ version, warmUpFailure }: LoadedVersion): GateCheck {
  if (warmUpFailure === null) return { name: 'warm-up', passed: true, text: 'It runs.' }
  const text = `It does not run on made-up inputs: ${warmUpFailure}`.slice(0, 1900)
  const { inputsCanFail } = version.signature
  return {
    name: 'warm-up',
    passed: inputsCanFail,
    text: inputsCanFail ? `${text} Such inputs may not suit it; latency is not checked.` : text,
  }
}

function latencyCheck(p95: number, runs: number, { maxLatencyMs }: ReleaseGate): GateCheck {
  const text = `p95 of ${runs} single runs is ${p95.toPrecision(3)} ms`
  if (maxLatencyMs === null) return { name: 'latency', passed: true, text: `${text}; no limit was given.` }
  return { name: 'latency', passed: p95 <= maxLatencyMs, text: `${text}, at most ${maxLatencyMs} ms are allowed.` }
}
