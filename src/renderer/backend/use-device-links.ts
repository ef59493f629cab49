import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { DeviceLink } from '../../contract/device-link.ts'
import { fetchLinks, linksKey } from './device-link-cache.ts'

/** The connections to all devices; kept up to date by events. */
export function useDeviceLinks(): UseQueryResult<DeviceLink[]> {
  return useQuery({ queryKey: linksKey, queryFn: fetchLinks })
}

/** The connection to one device; undefined while it is not known. */
export function useDeviceLink(deviceId: string): DeviceLink | undefined {
  const { data: links } = useDeviceLinks()
  return links?.find((link) => link.deviceId === deviceId)
}
