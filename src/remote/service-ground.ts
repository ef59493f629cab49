import type { JobReporter } from '../contract/job.ts'
import type { DeviceFile, Tunnel } from './device-session.ts'
import type { ReleaseView, ServicePlace, ServiceView } from './service-place.ts'

/** What services need of a session. */
export interface ServiceGround {
  readonly place: ServicePlace
  /** Absolute path of the agent's folder on the machine, which is prepared for it. */
  runtime(reporter: JobReporter, signal: AbortSignal | undefined): Promise<string>
  store(files: readonly DeviceFile[], reporter: JobReporter, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, string>>
  tunnel(port: number): Promise<Tunnel>
  /** Whether somebody listens on a loopback port of the machine. */
  answers(port: number): Promise<boolean>
}

/** Names of the releases whose process runs. */
export function runningReleases(view: ServiceView | null): string[] {
  return view?.releases.filter(({ pid }) => pid !== null).map(({ release }) => release) ?? []
}

/** The release that is served, or would be. */
export function currentRelease(view: ServiceView | null): ReleaseView | null {
  return view?.releases.find(({ release }) => release === view.current) ?? null
}

/** Ends what an interrupted deploy left running beside the current release; answers what was there. */
export async function sweepStrays(place: ServicePlace, service: string): Promise<ServiceView | null> {
  const view = await place.look(service)
  const strays = runningReleases(view).filter((release) => release !== view?.current)
  if (strays.length > 0) await place.stop(service, strays, false)
  return view
}
