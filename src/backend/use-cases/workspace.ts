import { LOCAL_DEVICE_ID } from '../../contract/device.ts'
import type { Target } from '../../contract/names.ts'
import type { HandlersOf } from '../handlers.ts'
import type { Services } from '../services.ts'

/** Facts about the workspace and the program. */
export function workspaceHandlers(services: Services): HandlersOf<'workspace'> {
  return {
    'workspace.describe': async () => ({
      path: services.workspace,
      sizeBytes: await services.blobs.sizeBytes(),
      version: services.layout.version,
      nodeVersion: process.version,
      hostTarget: await hostTarget(services),
    }),
  }
}

/** The target that fits this computer's processor. */
export async function hostTarget(services: Services): Promise<Target> {
  const session = await services.sessions.open(LOCAL_DEVICE_ID)
  return (await session.probe()).target ?? (process.arch === 'arm64' ? 'arm64' : 'x64')
}
