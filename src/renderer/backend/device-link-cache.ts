import type { QueryClient } from '@tanstack/react-query'
import type { DeviceLink } from '../../contract/device-link.ts'
import { call } from './call.ts'

export const linksKey = ['devices.links'] as const

/** Links that events brought since the running fetch began: they are newer than what it answers. */
const arrived = new Map<string, DeviceLink>()

/** Puts newer links into a list, adding those of devices it does not have. */
export function withLinks(list: readonly DeviceLink[], newer: Iterable<DeviceLink>): DeviceLink[] {
  const merged = new Map(list.map((link) => [link.deviceId, link]))
  for (const link of newer) merged.set(link.deviceId, link)
  return [...merged.values()]
}

/** The connections to all devices, with everything that events told meanwhile. */
export async function fetchLinks(): Promise<DeviceLink[]> {
  arrived.clear()
  const list = await call('devices.links', {})
  return withLinks(list, arrived.values())
}

/** Takes a link from an event, or from the answer of a call, into what is shown. */
export function receiveLink(client: QueryClient, link: DeviceLink): void {
  arrived.set(link.deviceId, link)
  client.setQueryData<DeviceLink[]>(linksKey, (list) => (list ? withLinks(list, [link]) : list))
}
