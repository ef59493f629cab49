import { existsSync } from 'node:fs'
import { EdgesmithError } from '../../../contract/errors.ts'
import { CronLine } from './cron.ts'
import { DetachedProcess } from './detached.ts'
import type { Keeper } from './keeper.ts'
import { SystemUnit } from './system-unit.ts'
import type { UnitPlaces } from './unit-text.ts'
import { UserUnit } from './user-unit.ts'

/** All ways to keep a service running, the most lasting one first. */
function allKeepers(places: UnitPlaces): Keeper[] {
  if (process.platform !== 'linux') return [new DetachedProcess(places.folder)]
  return [new SystemUnit(places), new UserUnit(places), new CronLine(places.folder), new DetachedProcess(places.folder)]
}

/** The one that keeps a service now; a plain process where none knows it. */
export async function currentKeeper(places: UnitPlaces): Promise<Keeper> {
  for (const keeper of allKeepers(places)) if (await keeper.isInstalled()) return keeper
  return new DetachedProcess(places.folder)
}

/**
 * The one that shall keep a service.
 * @param wish auto keeps the one there is and otherwise takes what survives a reboot without root rights
 * @throws EdgesmithError `SUDO_NEEDED`, `DEVICE_UNSUPPORTED` where a system unit is asked for and cannot be had
 */
export async function chosenKeeper(places: UnitPlaces, wish: 'auto' | 'system' | 'process'): Promise<Keeper> {
  if (wish === 'process') return new DetachedProcess(places.folder)
  const keepers = allKeepers(places)
  const system = process.platform === 'linux' ? new SystemUnit(places) : undefined
  if (wish === 'system') {
    if (system === undefined || !existsSync('/run/systemd/system')) {
      throw new EdgesmithError('DEVICE_UNSUPPORTED', 'The machine is not run by systemd: it takes no system unit.', {
        hint: 'Deploy without a system unit.',
      })
    }
    await system.requireRights()
    return system
  }
  if (system && (await system.isInstalled())) return system
  for (const keeper of keepers) if (keeper.kind !== 'system-unit' && (await keeper.problem()) === null) return keeper
  return new DetachedProcess(places.folder)
}

/** Takes a service away from all but one of them. @throws EdgesmithError `SUDO_NEEDED` */
export async function uninstallKeepers(places: UnitPlaces, but?: Keeper): Promise<void> {
  for (const keeper of allKeepers(places)) if (keeper.kind !== but?.kind) await keeper.uninstall()
}
